"""What a hand-over came to: the one place where errors of the network become our words.

What failed before anything was handed over may be tried again. Once a request has begun to
leave, the provider may have it, and no answer means ``unknown``: never sent again blindly.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx

from chw_tools.messaging.connecting import AddressRefused, Reply, TooLong
from chw_tools.outreach.numbers import SIMULATED
from chw_tools.outreach.wire import Handed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Statuses that refuse the account, whoever the message is for. A redirect is one: the address
#: is not the provider's any more, and nothing is sent after it.
_ACCOUNT = {301, 302, 303, 307, 308, 401, 402, 403, 404, 405, 410}
#: A proxy in front of the provider gave up waiting for it: the provider may have the message.
_NO_ANSWER = 504
_TOO_MANY = 429


def hand_over(
    call: Callable[[], Reply], read: Callable[[Reply], Handed], *, number: str = ""
) -> Handed:
    """Make the call once, and say what it came to.

    A simulated person's number is refused here: no network is told of it.

    Parameters
    ----------
    call : callable
        Hands the message over.
    read : callable
        What the provider's answer means; only asked where there is one.
    number : str
        Number that the message is for.
    """
    if number.startswith(SIMULATED):
        return Handed("permanent", reason="simulated_number")
    try:
        reply = call()
    except httpx.ConnectTimeout:
        return Handed("retry", reason="no_connection")
    except httpx.PoolTimeout:  # pragma: no cover (a pool of one is never waited for)
        return Handed("retry", reason="no_connection")
    except httpx.ConnectError as error:
        refused = isinstance(error.__cause__, AddressRefused)
        return Handed("account", reason="address_refused") if refused else _unreachable()
    except httpx.TimeoutException:
        return Handed("unknown", reason="no_answer")
    except TooLong:
        return Handed("unknown", reason="no_whole_answer")
    except httpx.TransportError:
        return Handed("unknown", reason="connection_lost")
    return read(reply)


def _unreachable() -> Handed:
    return Handed("retry", reason="no_connection")


def by_status(reply: Reply) -> Handed | None:
    """What the HTTP status alone decides; None where the body must be asked.

    Not the provider's error codes: a gateway that knows them asks those first.
    """
    if reply.status == _NO_ANSWER:
        return Handed("unknown", reason="no_answer")
    if reply.status == _TOO_MANY or reply.status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return Handed("retry", reason=f"http_{reply.status}")
    if reply.status in _ACCOUNT:
        return Handed("account", reason=f"http_{reply.status}")
    return None


def refused(reply: Reply) -> Handed:
    """A refusal without a code that we know: an error of the set-up, not of the number."""
    return Handed("account", reason=f"http_{reply.status}")


#: The provider took it and said nothing that we understand: it may or may not have it.
MALFORMED = Handed("unknown", reason="malformed_answer")


def read_json(body: bytes) -> Mapping[str, Any]:
    """The JSON object of a body; empty where there is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def dig(value: Any, *path: str | int) -> Any:
    """What lies at a path of keys and places; None where the shape is another."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def text_of(value: Any) -> str:
    """A text as text, a whole number in digits, anything else empty."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)
