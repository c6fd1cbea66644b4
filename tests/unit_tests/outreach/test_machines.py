"""Every pair of states of every machine: allowed or not, as the specification draws it."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.outreach.machines import (
    ENROLMENT,
    INBOUND,
    MESSAGE,
    RAISABLE,
    RANK,
    Machine,
    raised,
)

#: The specification's drawing, written a second time on purpose: each allowed move of a message.
_DRAWN = {
    (before, after)
    for before, follow in {
        "planned": {"due", "cancelled", "expired"},
        "due": {"sending", "planned", "suppressed", "cancelled", "expired"},
        "sending": {"retry_wait", "unknown", "suppressed", "expired", "planned", "due", *RANK},
        "retry_wait": {"due", "cancelled", "expired", *RANK},
        "unknown": set(RANK),
        "accepted": {"sent", "failed", "delivered", "read"},
        "sent": {"failed", "delivered", "read"},
        "failed": {"delivered", "read"},
        "delivered": {"read"},
    }.items()
    for after in follow
}


def test_a_message_moves_as_drawn_and_no_other_way() -> None:
    states = list(MESSAGE.moves)
    assert {pair for pair in product(states, states) if MESSAGE.may(*pair)} == _DRAWN
    assert MESSAGE.ends == {"read", "suppressed", "cancelled", "expired"}


def test_what_is_unknown_is_never_sent_again() -> None:
    reached, ask = set[str](), {"unknown"}
    while ask:
        reached |= ask
        ask = {after for state in ask for after in MESSAGE.moves[state]} - reached
    assert reached.isdisjoint({"planned", "due", "sending", "retry_wait"})


@pytest.mark.parametrize("machine", [MESSAGE, INBOUND, ENROLMENT], ids=lambda m: m.name)
def test_every_state_is_reached_and_none_follows_itself(machine: Machine) -> None:
    reached = {machine.first}
    for _ in machine.moves:
        reached |= {after for state in reached for after in machine.moves[state]}
    assert reached == set(machine.moves)
    assert all(state not in after for state, after in machine.moves.items())
    assert all(after <= set(machine.moves) for after in machine.moves.values())


def test_a_move_that_is_not_drawn_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="suppressed cannot become due"):
        MESSAGE.check("suppressed", "due")
    MESSAGE.check("planned", "due")


@pytest.mark.parametrize("state", sorted(RAISABLE))
@pytest.mark.parametrize("reported", RANK)
def test_what_a_report_raises_is_a_move(state: str, reported: str) -> None:
    after = raised(state, reported)
    assert after == state or MESSAGE.may(state, after)


@given(st.lists(st.sampled_from(sorted(RANK)), min_size=1, max_size=5))
def test_any_order_of_reports_ends_alike(reports: list[str]) -> None:
    ends = set()
    for order in permutations(reports):
        state = "accepted"
        for one in [*order, order[0]]:
            state = raised(state, one)
        ends.add(state)
    assert len(ends) == 1


def test_failed_beats_sent_and_never_delivered() -> None:
    assert raised("sent", "failed") == "failed"
    assert raised("delivered", "failed") == "delivered"
    assert raised("failed", "delivered") == "delivered"
    assert raised("suppressed", "delivered") == "suppressed"
