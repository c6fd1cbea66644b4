"""Gateways that reach nobody: the file (default) and the console, to look at what would go out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import orjson

from chw_tools.outreach.wire import Handed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chw_tools.outreach.wire import Outgoing

Channel = Literal["sms", "whatsapp", "email"]
#: Digits of a number that the console shows, at its end.
_SHOWN = 3


@dataclass(frozen=True)
class ToFile:
    """One line of JSON a message, in a file that only its owner may read.

    The file holds numbers and texts: it stands for the network, and belongs with the store.
    """

    path: Path
    channel: Channel = "sms"
    name: str = "file"

    def send(self, message: Outgoing) -> Handed:
        """Add the message to the file."""
        line = orjson.dumps(
            {
                "client_ref": message.client_ref,
                "channel": self.channel,
                "number": message.number,
                "text": message.text,
                "language": message.language,
                "template": message.template,
                "subject": message.subject,
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            opened = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(opened, "ab", buffering=0) as file:
                # One write of one line: workers side by side do not mix theirs.
                file.write(line)
        except OSError:
            return Handed("account", reason="file_not_writable")
        return Handed("accepted", message.client_ref)

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        """Whether the file holds the message."""
        mark = b'"client_ref":"' + client_ref.encode() + b'"'
        try:
            with self.path.open("rb") as lines:
                held = any(mark in line for line in lines)
        except OSError:
            held = False
        return Handed("accepted", client_ref) if held else Handed("retry", reason="never_arrived")


@dataclass(frozen=True)
class ToConsole:
    """One line a message on a terminal; of the number only its end."""

    say: Callable[[str], object]
    channel: Channel = "sms"
    name: str = "console"

    def send(self, message: Outgoing) -> Handed:
        """Say the message."""
        self.say(
            f"[{self.channel}] …{message.number[-_SHOWN:]} ({message.language}) {message.text}"
        )
        return Handed("accepted", message.client_ref)

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        """Nothing is kept."""
        return None
