"""Who is on today's list, who waits, and what the plan says of itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from chw_tools.data_processing import as_known_on
from chw_tools.feature_engineering import Features, build_features
from chw_tools.programme import load_programme
from chw_tools.recommendations import recommend
from chw_tools.records import TABLES, conform, empty_table
from chw_tools.records.checks import check_table
from chw_tools.records.derived import (
    PLANNED_VISITS,
    RECOMMENDATIONS,
    RISKS,
    UNVISITED,
    URGENCIES,
)
from chw_tools.resource_allocation import Plan, Situation, plan_day, visit_list

PROGRAMME = load_programme()
DAY = pd.Timestamp("2026-03-10").as_unit("s")
PROVENANCE = {"source": "test", "known_on": DAY}
Advice = dict[str, tuple[str, int]]


def table(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    return conform(TABLES[name], pd.DataFrame([PROVENANCE | row for row in rows]))


def planned(
    advice: Advice,
    *,
    homes: dict[str, str] | None = None,
    workers: list[dict[str, Any]] | None = None,
    risks: dict[str, float] | None = None,
    outcome: str | None = None,
    follow_ups: pd.DataFrame | None = None,
    caseloads: pd.Series | None = None,
    others: tuple[str, ...] = (),
    **more: Any,
) -> Plan:
    """A plan for people given as ``name: (urgency, days due from the day)``."""
    names = sorted({*advice, *others})
    people = table(
        "people",
        [{"id": n, "sex": "female", "household_id": (homes or {}).get(n)} for n in names],
    )
    rows = pd.DataFrame(
        [
            {
                "person_id": n,
                "rank": 1,
                "rule_id": "test",
                "kind": "guideline",
                "urgency": urgency,
                "action": "Visit.",
                "reason": f"Reason of {n}.",
                "source": "test",
                "is_verified": False,
                "due_on": DAY + pd.Timedelta(days=days),
                "as_of": DAY,
            }
            for n, (urgency, days) in advice.items()
        ]
    )
    given = risks or {}
    estimates = pd.DataFrame(
        [
            {
                "person_id": n,
                "outcome": outcome,
                "as_of": DAY,
                "state": "estimated",
                "risk": risk,
                "band": "low",
                "model": "m",
                "model_digest": "0",
                "inputs_digest": "0",
            }
            for n, risk in given.items()
        ]
    )
    frame = pd.DataFrame(index=pd.Index(names, name="person_id", dtype="str"))
    situation = Situation(
        conform(RECOMMENDATIONS, rows),
        conform(RISKS, estimates),
        features=Features(frame, (), DAY),
        people=people,
        households=table("households", [{"id": h} for h in sorted(set((homes or {}).values()))]),
        areas=table("areas", []),
        workers=table("workers", [{"id": "w1"}] if workers is None else workers),
        outcome=outcome,
        follow_ups=follow_ups,
        caseloads=caseloads,
    )
    return plan_day(situation, programme=PROGRAMME, visit_on=DAY, **more)


def test_emergencies_come_first_then_the_same_day_then_the_rest() -> None:
    plan = planned(
        {"a": ("routine", -9), "b": ("same_day", 0), "c": ("emergency", 0), "d": ("within_days", 0)}
    )

    assert visit_list(plan, worker_id="w1", on=DAY)["person_id"].tolist() == ["c", "b", "d", "a"]
    assert plan.visits["is_must"].tolist() == [True, True, False, False]


def test_musts_are_listed_beyond_the_minutes_and_the_plan_says_so() -> None:
    plan = planned(
        {f"p{i}": ("same_day", 0) for i in range(12)},
        workers=[{"id": "w1", "capacity_minutes": 100.0}],
    )

    assert len(plan.visits) == 12
    assert plan.summary["n_workers_over_capacity"] == 1
    assert plan.summary["minutes_used"] > plan.summary["minutes_capacity"]
    assert any("cannot wait" in note for note in plan.notes)


def test_who_waits_is_told_why() -> None:
    advice: Advice = {f"p{i}": ("routine", -i) for i in range(10)}
    plan = planned(advice | {"later": ("routine", 40)})
    waiting = plan.unvisited.set_index("person_id")["reason"]

    assert waiting["later"] == "Due later, on 2026-04-19."
    lines = waiting.drop("later")
    assert lines.str.startswith("No minutes left today; number ").all()
    assert plan.summary["n_displaced"] == len(lines)
    assert lines["p0"] == f"No minutes left today; number {len(lines)} in line."


def test_equal_urgency_goes_by_days_overdue() -> None:
    plan = planned({f"p{i}": ("routine", -10 * i) for i in range(9)})

    seen = set(plan.visits["person_id"])
    assert seen == {f"p{i}" for i in range(9 - len(seen), 9)}
    assert plan.visits["reason"].str.contains("Ordered by urgency, days").all()


def test_what_falls_due_within_days_fills_free_minutes_and_no_more() -> None:
    plan = planned({"soon": ("routine", 6), "late": ("routine", 8)})

    assert plan.visits["person_id"].tolist() == ["soon"]
    assert plan.unvisited["person_id"].tolist() == ["late"]


def test_a_higher_risk_goes_first_where_an_effect_is_declared() -> None:
    advice: Advice = {f"p{i}": ("routine", 0) for i in range(9)}
    risks = {f"p{i}": 0.05 * i for i in range(9)}
    plan = planned(advice, risks=risks, outcome="hospital_admission_180d")

    seen = set(plan.visits["person_id"])
    assert seen == {f"p{i}" for i in range(9 - len(seen), 9)}
    assert plan.visits["reason"].str.contains("Put forward because of the risk").any()


def test_a_score_without_declared_effect_only_breaks_ties() -> None:
    advice: Advice = {f"p{i}": ("routine", 0) for i in range(9)} | {"z": ("routine", -20)}
    plan = planned(advice, risks={f"p{i}": 0.1 * i for i in range(9)}, outcome="cvd_10y")

    seen = set(plan.visits["person_id"])
    assert "z" in seen
    assert seen - {"z"} == {f"p{i}" for i in range(10 - len(seen), 9)}
    assert plan.visits["benefit"].max() == pytest.approx(
        PROGRAMME.planning.weight_routine * (1 + 20 / 30)
    )
    assert any("the score of cvd_10y decides between equals" in note for note in plan.notes)


def test_a_low_risk_does_not_push_a_guideline_step_behind_routine_visits() -> None:
    advice: Advice = {f"p{i}": ("routine", 0) for i in range(12)} | {"anc": ("within_days", 0)}
    risks = {f"p{i}": 0.15 for i in range(12)} | {"anc": 0.001}
    plan = planned(advice, risks=risks, outcome="hospital_admission_180d")

    assert "anc" in set(plan.visits["person_id"])


def test_a_person_without_an_estimate_counts_as_the_average_and_it_is_said() -> None:
    advice: Advice = {f"p{i}": ("routine", 0) for i in range(8)}
    plan = planned(
        advice, risks={f"p{i}": 0.2 for i in range(7)}, outcome="hospital_admission_180d"
    )

    everyone = pd.concat([plan.visits, plan.unvisited]).set_index("person_id")["benefit"]
    assert everyone["p7"] == pytest.approx(everyone["p0"])
    assert any("1 people without an estimate" in note for note in plan.notes)


def test_a_home_is_one_stop_and_its_people_share_the_walk() -> None:
    plan = planned(
        {"a": ("emergency", 0), "b": ("routine", -5), "c": ("routine", -5)},
        homes={"a": "h", "b": "h", "c": "other"},
    )
    visits = plan.visits.set_index("person_id")

    assert visits.loc["b", "position"] == visits.loc["a", "position"] + 1
    assert visits.loc["b", "travel_minutes"] == 0
    assert visits.loc["b", "minutes"] == PROGRAMME.planning.further_person_minutes
    assert visits.loc["c", "minutes"] == PROGRAMME.planning.visit_minutes
    assert visits.loc["b", "reason"].endswith("Seen with others at the same home.")
    assert plan.summary["n_homes"] == 2


def test_workers_who_have_not_begun_or_have_left_get_no_list() -> None:
    plan = planned(
        {"a": ("routine", 0)},
        workers=[
            {"id": "new", "started_on": DAY + pd.Timedelta(days=1)},
            {"id": "old", "ended_on": DAY - pd.Timedelta(days=1)},
        ],
    )

    assert len(plan.visits) == 0
    assert plan.unvisited["reason"].tolist() == ["No worker is at work."]
    assert plan.notes[0].startswith("No worker is at work that day")


def test_without_workers_some_are_assumed_and_it_is_said() -> None:
    plan = planned({"a": ("emergency", 0)}, workers=[])

    assert len(plan.visits) == 1
    assert plan.notes[0].startswith("The data name no worker; 1 assumed")


def test_only_the_workers_asked_for_are_planned() -> None:
    workers = [{"id": "w1"}, {"id": "w2"}]
    advice: Advice = {f"p{i}": ("routine", 0) for i in range(4)}
    both = planned(advice, workers=workers)
    one = planned(advice, workers=workers, worker_ids=["w2"])

    assert set(one.visits["worker_id"]) == {"w2"}
    expected = visit_list(both, worker_id="w2", on=DAY)
    pd.testing.assert_frame_equal(visit_list(one, worker_id="w2", on=DAY), expected)


def test_homes_without_a_position_are_counted_and_the_default_walk_is_used() -> None:
    plan = planned({"a": ("routine", 0), "b": ("routine", 0)})

    assert "2 of 2 homes have no position; 8 minutes are assumed for each walk." in plan.notes
    assert set(plan.visits["travel_minutes"]) == {PROGRAMME.planning.default_travel_minutes}


def test_advice_for_someone_who_is_not_there_is_refused() -> None:
    plan = planned({"a": ("routine", 0)})
    stranger = plan.visits.rename(columns={"reason": "action"}).assign(
        person_id="ghost", rank=1, due_on=DAY
    )

    with pytest.raises(ValueError, match="not in the features"):
        plan_day(
            Situation(
                conform(RECOMMENDATIONS, stranger),
                empty_table(RISKS),
                features=Features(pd.DataFrame(index=pd.Index(["a"], dtype="str")), (), DAY),
                people=table("people", [{"id": "a", "sex": "male"}]),
                households=table("households", []),
                areas=table("areas", []),
                workers=table("workers", []),
            ),
            programme=PROGRAMME,
            visit_on=DAY,
        )


def test_a_list_of_another_day_is_not_this_plan() -> None:
    plan = planned({"a": ("routine", 0)})

    with pytest.raises(KeyError):
        visit_list(plan, worker_id="w1", on=DAY + pd.Timedelta(days=1))


@pytest.mark.parametrize("urgency", URGENCIES)
def test_every_urgency_can_be_planned(urgency: str) -> None:
    plan = planned({"a": (urgency, 0)})

    assert plan.visits["urgency"].tolist() == [urgency]


def test_a_simulated_day_is_as_declared_and_everybody_is_on_one_side(small_register) -> None:  # type: ignore[no-untyped-def]
    as_of = small_register.visits["visited_on"].max()
    features = build_features(small_register, as_of=as_of)
    known = as_known_on(small_register, as_of)
    advice = recommend(features, empty_table(RISKS), programme=PROGRAMME, as_of=as_of)
    tables = {
        "people": known.people,
        "households": known.households,
        "areas": known.areas,
        "workers": known.workers,
    }
    on = as_of + pd.Timedelta(days=1)

    situation = Situation(advice, empty_table(RISKS), features=features, **tables)
    plan = plan_day(situation, programme=PROGRAMME, visit_on=on)

    check_table(PLANNED_VISITS, plan.visits)
    check_table(UNVISITED, plan.unvisited)
    everyone = pd.concat([plan.visits["person_id"], plan.unvisited["person_id"]])
    assert everyone.is_unique
    assert set(everyone) == set(advice["person_id"])
    musts = advice.loc[advice["urgency"].isin(["emergency", "same_day"]), "person_id"]
    assert set(musts) <= set(plan.visits["person_id"])
    spent = plan.visits["minutes"] + plan.visits["travel_minutes"]
    assert spent.sum() == pytest.approx(plan.summary["minutes_used"], abs=0.1)
    assert plan.summary["benefit"] <= plan.summary["benefit_bound"] + 1e-9

    shuffled = {name: t.sample(frac=1, random_state=1) for name, t in tables.items()}
    again = plan_day(
        replace(situation, recommendations=advice.sample(frac=1, random_state=2), **shuffled),
        programme=PROGRAMME,
        visit_on=on,
    )
    pd.testing.assert_frame_equal(plan.visits, again.visits)


def asked(person: str, urgency: str, *, first: int, last: int) -> dict[str, Any]:
    """One follow-up whose window is given in days from the day planned."""
    return {
        "person_id": person,
        "due_from": DAY + pd.Timedelta(days=first),
        "due_by": DAY + pd.Timedelta(days=last),
        "urgency": urgency,
        "reason_key": "no_answer",
    }


@pytest.mark.parametrize(
    ("urgency", "first", "last", "is_must"),
    [
        ("emergency", 0, 0, True),
        ("same_day", -1, 3, True),
        ("within_days", -1, 3, False),
        ("within_days", -3, 0, True),  # the last day of its window
        ("routine", -9, -2, True),  # past it
        ("emergency", 1, 3, False),  # not yet
    ],
)
def test_a_follow_up_is_a_must_visit_when_it_cannot_wait(
    urgency: str, first: int, last: int, *, is_must: bool
) -> None:
    plan = planned(
        {"a": ("routine", 30), "b": ("routine", 0)},
        follow_ups=pd.DataFrame([asked("a", urgency, first=first, last=last)]),
    )
    visits = plan.visits.set_index("person_id")

    assert visits["is_must"].to_dict() == {"a": is_must, "b": False}
    if first <= 0:
        assert visits.loc["a", "reason"].startswith("A visit was asked for: no answer.")


def test_an_open_follow_up_goes_before_all_that_can_wait() -> None:
    plan = planned(
        {"a": ("within_days", -300), "b": ("routine", 30)},
        workers=[{"id": "w1", "capacity_minutes": 45.0}],
        follow_ups=pd.DataFrame([asked("b", "within_days", first=0, last=4)]),
    )

    assert plan.visits["person_id"].tolist() == ["b"]


def test_somebody_without_advice_is_visited_because_of_a_follow_up() -> None:
    plan = planned(
        {"a": ("routine", 0)},
        others=("b",),
        follow_ups=pd.DataFrame(
            [asked("b", "same_day", first=0, last=0) | {"reason": "She did not come."}]
        ),
    )

    assert plan.visits["person_id"].tolist() == ["b", "a"]
    assert plan.visits["reason"].tolist()[0] == "She did not come."


def test_a_follow_up_of_somebody_who_is_gone_is_told() -> None:
    plan = planned(
        {"a": ("routine", 0)},
        follow_ups=pd.DataFrame([asked("ghost", "same_day", first=0, last=0)]),
    )

    assert plan.visits["person_id"].tolist() == ["a"]
    assert any(note.startswith("1 follow-up names somebody who died") for note in plan.notes)


def test_planned_caseloads_say_whose_home_it_is() -> None:
    plan = planned(
        {"a": ("routine", 0), "b": ("routine", 0)},
        workers=[{"id": "w1"}, {"id": "w2"}],
        caseloads=pd.Series({"a": "w2", "b": "w9"}),  # w9 is not at work
    )
    worker = plan.visits.set_index("person_id")["worker_id"]

    assert worker["a"] == "w2"
    assert worker["b"] in ("w1", "w2")
