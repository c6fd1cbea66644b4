"""Other rules on the same months: counted rightly, and modest where the truth is not known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import InputError
from chw_tools.programme import load_programme
from chw_tools.resource_allocation.plan import Plan
from chw_tools.resource_allocation.replay import (
    POLICIES,
    SELECTIVE,
    SYNTHETIC,
    Moment,
    Replay,
    plot_replay,
    replay,
)
from chw_tools.resource_allocation.what_if import (
    Change,
    changed_planning,
    changed_workers,
    compare_plans,
    read_change,
)

N = 60


def moments(periods: int = 4, *, known: bool = True) -> list[Moment]:
    rng = np.random.default_rng(0)
    people = pd.DataFrame(
        {
            "worker_id": ["a", "b"] * (N // 2),
            "risk": rng.beta(1, 9, N),
            "effect": rng.choice([0.05, 0.3], N),
            "weeks_unseen": rng.integers(1, 90, N).astype(float),
            "sex": ["female", "female", "male"] * (N // 3),
        },
        index=[f"p{n:02}" for n in range(N)],
    )
    people["cases"] = people["risk"] / 6
    people["true_effect"] = people["effect"] if known else np.nan
    start = pd.Timestamp("2025-01-05")
    return [Moment(start + pd.Timedelta(days=28 * n), people) for n in range(periods)]


def lived(given: list[Moment], visits: int = 5, policies: tuple[str, ...] = POLICIES) -> Replay:
    return replay(
        given,
        policies=policies,
        visits_per_worker={"a": visits, "b": visits},
        minutes_per_visit=40.0,
        period_days=28.0,
        protects_days=90.0,
        groups=("sex",),
    )


def test_visits_minutes_and_cases_add_up() -> None:
    found = lived(moments()).policies.set_index("policy")

    assert (found["visits"] == 4 * 10).all()
    assert (found["minutes"] == 1600).all()
    assert np.allclose(found["reached"] + found["missed"], found["cases"])
    assert (
        (found["low"] <= found["share_reached"]) & (found["share_reached"] <= found["high"])
    ).all()
    assert np.allclose(found["cases"], found["cases"].iloc[0])


def test_risk_reaches_the_most_cases_and_benefit_averts_the_most() -> None:
    found = lived(moments(), visits=3).policies.set_index("policy")

    assert found["reached"].idxmax() == "risk"
    assert found["averted"].idxmax() in ("benefit", "index")
    assert found.loc["benefit", "averted"] > found.loc["risk", "averted"]


def test_everybody_visited_reaches_everybody_whatever_the_rule() -> None:
    found = lived(moments(), visits=N)
    assert np.allclose(found.policies["share_reached"], 1.0)
    assert np.allclose(found.groups["share_reached"], 1.0)


def test_groups_hold_everybody_once() -> None:
    groups = lived(moments()).groups
    assert (groups.groupby("policy")["people"].sum() == N).all()


def test_overdue_sees_everybody_in_turn() -> None:
    given = moments(periods=12)
    found = lived(given, visits=5, policies=("overdue",))
    # 12 periods times 10 visits see 60 people twice, each the same number of times.
    cases = given[0].people["cases"].sum()
    assert found.policies["reached"][0] == pytest.approx(2 * cases)


def test_recorded_data_claim_nothing_averted() -> None:
    found = lived(moments(known=False))
    assert found.notes == (SELECTIVE,)
    assert found.policies["averted"].isna().all()
    assert lived(moments()).notes == (SYNTHETIC,)


def test_the_same_seed_gives_the_same_and_rows_may_be_in_any_order() -> None:
    given = moments()
    mixed = [replace(m, people=m.people.sample(frac=1, random_state=1)) for m in given]
    no_chance = ("overdue", "risk", "benefit", "index")
    pd.testing.assert_frame_equal(lived(given).policies, lived(given).policies)
    first, second = (lived(g, policies=no_chance).policies for g in (given, mixed))
    assert np.allclose(first["reached"], second["reached"])


def test_who_comes_later_counts_from_the_record() -> None:
    given = moments(periods=2)
    given[0] = replace(given[0], people=given[0].people.iloc[:-1])
    assert lived(given).policies["visits"].eq(20).all()


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="no such policy"):
        lived(moments(), policies=("guess",))
    with pytest.raises(ValueError, match="no period"):
        lived([])


def test_a_picture_is_drawn_with_and_without_groups() -> None:
    found = lived(moments())
    assert b"female" in plot_replay(found, title="Rules") or b"<svg" in plot_replay(
        found, title="R"
    )
    assert b"<svg" in plot_replay(replace(found, groups=found.groups.iloc[:0]), title="Rules")


# ---- what would be if -----------------------------------------------------------------------


def plan_of(benefit: dict[str, float]) -> Plan:
    waiting = pd.DataFrame({"worker_id": list(benefit), "benefit": list(benefit.values())})
    return Plan(pd.DataFrame(), waiting, {}, ())


def workers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "name": ["A", "B", "C"],
            "source": "s",
            "source_id": ["1", "2", "3"],
            "capacity_minutes": [300.0, np.nan, 100.0],
        }
    )


HOMES = pd.DataFrame({"id": ["h1", "h2"], "worker_id": ["a", "b"]})


@pytest.mark.parametrize("text", ["workers", "workers=", "height=+3", "workers=+x", "workers=++3"])
def test_a_change_that_is_none_is_explained(text: str) -> None:
    with pytest.raises(InputError, match=r"workers, capacity_minutes"):
        read_change(text)


def test_changes_set_or_add() -> None:
    planning = load_programme().planning
    more = changed_planning(planning, [read_change("visit_minutes=-4"), read_change("workers=+1")])
    assert more.visit_minutes == planning.visit_minutes - 4
    assert changed_planning(planning, [read_change("visit_minutes=20")]).visit_minutes == 20
    assert Change("workers", -9.0, is_added=True).of(3) == 0


def test_further_workers_start_where_the_most_waits_and_share_the_homes() -> None:
    plan = plan_of({"a": 1.0, "b": 5.0})
    staff, homes = changed_workers(workers(), HOMES, [read_change("workers=+2")], plan=plan)

    assert staff["id"].is_unique
    assert len(staff) == 5
    assert staff["name"].tolist()[3:] == ["Further worker 1", "Further worker 2"]
    assert homes["worker_id"].tolist()[0] == "a"
    assert pd.isna(homes["worker_id"][1])


def test_fewer_workers_are_those_whose_people_lose_least() -> None:
    plan = plan_of({"a": 1.0, "b": 5.0})
    staff, _ = changed_workers(workers(), HOMES, [read_change("workers=-2")], plan=plan)
    assert staff["id"].tolist() == ["b"]


def test_minutes_of_workers_change_too() -> None:
    staff, _ = changed_workers(
        workers(), HOMES, [read_change("capacity_minutes=+60")], plan=plan_of({})
    )
    assert staff["capacity_minutes"].tolist()[::2] == [360.0, 160.0]
    assert pd.isna(staff["capacity_minutes"][1])


def test_figures_stand_side_by_side() -> None:
    from chw_tools.resource_allocation.what_if import MEASURES

    before = replace(plan_of({}), summary=dict.fromkeys(MEASURES, 1.0))
    after = replace(plan_of({}), summary=dict.fromkeys(MEASURES, 3.0))
    table = compare_plans(before, after)
    assert (table["change"] == 2.0).all()
    assert table["measure"].tolist() == list(MEASURES)
