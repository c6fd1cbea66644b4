"""When a message that the provider certainly does not have is tried again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from chw_tools.outreach.windows import next_open, share_of, zone_of

if TYPE_CHECKING:
    from datetime import datetime

    from chw_tools.outreach.messages import Message
    from chw_tools.programme.outreach import Outreach


def retry_at(message: Message, *, attempt: int, policy: Outreach, now: datetime) -> datetime | None:
    """The instant of the next try, inside open hours; None where no try is left.

    The wait is drawn evenly from nothing up to the step of the schedule (full jitter), by the
    message's key and not by chance, so that many that failed together do not return together.

    Source: M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
    """
    steps = policy.retries.wait_seconds
    if attempt > len(steps):
        return None
    wait = max(1.0, steps[attempt - 1] * share_of(f"{message.id}:{attempt}"))
    zone = zone_of(message.number, policy.quiet_hours)
    if message.is_reply:
        return now + timedelta(seconds=wait)
    return next_open(now + timedelta(seconds=wait), zone, policy.quiet_hours, key=message.id)
