"""Chances from visit history: right where data are many, borrowed where they are few."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chw_tools.programme import VisitEffect
from chw_tools.resource_allocation.choice import (
    belief_benefit,
    estimate_transitions,
    forecast_benefit,
    index_benefit,
    myopic_gain,
    risk_times_effect,
    steps_from_weeks,
    two_state_index,
)

TRUE = {"a": [[0.2, 0.7], [0.6, 0.9]], "b": [[0.1, 0.2], [0.8, 0.85]]}


def draw_steps(n: int, seed: int = 0, names: tuple[str, ...] = ("a", "b")) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    stratum = rng.choice(list(names), n)
    state, visited = rng.integers(0, 2, (2, n))
    p = np.array([TRUE[s][i][j] for s, i, j in zip(stratum, state, visited, strict=True)])
    return pd.DataFrame(
        {
            "stratum": stratum,
            "state": state,
            "is_visited": visited,
            "next_state": (rng.random(n) < p).astype(int),
        }
    )


def test_many_steps_give_the_true_chances_within_their_interval() -> None:
    found = estimate_transitions(draw_steps(40_000))

    assert found.strata == ("a", "b", "(rest)")
    assert found.is_enough
    for at, name in enumerate(("a", "b")):
        assert np.abs(found.p[at] - TRUE[name]).max() < 0.03
    assert ((found.low <= found.p) & (found.p <= found.high)).all()


def test_a_thin_stratum_borrows_and_joins_the_rest() -> None:
    thick = draw_steps(4000, names=("a",))
    thin = pd.DataFrame(
        {"stratum": "c", "state": [0, 0], "is_visited": [1, 0], "next_state": [1, 1]}
    )
    found = estimate_transitions(pd.concat([thick, thin]))

    assert found.strata == ("a", "(rest)")
    assert not found.is_enough
    # Two steps, both good, do not make certainty.
    assert 0.2 < found.p[1, 0, 1] < 0.9
    assert found.high[1, 0, 1] - found.low[1, 0, 1] > found.high[0, 0, 1] - found.low[0, 0, 1]


def test_without_a_visit_a_stratum_lies_between_its_own_and_all() -> None:
    steps = draw_steps(600)
    found = estimate_transitions(steps)
    own = steps.groupby(["stratum", "state", "is_visited"])["next_state"].mean()
    pooled = steps.groupby(["state", "is_visited"])["next_state"].mean()
    for at, name in enumerate(("a", "b")):
        for s in (0, 1):
            ends = sorted([own[name, s, 0], pooled[s, 0]])
            assert ends[0] - 0.01 <= found.p[at, s, 0] <= ends[1] + 0.01


def count_steps(counts: dict[tuple[str, int, int], tuple[int, int]]) -> pd.DataFrame:
    """Steps by stratum, state and action: how many, and how many of them to the good state."""
    rows = [(*cell, int(at < good)) for cell, (n, good) in counts.items() for at in range(n)]
    return pd.DataFrame(rows, columns=["stratum", "state", "is_visited", "next_state"])


def test_what_a_visit_does_is_borrowed_not_where_people_end() -> None:
    """Odds threefold in both; the thin one starts lower and must not be drawn up to the other."""
    steps = count_steps(
        {
            ("high", 0, 0): (4000, 2000),
            ("high", 0, 1): (4000, 3000),
            ("low", 0, 0): (4000, 400),
            ("low", 0, 1): (40, 10),
        }
    )
    found = estimate_transitions(steps)
    low = found.strata.index("low")

    assert found.p[low, 0, 1] == pytest.approx(0.25, abs=0.01)
    # Nobody was seen in the good state: nothing is claimed of a visit there.
    assert found.p[low, 1, 1] == pytest.approx(found.p[low, 1, 0])
    assert found.low[low, 1, 1] < 0.2 < 0.8 < found.high[low, 1, 1]


def test_where_nobody_was_visited_in_a_state_a_visit_is_worth_nothing_there() -> None:
    steps = count_steps({("a", 0, 0): (500, 100), ("a", 0, 1): (80, 60), ("a", 1, 0): (900, 270)})
    found = estimate_transitions(steps)
    stratum = pd.Series(["a", "a", "never seen"])
    good = pd.Series([False, True, False], dtype="boolean")
    value = index_benefit(stratum, good, transitions=found, weight=pd.Series(1.0, stratum.index))

    assert found.is_enough
    assert found.p[0, 1].tolist() == pytest.approx([0.3, 0.3], abs=0.01)
    assert value[0] > 0.4
    assert value[1] == pytest.approx(0.0, abs=1e-6)
    # Of no known stratum: as all together, drawn from nobody in particular.
    assert found.of(stratum)[2, 0, 1] == pytest.approx(0.75, abs=0.02)


def test_the_table_names_every_chance_once() -> None:
    table = estimate_transitions(draw_steps(400)).table()

    assert len(table) == 2 * 4
    assert not table.duplicated(["stratum", "state", "is_visited"]).any()
    assert table["n_steps"].sum() == 400


def test_no_steps_at_all_know_nothing() -> None:
    found = estimate_transitions(draw_steps(0))

    assert not found.is_enough
    assert np.allclose(found.p, 0.5)


def test_steps_lacking_a_column_are_refused() -> None:
    with pytest.raises(ValueError, match="next_state"):
        estimate_transitions(draw_steps(3).drop(columns="next_state"))


def test_steps_are_of_weeks_running_in_which_both_states_were_seen() -> None:
    weeks = pd.DataFrame(
        {
            "person_id": ["x", "x", "x", "y", "y", "z"],
            "week": [1, 2, 4, 1, 2, 1],
            "stratum": "a",
            "is_good": [True, False, True, True, None, False],
            "is_visited": [True, False, True, False, True, True],
        }
    )
    steps = steps_from_weeks(weeks)

    assert steps.to_dict("records") == [
        {"stratum": "a", "state": 1, "is_visited": 1, "next_state": 0}
    ]


EFFECT = VisitEffect(0.9, 0.8, 1.0, "test", True)


def test_risk_times_effect_takes_the_unknown_as_the_average() -> None:
    value = risk_times_effect(pd.Series([0.2, np.nan, 0.4]), effect=EFFECT)

    assert value.tolist() == pytest.approx([0.02, 0.03, 0.04])


def test_a_sure_effect_of_a_stratum_counts_and_an_unsure_one_hardly() -> None:
    sure = VisitEffect(0.5, 0.48, 0.52, "trial", True)
    unsure = VisitEffect(0.5, 0.1, 2.5, "few", True)
    value = risk_times_effect(
        pd.Series([1.0, 1.0, 1.0]),
        effect=EFFECT,
        stratum=pd.Series(["s", "u", "other"]),
        by_stratum={"s": sure, "u": unsure},
    )

    assert value[0] == pytest.approx(0.5, abs=0.01)
    assert 0.1 < value[1] < 0.4
    assert value[2] == pytest.approx(0.1)


def test_the_index_counts_the_more_the_more_visits_there_were() -> None:
    """The gain alone while data are thin, halfway at a hundred visits, in the end the index."""
    stratum = pd.Series(["a", "b", "a"])
    good = pd.Series([False, True, None], dtype="boolean")
    weight = pd.Series([2.0, 1.0, 1.0], index=stratum.index)
    places = []
    for n in (40, 400, 40_000):
        found = estimate_transitions(draw_steps(n))
        value = index_benefit(stratum, good, transitions=found, weight=weight, discount=0.9)
        gain, index = (
            np.maximum(score(found.of(stratum), discount=0.9), 0)
            for score in (myopic_gain, two_state_index)
        )
        assert gain[0, 0] < index[0, 0]
        places.append(np.log(value[0] / 2 / gain[0, 0]) / np.log(index[0, 0] / gain[0, 0]))
        between = gain ** (1 - found.trust) * index**found.trust
        assert value[1] == pytest.approx(between[1, 1])
        assert value[2] == pytest.approx(between[2].mean())
        assert found.is_enough == (n > 40)

    assert places[0] == pytest.approx(0.0, abs=1e-9)
    assert 0.45 < places[1] < 0.55
    assert 0.98 < places[2] < 1.0


def test_the_stratum_with_the_fewest_visits_decides_how_far_the_index_counts() -> None:
    many = {("a", 0, 1): (300, 150)}
    both = estimate_transitions(count_steps({**many, ("b", 0, 1): (50, 25)}))
    thin = estimate_transitions(count_steps({**many, ("b", 0, 1): (29, 15)}))

    assert both.trust == pytest.approx(1 / 3)
    assert not thin.is_enough
    assert thin.trust == 0.0


def test_unseen_longer_is_worth_more_where_people_drift_down() -> None:
    stratum = pd.Series(["a"] * 3)
    seen = pd.Series([True, True, None], dtype="boolean")
    weeks = pd.Series([1, 20, None], dtype="Int64")
    for n in (20_000, 60):
        value = belief_benefit(
            stratum,
            seen,
            weeks,
            transitions=estimate_transitions(draw_steps(n)),
            weight=pd.Series(1.0, index=stratum.index),
        )
        assert value[0] < value[1]
        assert value[2] > 0


def test_a_forecaster_must_speak_of_everybody() -> None:
    people = pd.DataFrame({"age": [1, 2]}, index=["x", "y"])
    day = pd.Timestamp("2026-01-05")
    ok = forecast_benefit(people, lambda p, as_of: p["age"] * 0.1, as_of=day)
    assert ok.tolist() == pytest.approx([0.1, 0.2])
    with pytest.raises(ValueError, match="one value"):
        forecast_benefit(people, lambda p, as_of: p["age"].iloc[:1], as_of=day)
    with pytest.raises(ValueError, match="negative"):
        forecast_benefit(people, lambda p, as_of: -p["age"], as_of=day)
