"""A rehearsal as a page shows it: hour by hour, what would go out and what would not, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from chw_tools.outreach.rehearsal import rehearse
from chw_tools.outreach.windows import zone_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, tzinfo

    from chw_tools.outreach.gates import Facts
    from chw_tools.outreach.messages import Message
    from chw_tools.outreach.rehearsal import Foreseen
    from chw_tools.programme.outreach import Outreach


@dataclass(frozen=True)
class HourView:
    """One hour of a rehearsal in which something would happen.

    Parameters
    ----------
    at : datetime
        Its beginning, in the programme's time zone.
    n_sent, n_sent_so_far : int
        Messages that would go out in it, and from the beginning to its end.
    refused : mapping of (str, str) to int
        By gate and reason: what would be moved, held, suppressed or expire.
    channel, language, text : str
        The first message of the hour, as the telephone would show it.
    """

    at: datetime
    n_sent: int
    n_sent_so_far: int
    refused: Mapping[tuple[str, str], int]
    channel: str = ""
    language: str = ""
    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class RehearsalView:
    """What would be sent in the days to come; nothing was."""

    begins: datetime
    days: int
    zone: str
    hours: tuple[HourView, ...]
    refused: Mapping[tuple[str, str], int]
    population: str | None

    @property
    def n_sent(self) -> int:
        """Messages that would go out."""
        return self.hours[-1].n_sent_so_far if self.hours else 0


class LookingOutbox(Protocol):
    """Where what comes due is looked up."""

    def outlook(self, *, now: datetime, until: datetime) -> list[tuple[Message, Facts]]: ...


def show_rehearsal(
    ahead: Iterable[tuple[Message, Facts]],
    *,
    policy: Outreach,
    now: datetime,
    days: int,
    population: str | None = None,
) -> RehearsalView:
    """The rehearsal of what comes due.

    Parameters
    ----------
    ahead : iterable of (Message, Facts)
        What ``Outbox.outlook`` gives.
    policy : Outreach
        The programme's decisions.
    now : datetime
        Aware; the beginning.
    days : int
        How far to look.
    population : str, optional
        Whose messages they are, to be said on the page.
    """
    zone = zone_named(policy.quiet_hours.time_zone)
    foreseen = rehearse(ahead, policy=policy, now=now, days=days)
    refused: Counter[tuple[str, str]] = Counter(
        (one.verdict.gate, one.verdict.reason) for one in foreseen if one.verdict.act != "send"
    )
    return RehearsalView(
        begins=now.astimezone(zone),
        days=days,
        zone=policy.quiet_hours.time_zone,
        hours=tuple(_hours(foreseen, zone)),
        refused=dict(sorted(refused.items())),
        population=population,
    )


def _hours(foreseen: Iterable[Foreseen], zone: tzinfo) -> list[HourView]:
    groups: dict[datetime, list[Foreseen]] = {}
    for one in foreseen:
        hour = one.at.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        groups.setdefault(hour, []).append(one)
    found, so_far = [], 0
    for hour, things in groups.items():
        sent = [one for one in things if one.verdict.act == "send"]
        so_far += len(sent)
        first = next((one for one in sent if one.text is not None), None)
        found.append(
            HourView(
                at=hour,
                n_sent=len(sent),
                n_sent_so_far=so_far,
                refused=dict(
                    sorted(
                        Counter(
                            (one.verdict.gate, one.verdict.reason)
                            for one in things
                            if one.verdict.act != "send"
                        ).items()
                    )
                ),
                channel=first.message.channel if first else "",
                language=first.text.language if first and first.text else "",
                text=first.text.text if first and first.text else "",
            )
        )
    return found
