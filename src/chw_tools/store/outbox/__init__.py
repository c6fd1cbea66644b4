"""The outbox: messages from plan to receipt, on SQLite and PostgreSQL."""

from chw_tools.store.outbox.claiming import Claim, Desk, Judged
from chw_tools.store.outbox.contacts import ALL
from chw_tools.store.outbox.finishing import Answer, Finished
from chw_tools.store.outbox.looking import ChannelStatus, Happening, OutboxStatus
from chw_tools.store.outbox.outbox import Outbox
from chw_tools.store.outbox.recovering import Ambiguous

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
