"""Commands around care: score, recommend, plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chw_tools.cli import district, planning, replays, rest_of_day
from chw_tools.cli import plans as more_plans
from chw_tools.cli.monitoring import asked_of
from chw_tools.cli.options import AsOf, Json, Limit, Output, PlannedDay, day
from chw_tools.cli.published import show_published
from chw_tools.cli.visits import visits
from chw_tools.cli.world import World, frame_rows, progress_bar, say, say_json, say_notes, say_table

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from chw_tools.programme import Programme
    from chw_tools.wiring import Parts
    from chw_tools.workflows.assess import Assessment

plans = typer.Typer(
    invoke_without_command=True,
    epilog="Examples: chw plan · chw plan --on 2026-01-05 · chw plan --what-if workers=+5",
)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(
        epilog="Examples: chw score · chw score --as-of 2025-06-30 --json · "
        "chw score --with framingham_bmi --with score2 --region low"
    )(score)
    app.command(
        epilog="Examples: chw recommend · chw recommend --person KEY · "
        "chw recommend --household KEY · chw recommend --language fr"
    )(recommend)
    planning.add_to(plans)
    more_plans.add_to(plans)
    district.add_to(plans)
    rest_of_day.add_to(plans)
    replays.add_to(app)
    app.add_typer(plans, name="plan")
    app.add_typer(visits, name="visits")


def score(
    context: typer.Context,
    as_of: AsOf = None,
    person: Annotated[list[str] | None, typer.Option(help="Only this person.")] = None,
    with_scores: Annotated[
        list[str] | None,
        typer.Option("--with", help="Only this published score (chw scores list); not kept."),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", help="With --with: the region a score is calibrated to."),
    ] = None,
    limit: Limit = 10,
    output: Output = None,
    json: Json = False,
) -> None:
    """Estimate risks with exact reasons, and keep them.

    Published scores run on everybody in their validity window. A trained model runs only
    on the population it was trained on: simulated people's models never score others.
    """
    world: World = context.obj
    if with_scores or region:
        with world.parts() as parts:
            show_published(
                parts, with_scores or [], region or [], day(as_of), person, limit, output, json
            )
        return
    from chw_tools.workflows.assess import score_people

    with world.parts() as parts:
        result = score_people(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            as_of=day(as_of),
            person_ids=person,
        )
    risks = result.shown_risks()
    _write(risks, output)
    if json:
        say_json({"as_of": result.as_of, "notes": result.notes, "risks": frame_rows(risks)})
        return
    say(f"Risks as of {result.as_of:%Y-%m-%d}")
    counts = result.risks.groupby(["outcome", "model", "state"]).size().reset_index(name="n")
    say_table("By outcome", ["Outcome", "Model", "State", "People"], counts.to_numpy().tolist())
    # Whose number is not shown still comes in the order of it.
    top = result.risks["risk"].dropna().sort_values(ascending=False).index
    rows = [
        (row.person_id, row.outcome, row.band, _number(row.risk), _first_reasons(row.reasons))
        for row in risks.loc[top].head(limit).itertuples()
    ]
    say_table(f"Highest {len(rows)}", ["Person", "Outcome", "Band", "Risk", "Reasons"], rows)
    say_notes(result.notes)


def recommend(
    context: typer.Context,
    as_of: AsOf = None,
    person: Annotated[list[str] | None, typer.Option(help="Only this person.")] = None,
    household: Annotated[str | None, typer.Option(help="Everybody of this household.")] = None,
    language: Annotated[
        str | None, typer.Option(help="Language of the advice: en, fr, sw, es (drafts).")
    ] = None,
    limit: Limit = 20,
    output: Output = None,
    json: Json = False,
) -> None:
    """What to do for each person: danger signs first, then guidelines, then risk.

    With --person also what is left for later, and what would change the risk, by trials.
    """
    world: World = context.obj
    from chw_tools.workflows.assess import recommend_actions

    with world.parts() as parts:
        programme = parts.programme
        if language is not None:
            programme = _in_language(programme, language)
        if household is not None:
            _say_household(parts, programme, household, day(as_of), json)
            return
        result = recommend_actions(
            store=parts.store,
            models=parts.models,
            programme=programme,
            as_of=day(as_of),
            person_ids=person,
        )
    _write(result.recommendations, output)
    if json:
        said = {"as_of": result.as_of, "notes": result.notes}
        said["recommendations"] = frame_rows(result.recommendations)
        if person:
            said["more"] = frame_rows(result.more())
            said["what_if"] = frame_rows(result.what_if())
        say_json(said)
        return
    _say_advice(result.recommendations, result.as_of, limit, alone=len(person or ()) == 1)
    if person:
        _say_more(result)
    say_notes(result.notes)


def _in_language(programme: Programme, language: str) -> Programme:
    """The programme telling its advice in another of its languages."""
    if language not in programme.translations:
        known = ", ".join(programme.translations)
        raise typer.BadParameter(
            f"the advice is not written in {language}; there are {known}", param_hint="--language"
        )
    return replace(programme, language=language)


def _say_advice(advice: pd.DataFrame, as_of: pd.Timestamp, limit: int, *, alone: bool) -> None:
    """What to do first; for all people also how often each rule speaks."""
    n = advice["person_id"].nunique()
    people = "1 person" if n == 1 else f"{n:,} people"
    say(f"Advice as of {as_of:%Y-%m-%d}: {len(advice):,} actions for {people}")
    if not alone:
        rows = _by_rule(advice).to_numpy().tolist()
        say_table("By rule", ["Urgency", "Rule", "People"], rows)
    columns = ["Person", "Urgency", "Action", "Reason", "Due"]
    columns = columns[alone:]  # whoever asked for one knows whom it is about
    first = [
        (r.person_id, r.urgency, r.action, r.reason, f"{r.due_on:%Y-%m-%d}")[alone:]
        for r in _urgent_first(advice).head(limit).itertuples()
    ]
    say_table("What to do" if alone else f"First {len(first)}", columns, first)


def _by_rule(advice: pd.DataFrame) -> pd.DataFrame:
    """How often each rule speaks, emergencies first; of one urgency the most frequent first."""
    counts = advice.groupby(["urgency", "rule_id"]).size().reset_index(name="n")
    counts = counts.assign(place=_places(counts))
    by = counts.sort_values(["place", "n"], ascending=[True, False], kind="stable")
    return by.drop(columns="place")


def _urgent_first(advice: pd.DataFrame) -> pd.DataFrame:
    """The same rows, emergencies first; of one urgency each person's in doing order."""
    by = ["place", "person_id", "rank"]
    return advice.assign(place=_places(advice)).sort_values(by, kind="stable").drop(columns="place")


def _places(advice: pd.DataFrame) -> pd.Series:
    """The place of each row's urgency, emergencies first."""
    from chw_tools.records.derived import URGENCY_LEVEL

    return advice["urgency"].astype("str").map(URGENCY_LEVEL)


def _say_more(result: Assessment) -> None:
    """What is left for later, and what would change the risk."""
    from chw_tools.workflows.wording import what_if_shown

    more = [
        (r.urgency, r.action, r.reason, f"{r.due_on:%Y-%m-%d}") for r in result.more().itertuples()
    ]
    if more:
        say_table("More", ["Urgency", "Action", "Reason", "Due"], more)
    changes = [
        (
            one.action,
            f"from {one.of_100_now} to {one.of_100_after} of 100",
            f"{one.of_100_low} to {one.of_100_high}",
            one.ask or one.who_acts,
            "read" if one.is_verified else "to be confirmed",
        )
        for one in what_if_shown(result.what_if(), result.effects)
    ]
    if changes:
        columns = ["Change", "Heart attack or stroke in 10 years", "Between", "First", "Source"]
        say_table("What would change this? An estimate, not a promise", columns, changes)


def _say_household(
    parts: Parts, programme: Programme, household_id: str, as_of: date | None, json: bool
) -> None:
    from chw_tools.workflows.show import show_household

    home = show_household(
        store=parts.store,
        models=parts.models,
        programme=programme,
        household_id=household_id,
        as_of=as_of,
    )
    if json:
        say_json(home)
        return
    for member in home.members:
        rows = [(a.urgency, a.action, a.reason, f"{a.due_on:%Y-%m-%d}") for a in member.advice]
        title = f"{member.name}, {member.sex}, {member.age}"
        say_table(title, ["Urgency", "Action", "Reason", "Due"], rows)
    if home.follow_up_on:
        say(f"One visit for all, by {home.follow_up_on:%Y-%m-%d}.")
    say_notes(home.notes)


@plans.callback()
def plan(
    context: typer.Context,
    as_of: AsOf = None,
    on: PlannedDay = None,
    output: Output = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(help="NAME=+N or NAME=N, such as workers=+5: what would be; not kept."),
    ] = None,
    json: Json = False,
) -> None:
    """Plan the day's visits for every worker, and say who waits and why."""
    if context.invoked_subcommand is not None:
        return
    world: World = context.obj
    if what_if:
        replays.say_what_if(world, what_if, as_of, on, json=json)
        return
    from chw_tools.workflows.plan import plan_visits

    with world.parts() as parts, progress_bar(json) as progress:
        progress("day planned", 0, None)
        result = plan_visits(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            as_of=day(as_of),
            visit_on=day(on),
            follow_ups=asked_of(parts),
        )
    _write(result.plan.visits, output)
    if json:
        say_json(
            {
                "as_of": result.as_of,
                "visit_on": result.visit_on,
                "summary": result.plan.summary,
                "notes": result.notes,
                "visits": frame_rows(result.plan.visits),
                "unvisited": frame_rows(result.plan.unvisited),
            }
        )
        return
    visits_planned, unvisited = result.plan.visits, result.plan.unvisited
    n_workers = visits_planned["worker_id"].nunique()
    workers = "1 worker" if n_workers == 1 else f"{n_workers:,} workers"
    say(
        f"Plan for {result.visit_on:%Y-%m-%d}, knowing what was known on {result.as_of:%Y-%m-%d}: "
        f"{len(visits_planned):,} visits by {workers}, "
        f"{len(unvisited):,} people wait or are due later"
    )
    urgency = visits_planned.groupby("urgency").size()
    say_table("Visits", ["Urgency", "People"], [(u, n) for u, n in urgency.items()])
    # The table holds each person's own day and place in line; here only the kind of reason.
    kind = unvisited["reason"].str.replace(
        r"(,? on \d{4}-\d\d-\d\d|; number \d+ in line)", "", regex=True
    )
    reasons = unvisited.groupby(kind).size().sort_values(ascending=False)
    say_table("Who waits, and why", ["Reason", "People"], [(r, n) for r, n in reasons.items()])
    say_notes(result.notes)
    say("Next: chw visits list · chw serve")


def _number(risk: float) -> str:
    return "" if risk != risk else f"{risk:.1%}"


def _first_reasons(reasons: Any) -> str:
    return "; ".join(f"{r['label']} {r['value']}" for r in list(reasons or [])[:3])


def _write(frame: Any, output: Path | None) -> None:
    if output is not None:
        frame.to_csv(output, index=False)
