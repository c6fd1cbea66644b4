"""The three state machines: which state may follow which, and what a receipt may raise.

A state is changed in the store only by compare-and-swap along a move of these tables, with a
line in the diary of changes written in the same transaction.

>>> MESSAGE.may("sending", "accepted")
True
>>> MESSAGE.may("suppressed", "due")
False
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chw_tools.records.contacting import ENROLMENT_STATES, INBOUND_STATES, MESSAGE_STATES

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Machine:
    """States and the moves between them.

    Parameters
    ----------
    name : str
        What it is the machine of.
    first : str
        State in which everything begins.
    moves : mapping of str to frozenset of str
        For each state the states that may follow it; none where it is an end.
    """

    name: str
    first: str
    moves: Mapping[str, frozenset[str]]

    def may(self, before: str, after: str) -> bool:
        """Whether the second state may follow the first."""
        return after in self.moves[before]

    def check(self, before: str, after: str) -> None:
        """Refuse a move that the table does not hold.

        Raises
        ------
        ValueError
            For such a move: it is a programmer's mistake, never data's.
        """
        if not self.may(before, after):
            raise ValueError(f"a {self.name} that is {before} cannot become {after}")

    @property
    def ends(self) -> frozenset[str]:
        """States after which nothing comes."""
        return frozenset(state for state, after in self.moves.items() if not after)


def _moves(states: tuple[str, ...], table: Mapping[str, str]) -> dict[str, frozenset[str]]:
    return {state: frozenset(table.get(state, "").split()) for state in states}


#: What a provider reports, in rising rank. One total order, so that receipts that come twice
#: or in another order end in the same state: failed beats sent, and never delivered.
RANK = {"accepted": 1, "sent": 2, "failed": 3, "delivered": 4, "read": 5}

_ABOVE_SENDING = " ".join(RANK)

MESSAGE = Machine(
    "message",
    "planned",
    _moves(
        MESSAGE_STATES,
        {
            "planned": "due cancelled expired",
            # Back to planned where a gate moves it to another hour.
            "due": "sending planned suppressed cancelled expired",
            # Back to due where a claim lapsed before anything was handed over.
            "sending": f"due planned suppressed expired retry_wait unknown {_ABOVE_SENDING}",
            # A receipt may prove that a provider who refused has it after all.
            "retry_wait": f"due cancelled expired {_ABOVE_SENDING}",
            # Never back to due: whether the provider has it is not known.
            "unknown": _ABOVE_SENDING,
            "accepted": "sent failed delivered read",
            "sent": "failed delivered read",
            "failed": "delivered read",
            "delivered": "read",
        },
    ),
)

INBOUND = Machine(
    "message received",
    "received",
    _moves(
        INBOUND_STATES,
        {
            "received": "opted_out opted_in helped flagged answered asked_who to_a_human looping",
            "asked_who": "answered flagged to_a_human",
            "to_a_human": "answered flagged",
        },
    ),
)

ENROLMENT = Machine(
    "enrolment",
    "active",
    _moves(
        ENROLMENT_STATES,
        {
            "active": "goal_met withdrawn escalated closed expired",
            "escalated": "goal_met withdrawn resolved closed expired",
        },
    ),
)

#: Reasons of a failure for which the number itself is at fault, whoever is written to by it.
BAD_NUMBER = (
    "invalid_number",
    "landline",
    "unsupported_number",
    "number_inactive",
    "simulated_number",
)

#: States in which the provider may have the message, so that a receipt can be about it.
RAISABLE = frozenset({"sending", "retry_wait", "unknown", *RANK})


def raised(state: str, reported: str) -> str:
    """The state after a report: the higher of the two in rank.

    >>> raised("delivered", "sent"), raised("sent", "failed"), raised("failed", "delivered")
    ('delivered', 'failed', 'delivered')
    """
    if state not in RAISABLE:
        return state
    return reported if RANK[reported] > RANK.get(state, 0) else state
