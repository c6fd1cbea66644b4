"""What the service logs: one JSON object a line, made of allowed keys and nothing else.

A log line is read by people who may not read health records. Therefore the formatter takes
no message text from anybody: a line holds an event's name and the keys of :data:`ALLOWED`
whose values are of the expected form. Text of other libraries, and of errors, is dropped;
their kind and place are kept.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

#: Every key that a line may hold besides ``at``, ``level``, ``logger`` and ``event``, with
#: the form that its value must have.
ALLOWED: dict[str, re.Pattern[str]] = {
    "request_id": re.compile(r"[0-9a-f]{8,32}"),
    "method": re.compile(r"[A-Z]{1,10}"),
    "route": re.compile(r"[-/{}a-z0-9_.]{1,120}"),
    "status": re.compile(r"[1-5]\d\d"),
    "milliseconds": re.compile(r"\d{1,9}(\.\d{1,3})?"),
    "kind": re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,80}"),
    "place": re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,120}:\d{1,6}"),
    "what": re.compile(r"[a-z][a-z0-9_]{0,60}"),
    "channel": re.compile(r"[a-z]{1,20}"),
    "count": re.compile(r"\d{1,9}"),
}
_EVENT = re.compile(r"[a-z][a-z0-9_.]{0,60}")
#: Loggers of this package name events; others speak free text, which is dropped.
_OURS = "chw_tools."


class AllowedOnly(logging.Formatter):
    """Formats a record as JSON from allowed keys; whatever else it carries is dropped."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": event_of(record),
        }
        line |= allowed_values(vars(record))
        if record.exc_info and record.exc_info[1] is not None:
            line |= {"kind": type(record.exc_info[1]).__name__, "place": place_of(record)}
        return json.dumps(line)


def event_of(record: logging.LogRecord) -> str:
    """The event that one of our own records names; ``message`` for everybody else's text.

    >>> event_of(logging.makeLogRecord({"name": "uvicorn.error", "msg": "Amina fell ill"}))
    'message'
    """
    is_named = record.name.startswith(_OURS) and isinstance(record.msg, str) and not record.args
    return record.msg if is_named and _EVENT.fullmatch(record.msg) else "message"


def allowed_values(values: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Those of the allowed keys whose values have the expected form.

    >>> allowed_values({"status": 200, "route": "/people/{person_id}", "name": "Amina"})
    {'route': '/people/{person_id}', 'status': 200}
    """
    return {
        key: values[key]
        for key, form in ALLOWED.items()
        if isinstance(values.get(key), str | int | float) and form.fullmatch(str(values[key]))
    }


def place_of(record: logging.LogRecord) -> str:
    """Module and line in which the logged error arose."""
    return trace_end(record.exc_info[1] if record.exc_info else None)


def trace_end(broken: BaseException | None) -> str:
    """Module and line in which an error arose, without its text."""
    frame = broken.__traceback__ if broken is not None else None
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return "unknown:0"
    return f"{frame.tb_frame.f_globals.get('__name__', 'unknown')}:{frame.tb_lineno}"


def set_up_logs(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Send every log of this process to a stream as JSON of allowed keys.

    Parameters
    ----------
    stream : text file, optional
        Standard error by default.
    level : int
        Least level that is written.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(AllowedOnly())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        # The server's own handlers print paths and error texts.
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
        # Its lines on starting and stopping are text, of which nothing would be left.
        logging.getLogger(name).setLevel(logging.WARNING)
