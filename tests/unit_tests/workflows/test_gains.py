"""The higher steps of the ladder: how they order, and when they hold back."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import InputError
from chw_tools.workflows.gains import STEPS, gains_from_forecast, gains_from_states

AS_OF = pd.Timestamp("2026-01-04").as_unit("s")
THIS_WEEK = (AS_OF - pd.Timestamp(0)).days // 7
PEOPLE = pd.Index(["a", "b", "c"], name="person_id")


def assessed(risks=()):
    frame = pd.DataFrame(
        [
            {"person_id": p, "outcome": "o", "state": "estimated", "risk": r}
            for p, r in dict(risks).items()
        ],
        columns=["person_id", "outcome", "state", "risk"],
    )
    return SimpleNamespace(
        as_of=AS_OF,
        features=SimpleNamespace(frame=pd.DataFrame(index=PEOPLE)),
        risks=frame,
        priority_outcome="o",
    )


def weeks(n, seed=0):
    """Histories in which a visit lifts whoever is in the bad state, and hardly the others."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in ("a", "b"):
        state = True
        for week in range(n):
            visited = bool(rng.random() < 0.4)
            rows.append((person, THIS_WEEK - n + week, state, visited, "all"))
            state = bool(rng.random() < (0.9 if state or visited else 0.1))
    # As last seen: a is well, b is not.
    rows += [("a", THIS_WEEK, True, False, "all"), ("b", THIS_WEEK, False, False, "all")]
    columns = ["person_id", "week", "is_good", "is_visited", "stratum"]
    return pd.DataFrame(rows, columns=columns).astype({"is_good": "boolean"})


@pytest.mark.parametrize("step", STEPS)
def test_who_can_be_lifted_comes_before_who_is_well(step):
    found = gains_from_states(assessed(), weeks(300), step=step)

    assert found.by_person["b"] > found.by_person["a"] >= 0
    assert found.by_person.notna().all()  # c was never seen
    assert "the index" in found.notes[0]
    assert "2 of 3" in found.notes[0]
    assert set(found.transitions["stratum"]) == {"all"}


@pytest.mark.parametrize("step", STEPS)
def test_with_few_visits_the_next_step_s_gain_stands_in_and_is_said(step):
    found = gains_from_states(assessed(), weeks(12), step=step)

    assert "the next step's gain" in found.notes[0]
    assert any("fewer than 30" in note for note in found.notes)


def test_a_good_week_counts_for_as_much_as_the_risk():
    even = gains_from_states(assessed(), weeks(300), step="index").by_person
    risky = gains_from_states(
        assessed({"a": 0.1, "b": 0.3, "c": 0.2}), weeks(300), step="index"
    ).by_person

    assert risky["b"] == pytest.approx(0.3 * even["b"])


def test_what_was_seen_later_is_not_known():
    later = weeks(300)
    shown = later.assign(is_good=later["is_good"].mask(later["week"] > THIS_WEEK))
    more = pd.concat([shown, shown.tail(2).assign(week=THIS_WEEK + 1, is_good=[False, True])])
    one = gains_from_states(assessed(), shown, step="index").by_person
    other = gains_from_states(assessed(), more, step="index").by_person

    pd.testing.assert_series_equal(one, other)


def test_strangers_and_single_weeks_are_refused():
    with pytest.raises(InputError, match="no two weeks"):
        gains_from_states(assessed(), weeks(20).assign(person_id="ghost"), step="index")
    with pytest.raises(InputError, match="names nobody"):
        gains_from_forecast(assessed(), pd.Series({"ghost": 1.0}))


def test_whom_a_forecast_leaves_out_counts_as_the_average():
    found = gains_from_forecast(assessed(), pd.Series({"a": 0.1, "b": 0.3}))

    assert found.by_person.to_dict() == {"a": 0.1, "b": 0.3, "c": pytest.approx(0.2)}
    assert "2 of 3" in found.notes[0]
