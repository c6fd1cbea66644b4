"""The outbox: messages from plan to receipt, on SQLite and PostgreSQL."""

from chw_tools.outreach.claims import Ambiguous, Answer, Claim, Finished, Judged
from chw_tools.store.outbox.claiming import Desk
from chw_tools.store.outbox.contacts import ALL
from chw_tools.store.outbox.looking import ChannelStatus, Happening, OutboxStatus
from chw_tools.store.outbox.outbox import Outbox

__all__ = [
    "ALL",
    "Ambiguous",
    "Answer",
    "ChannelStatus",
    "Claim",
    "Desk",
    "Finished",
    "Happening",
    "Judged",
    "Outbox",
    "OutboxStatus",
]
