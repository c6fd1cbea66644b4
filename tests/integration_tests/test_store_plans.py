"""Risks and plans: every run is kept, and the newest that concerns somebody is in force."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from chw_tools.records import DERIVED_TABLES, conform, new_id

if TYPE_CHECKING:
    from chw_tools.store import Store

ADA, BEN, EVE = (new_id() for _ in range(3))
MONDAY, TUESDAY = date(2024, 3, 4), date(2024, 3, 5)


def _risks(person: str, **given: Any) -> pd.DataFrame:
    row = {
        "person_id": person,
        "outcome": "diabetes",
        "as_of": pd.Timestamp("2024-03-01"),
        "state": "estimated",
        "risk": 0.2,
        "band": "high",
        "reasons": [{"feature": "age_years", "effect": np.float64(0.5), "value": 61}],
        "model": "m/1",
        "model_digest": "d",
        "inputs_digest": "i",
    }
    return conform(DERIVED_TABLES["risks"], pd.DataFrame([row | given]))


def _frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = DERIVED_TABLES[name]
    plain = {"text": "x", "number": 1.0, "integer": 1, "flag": True}
    plain["day"] = pd.Timestamp(MONDAY)
    base = {c.name: c.allowed[0] if c.allowed else plain.get(c.kind) for c in table.columns}
    return conform(table, pd.DataFrame([base | row for row in rows], columns=list(base)))


def _save(store: Store, visits: dict[str, str], unvisited: dict[str, str], **given: Any) -> str:
    """Save a plan of ``{person: worker}``, with one piece of advice for each person."""
    advised = [
        {"person_id": p, "action": given.get("action", "visit")} for p in (*visits, *unvisited)
    ]
    return store.save_plan(
        visits=_frame(
            "planned_visits",
            [
                {"person_id": p, "worker_id": w, "position": n + 1}
                for n, (p, w) in enumerate(visits.items())
            ],
        ),
        unvisited=_frame(
            "unvisited", [{"person_id": p, "worker_id": w} for p, w in unvisited.items()]
        ),
        recommendations=_frame("recommendations", advised),
        as_of=MONDAY,
        visit_on=given.get("visit_on", MONDAY),
        summary=given.get("summary", {}),
        worker_ids=given.get("worker_ids"),
    )


def test_a_risk_comes_back_as_it_was(any_store: Store) -> None:
    unknown = _risks(BEN, state="not_known", risk=np.nan, band=None, reasons=None, note="Measure.")
    given = pd.concat([_risks(ADA), unknown]).sort_values("person_id", ignore_index=True)
    assert any_store.save_risks(given) == 2
    back = any_store.load_risks()
    reasons = dict(zip(back["person_id"], back["reasons"], strict=True))
    assert reasons[BEN] is None
    assert reasons[ADA] == [{"feature": "age_years", "effect": 0.5, "value": 61}]
    pd.testing.assert_frame_equal(back.drop(columns="reasons"), given.drop(columns="reasons"))


def test_an_equal_risk_is_not_added_again(any_store: Store) -> None:
    assert [any_store.save_risks(_risks(ADA)) for _ in range(2)] == [1, 0]
    assert any_store.save_risks(_risks(ADA, risk=0.3)) == 1
    # Going back to the first model is news: it is what counts from now on.
    assert any_store.save_risks(_risks(ADA)) == 1
    assert any_store.load_risks()["risk"].tolist() == [0.2]
    assert any_store.load_risks(latest=False)["risk"].tolist() == [0.2, 0.3, 0.2]


def test_latest_means_the_latest_day_then_the_latest_save(any_store: Store) -> None:
    any_store.save_risks(_risks(ADA, as_of=pd.Timestamp("2024-04-01"), risk=0.4))
    any_store.save_risks(_risks(ADA, as_of=pd.Timestamp("2024-03-01"), risk=0.3))
    any_store.save_risks(_risks(ADA, outcome="death_5y", risk=0.1))
    any_store.save_risks(_risks(BEN, risk=0.9))
    assert any_store.load_risks(outcome="diabetes", person_ids=[ADA])["risk"].tolist() == [0.4]
    assert sorted(any_store.load_risks()["risk"]) == [0.1, 0.4, 0.9]


def test_no_plan_is_none(any_store: Store) -> None:
    assert any_store.load_plan() is None
    assert any_store.load_plan(visit_on=MONDAY) is None
    assert len(any_store.load_recommendations()) == 0


def test_a_plan_comes_back_in_walking_order(any_store: Store) -> None:
    run = _save(any_store, {ADA: "w1", BEN: "w1"}, {EVE: "w2"}, summary={"n": np.int64(2)})
    plan = any_store.load_plan(visit_on=MONDAY)
    assert any_store.load_plan(visit_on=MONDAY, advised=()).recommendations.empty
    some = plan.recommendations["person_id"].iloc[0]
    advice = any_store.load_plan(visit_on=MONDAY, advised=[some]).recommendations
    assert set(advice["person_id"]) == {some}
    assert plan is not None
    assert plan.visits["person_id"].tolist() == [ADA, BEN]
    assert plan.visits["position"].tolist() == [1, 2]
    assert plan.unvisited["person_id"].tolist() == [EVE]
    assert set(plan.recommendations["person_id"]) == {ADA, BEN, EVE}
    assert (plan.summary, plan.as_of, plan.visit_on) == ({"n": 2}, MONDAY, MONDAY)
    assert plan.run_ids == (run,)


def test_a_new_run_for_all_takes_the_place_of_the_old(any_store: Store) -> None:
    _save(any_store, {ADA: "w1", BEN: "w2"}, {})
    _save(any_store, {BEN: "w2"}, {}, action="weigh")
    plan = any_store.load_plan(visit_on=MONDAY)
    assert plan is not None
    assert plan.visits["person_id"].tolist() == [BEN]
    assert plan.recommendations["action"].tolist() == ["weigh"]
    assert any_store.load_recommendations()["person_id"].tolist() == [BEN]
    assert any_store.counts()["planned_visits"] == 3


def test_a_run_for_one_worker_leaves_the_others(any_store: Store) -> None:
    _save(any_store, {ADA: "w1", BEN: "w2"}, {EVE: "w1"})
    _save(any_store, {EVE: "w1"}, {}, worker_ids=["w1"], action="weigh")
    plan = any_store.load_plan(visit_on=MONDAY)
    assert plan is not None
    assert dict(zip(plan.visits["person_id"], plan.visits["worker_id"], strict=True)) == {
        BEN: "w2",
        EVE: "w1",
    }
    assert len(plan.unvisited) == 0
    actions = dict(
        zip(plan.recommendations["person_id"], plan.recommendations["action"], strict=True)
    )
    assert actions == {BEN: "visit", EVE: "weigh"}
    hers = any_store.load_plan(visit_on=MONDAY, worker_id="w1")
    assert hers is not None
    assert hers.visits["person_id"].tolist() == [EVE]
    assert hers.recommendations["person_id"].tolist() == [EVE]
    advice = any_store.load_recommendations(person_ids=[EVE])
    assert advice["action"].tolist() == ["weigh"]


def test_one_workers_tomorrow_leaves_the_advice_of_the_others(any_store: Store) -> None:
    _save(any_store, {ADA: "w1", BEN: "w2"}, {})
    _save(any_store, {ADA: "w1"}, {}, visit_on=TUESDAY, worker_ids=["w1"], action="weigh")
    advice = any_store.load_recommendations()
    assert dict(zip(advice["person_id"], advice["action"], strict=True)) == {
        ADA: "weigh",
        BEN: "visit",
    }


@pytest.mark.parametrize("visit_on", [None, TUESDAY])
def test_each_day_has_its_own_plan(any_store: Store, visit_on: date | None) -> None:
    _save(any_store, {ADA: "w1"}, {}, visit_on=TUESDAY)
    _save(any_store, {BEN: "w1"}, {}, visit_on=MONDAY)
    plan = any_store.load_plan(visit_on=visit_on)
    assert plan is not None
    assert plan.visits["person_id"].tolist() == [ADA]
    assert plan.visit_on == TUESDAY


def test_plans_of_more_than_a_day_are_kept_and_the_newest_caseloads_are_in_force(
    any_store: Store,
) -> None:
    homes = [new_id() for _ in range(3)]
    loads = [{"home": homes[0], "worker_id": "w1"}, {"home": homes[1], "worker_id": None}]
    first = any_store.save_run(
        "caseloads",
        tables={"caseloads": _frame("caseloads", loads)},
        as_of=MONDAY,
        summary={"gap": 0.5},
    )
    week = any_store.save_run(
        "week",
        tables={
            "week_visits": _frame("week_visits", [{"person_id": ADA, "worker_id": "w1"}]),
            "week_waiting": _frame("week_waiting", [{"person_id": BEN}]),
        },
        as_of=MONDAY,
        from_on=TUESDAY,
        summary={"n": 1},
    )

    assert [run.id for run in any_store.find_runs()] == [week, first]
    assert [run.id for run in any_store.find_runs(kind="caseloads")] == [first]
    kept = any_store.load_run(week)
    assert kept is not None
    assert (kept.kind, kept.as_of, kept.from_on, kept.summary) == (
        "week",
        MONDAY,
        TUESDAY,
        {"n": 1},
    )
    assert kept.tables["week_visits"]["person_id"].tolist() == [ADA]
    assert kept.tables["week_waiting"]["person_id"].tolist() == [BEN]
    assert any_store.load_run(new_id()) is None

    in_force = any_store.load_caseloads()
    assert in_force is not None
    assert in_force.to_dict() == {homes[0]: "w1"}
    moved = _frame("caseloads", [{"home": homes[0], "worker_id": "w2"}])
    any_store.save_run("caseloads", tables={"caseloads": moved}, as_of=TUESDAY, summary={})
    newest = any_store.load_caseloads()
    assert newest is not None
    assert newest.to_dict() == {homes[0]: "w2"}


def test_no_caseloads_were_ever_kept(any_store: Store) -> None:
    assert any_store.load_caseloads() is None
