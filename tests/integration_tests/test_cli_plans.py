"""Plans of more than a day by command: a week, its files, what would be if, and replays."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from chw_tools.api.schemas import run_shown
from chw_tools.cli.main import main
from chw_tools.errors import Conflict, InputError
from chw_tools.outreach.advancing import Move
from chw_tools.outreach.tasks import new_tasks
from chw_tools.settings import read_settings
from chw_tools.web.acts import Acts
from chw_tools.web.rendering import Pages
from chw_tools.wiring import build_parts
from chw_tools.workflows import planning, week
from chw_tools.workflows.planning import PlanningAsked, run_planning

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 4, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("home")
    environ = {"CHW_HOME": str(home / "chw")}
    assert main(["simulate", str(home / "data"), "--people", "250", "--seed", "5"], environ) == 0
    assert main(["ingest", str(home / "data")], environ) == 0
    return {**environ, "DATA": str(home / "data")}


def answer(world: dict[str, str], capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    capsys.readouterr()
    assert main([*words, "--json"], world) == 0
    return json.loads(capsys.readouterr().out)


def test_a_week_is_planned_and_written(
    world: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "week"
    made = answer(
        world, capsys, "plan", "week", "--time-limit", "1", "--folder", str(folder), "--days", "3"
    )

    assert made["week_from"] == "2026-01-05"
    assert len(pd.read_csv(folder / "visits.csv")) == len(made["visits"]) > 0
    assert made["summary"]["n_visits"] == len(made["visits"])
    assert {v["visit_on"] for v in made["visits"]} <= {"2026-01-05", "2026-01-06", "2026-01-07"}
    first = pd.read_csv(folder / "visits.csv")["person"].iloc[0]
    assert first == made["visits"][0]["person_id"]


def test_a_week_is_told_in_words_with_names_where_asked(
    world: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["plan", "week", "--time-limit", "1", "--folder", str(tmp_path), "--names"]
    assert main([*words, "--floor", "sex:female:2", "--risk-floor", "0.2"], world) == 0
    said = capsys.readouterr().out

    assert "Who waits, and why" in said
    assert "Price of each floor" in said
    assert " " in pd.read_csv(tmp_path / "visits.csv")["person"].iloc[0]


def test_whoever_cannot_wait_and_is_not_in_is_told_first(
    world: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(**asked: Any) -> week.WeekResult:
        made = planned(**asked)
        told = {**made.plan.summary, "n_must_waiting": 3, "n_late": 2}
        return replace(made, plan=replace(made.plan, summary=told))

    planned = week.plan_week
    monkeypatch.setattr(week, "plan_week", lacking)
    assert main(["plan", "week", "--time-limit", "1"], world) == 0
    said = capsys.readouterr().out

    assert "NOT IN THE WEEK: 3 who cannot wait" in said
    assert "Late: 2 visits" in said


def test_a_week_in_which_nobody_is_at_work_is_said_and_not_kept(
    world: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    def n_kept() -> int:
        parts = build_parts(read_settings(world))
        try:
            return len(parts.store.find_runs(kind="week", limit=50))
        finally:
            parts.close()

    before = n_kept()
    assert main(["plan", "week", "--on", "1950-01-02", "--time-limit", "1"], world) != 0
    assert "no worker is at work on 1950-01-02" in capsys.readouterr().err
    assert n_kept() == before


def test_a_floor_that_is_none_is_explained(
    world: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "week", "--floor", "height:tall:3"], world) != 0
    assert "GROUP:NAME:N" in capsys.readouterr().err


def test_more_workers_would_reach_more_and_nothing_is_kept(
    world: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(world, capsys, "plan", "--what-if", "workers=+2")
    measures = {row["measure"]: row for row in found["measures"]}

    assert measures["n_workers"]["change"] == 2
    assert measures["n_visits"]["change"] > 0
    assert main(["visits", "list"], world) != 0
    assert main(["plan", "--what-if", "height=2"], world) != 0
    capsys.readouterr()
    assert main(["plan", "--what-if", "visit_minutes=20"], world) == 0
    assert "nothing was kept" in capsys.readouterr().out


@pytest.mark.parametrize("with_truth", [True, False])
def test_months_are_replayed_with_and_without_the_truth(
    world: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path, with_truth: bool
) -> None:
    words = ["replay", "--from", "2025-09-01", "--to", "2025-11-01", "--policy", "risk"]
    words += ["--picture", str(tmp_path / "rules.svg"), "--policy", "overdue"]
    words += ["--truth", world["DATA"]] if with_truth else []
    found = answer(world, capsys, *words)

    assert [row["policy"] for row in found["policies"]] == ["risk", "overdue"]
    assert all((row["averted"] is not None) == with_truth for row in found["policies"])
    assert ("selective labels" in found["notes"][0]) != with_truth
    assert (tmp_path / "rules.svg").read_text().lstrip().startswith("<?xml")
    assert main(words, world) == 0
    assert ("not known" in capsys.readouterr().out) != with_truth


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "2025-09-01", "--to", "2025-09-03"], "no period"),
        (["--from", "2025-01-01", "--to", "2025-12-01", "--policy", "guess"], "no such policy"),
        (["--from", "2025-01-01", "--to", "2025-12-01", "--truth", "."], "no true risks"),
    ],
)
def test_a_replay_that_cannot_be_is_explained(
    world: dict[str, str], capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["replay", *words], world) != 0
    assert said in capsys.readouterr().err


def test_a_district_is_planned_in_one_run_and_kept_where_asked(
    world: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["plan", "district", "--time-limit", "8", "--folder", str(tmp_path / "week")]
    made = answer(world, capsys, *words, "--keep")

    assert set(made["runs"]) == {"posts", "caseloads", "week", "supplies", "district"}
    assert {load["worker_id"] for load in made["caseloads"]} != {None}
    assert made["posts"]
    assert made["orders"]
    assert len(pd.read_csv(tmp_path / "week" / "visits.csv")) == made["week"]["n_visits"] > 0
    assert set(made["seconds"]) == {
        "register",
        "needs",
        "posts",
        "caseloads",
        "week",
        "supplies",
    }

    # Days and weeks go by the kept caseloads from now on.
    of_home = {load["home"]: load["worker_id"] for load in made["caseloads"]}
    day = answer(world, capsys, "plan")
    known = [v for v in day["visits"] if v["household_id"] in of_home]
    assert known
    assert all(v["worker_id"] == of_home[v["household_id"]] for v in known)


@pytest.mark.parametrize(
    "asked",
    [
        PlanningAsked("needs"),
        PlanningAsked("posts", seconds=2.0, curve=(3,)),
        PlanningAsked("caseloads", seconds=5.0, in_force=True),
        PlanningAsked("supplies"),
        PlanningAsked("week", seconds=1.0, days=2),
        PlanningAsked("what_if", changes=("workers=+1",)),
        PlanningAsked("replay", on=date(2025, 10, 1), until=date(2025, 12, 1), policies=("risk",)),
    ],
    ids=lambda asked: asked.kind,
)
def test_every_kind_of_plan_is_made_and_kept(world: dict[str, str], asked: PlanningAsked) -> None:
    told = []
    parts = build_parts(read_settings(world))
    try:
        run_id = run_planning(
            asked,
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            progress=lambda what, done, total: told.append((what, done, total)),
        )
        kept = parts.store.load_run(run_id)
    finally:
        parts.close()

    assert kept is not None
    assert kept.kind == asked.kind
    assert kept.summary
    shown = run_shown(kept).model_dump_json()
    assert asked.kind in shown
    if asked.kind in ("week", "replay"):
        assert told[-1][1] == told[-1][2]


def test_a_week_over_http_holds_the_visits_that_follow_ups_ask_for(world: dict[str, str]) -> None:
    parts = build_parts(read_settings(world))
    try:
        acts = Acts(parts)
        people = parts.store.load_register().people
        person = people.loc[people["died_on"].isna() & people["moved_on"].isna(), "id"].iloc[-1]
        asked = {
            "dedupe_key": "a visit",
            "person_id": person,
            "kind": "visit",
            "urgency": "within_days",
            "reason": "no_answers",
            "due_on": pd.Timestamp("2026-01-06"),
        }
        acts.cases.add("tasks", new_tasks([asked], now=NOW))
        run_id = acts.run_planning(PlanningAsked("week", seconds=1.0, days=2), lambda *_: None)
        visits = parts.store.load_run(run_id).tables["week_visits"].set_index("person_id")
        (task,) = acts.cases.tasks(kinds=["visit"]).itertuples()
        acts.cases.move_tasks([Move(task.id, task.state, "cancelled", "test")], now=NOW)
    finally:
        parts.close()

    assert visits.loc[person, "because"] == "required"


def test_a_draft_of_caseloads_is_in_force_nowhere(world: dict[str, str]) -> None:
    parts = build_parts(read_settings(world))
    try:
        before = parts.store.load_caseloads()
        run_id = run_planning(
            PlanningAsked("caseloads"),
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            progress=lambda what, done, total: None,
        )
        kept, after = parts.store.load_run(run_id), parts.store.load_caseloads()
    finally:
        parts.close()

    assert kept is not None
    assert kept.kind == "caseloads_draft"
    assert len(kept.tables["caseloads"])
    assert (before is None) == (after is None)


def test_a_district_is_told_in_words(
    world: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "district", "--time-limit", "8"], world) == 0
    said = capsys.readouterr().out

    for part in ("Posts", "Caseloads", "Week from", "Supplies", "Nothing was kept"):
        assert part in said


def test_the_rest_of_a_day_keeps_what_is_done_and_loses_nobody_urgent(
    world: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    day = answer(world, capsys, "plan", "--on", "2026-01-09")
    first = min(day["visits"], key=lambda visit: visit["position"])
    worker = first["worker_id"]
    words = ["visits", "record", first["person_id"], "--on", "2026-01-09", "--no-danger-sign"]
    assert main([*words, "--worker", worker], world) == 0
    words = ["plan", "rest-of-day", "--on", "2026-01-09", "--worker", worker]
    rest = answer(world, capsys, *words, "--at", "12:30")

    listed = {v["person_id"]: v for v in day["visits"] if v["worker_id"] == worker}
    after = {v["person_id"]: v for v in rest["visits"]}
    assert after[first["person_id"]] == first
    assert rest["n_done"] == 1
    assert {key for key, v in listed.items() if v["is_must"]} <= set(after)
    assert set(listed) == set(after) | {w["person_id"] for w in rest["waiting"]}
    shown = answer(world, capsys, "visits", "list", "--on", "2026-01-09", "--worker", worker)
    assert [s["person_id"] for s in shown["stops"]] == [v["person_id"] for v in rest["visits"]]
    waits = {w["person_id"] for w in shown["waiting"]}
    assert {w["person_id"] for w in rest["waiting"] if w["due_on"] <= "2026-01-09"} <= waits

    assert main([*words, "--at", "13:00", "--ill"], world) == 0
    said = capsys.readouterr().out
    assert "1 done" in said
    assert "The worker fell out. Nobody else is at work today." in " ".join(
        said.replace("│", " ").split()
    )
    assert main([*words, "--at", "13:00", "--ill"], world) != 0
    assert "Nothing is left" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plan", "rest-of-day", "--worker", "Nobody", "--at", "9:00"], "no such worker"),
        (["visits", "list", "--worker", "Nobody"], "no such worker"),
        (["calls", "--worker", "Nobody"], "no such worker"),
        (["plan", "caseloads", "--absent", "Nobody"], "no such worker"),
        (["plan", "week", "--floor", "area_id:Nowhere:3"], "no such area"),
    ],
)
def test_names_that_are_not_there_are_refused(
    world: dict[str, str], capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(words, world) != 0
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["week", "district", "caseloads"])
def test_where_nobody_is_at_work_nothing_is_kept_over_http(
    world: dict[str, str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = SimpleNamespace(
        plan=SimpleNamespace(summary={"n_workers": 0}), week_from=date(1995, 1, 2)
    )
    # What a district plans before its week takes long, and is kept with it or not at all.
    monkeypatch.setattr(planning, "plan_district", lambda **_: SimpleNamespace(week=nobody))
    parts = build_parts(read_settings(world))
    try:
        acts = Acts(parts)
        before = [run.id for run in acts.find_runs(limit=100)]
        when = {"as_of": date(1995, 1, 1)} if kind == "caseloads" else {"on": date(1995, 1, 2)}
        with pytest.raises(InputError, match="no worker is at work"):
            acts.run_planning(PlanningAsked(kind, seconds=5.0, **when), lambda *_: None)
        assert [run.id for run in acts.find_runs(limit=100)] == before
    finally:
        parts.close()


def test_kept_plans_are_read_in_words_with_names_and_files(world: dict[str, str]) -> None:
    parts = build_parts(read_settings(world))
    try:
        acts = Acts(parts)
        floors = ("wealth_fifth:1:2",)
        given = {"seconds": 5.0, "days": 2, "floors": floors, "risk_floor": 0.01}
        acts.run_planning(PlanningAsked("district", **given), lambda *_: None)
        names = acts.workers()
        views = [acts.show_planning(run_id=run.id) for run in acts.find_runs(limit=100)]
        kinds = {view.kind for view in views}
        assert {"week", "district", "caseloads_draft", "posts", "supplies"} <= kinds
        for view in views:
            page = Pages().show("plan.html", view=view, notice="", population=view.population)
            text = bytes(page.body).decode()
            said = text.replace(view.run_id, "")
            assert not any(f">{key}<" in said or f" {key}" in said for key in names)
        week = next(view for view in views if view.kind == "week" and len(view.tables[2].rows))
        kept = acts.load_week(run_id=week.run_id)
        assert sum(row["n_visits"] for row in week.workers) == len(kept.visits)
        assert kept.visits["latitude"].notna().any()
        tables = {table.key: table for table in week.tables}
        assert sum(int(row[1].replace(",", "")) for row in tables["groups"].rows) > 0
        assert tables["prices"].rows[0][0].startswith("wealth_fifth 1")
        people = {row.person_id for row in (*week.waiting, *week.displaced)}
        assert people <= set(kept.waiting["person_id"])

        draft = next(view for view in views if view.kind == "caseloads_draft")
        assert draft.can_be_put_in_force
        run_id = acts.put_in_force(run_id=draft.run_id)
        assert parts.store.load_caseloads() is not None
        assert acts.show_planning(run_id=run_id).is_in_force
        with pytest.raises(Conflict, match="in force already"):
            acts.put_in_force(run_id=run_id)
        with pytest.raises(Conflict, match="holds no caseloads"):
            acts.put_in_force(run_id=week.run_id)
    finally:
        parts.close()
