"""Commands around follow-up: monitor, calls, experiments."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chw_tools.cli.options import AsOf, Json, Limit, day
from chw_tools.cli.world import World, say, say_json, say_notes, say_table
from chw_tools.errors import InputError

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from chw_tools.outreach.experiment_results import Comparison, Interval
    from chw_tools.wiring import Parts
    from chw_tools.workflows.calls import CallsView
    from chw_tools.workflows.experiments import ExperimentView
    from chw_tools.workflows.monitor import Monitored

calls = typer.Typer(
    invoke_without_command=True,
    epilog="Examples: chw calls · chw calls --worker KEY · chw calls --csv calls.csv",
)
experiments = typer.Typer(
    help="Experiments on how people are reached: declare, show, read.", no_args_is_help=True
)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("monitor", epilog="Examples: chw monitor · chw monitor --as-of 2025-06-30 --json")(
        monitor_people
    )
    app.add_typer(calls, name="calls")
    app.add_typer(experiments, name="experiments")


def run_monitor(parts: Parts, as_of: date | None = None, now: datetime | None = None) -> Monitored:
    """The day's run over the parts, as the command and the worker make it."""
    from chw_tools.wiring import build_cases, build_outbox
    from chw_tools.workflows.monitor import monitor

    return monitor(
        store=parts.store,
        models=parts.models,
        programme=parts.programme,
        templates=parts.templates.templates,
        cases=build_cases(parts, by="monitor"),
        outbox=build_outbox(parts, by="monitor"),
        now=now or parts.clock(as_of)(),
        as_of=as_of,
    )


def asked_of(parts: Parts) -> pd.DataFrame:
    """Visits that follow-ups ask for, as the planner takes them."""
    from chw_tools.wiring import build_cases
    from chw_tools.workflows.calls import asked_visits

    return asked_visits(cases=build_cases(parts, by="plan"), programme=parts.programme)


def monitor_people(context: typer.Context, as_of: AsOf = None, json: Json = False) -> None:
    """Find who must be followed up, and set going what follows; twice is as once.

    Whoever worsened, was missed or fell silent gets a follow-up; it ends by what is recorded.
    Messages are planned, calls and visits asked for; nothing is sent here (chw worker).
    """
    world: World = context.obj
    with world.parts() as parts:
        found = run_monitor(parts, day(as_of))
    if json:
        say_json(found)
        return
    say(f"As of {found.as_of}: {found.n_found:,} findings stand, {found.n_open:,} follow-ups open.")
    for title, counts in (
        ("New follow-ups", found.raised),
        ("Closed", found.closed),
        ("Enrolments", found.moved),
        ("New tasks", found.tasks),
    ):
        if counts:
            say_table(title, ["", "People"], [(_words(k), f"{n:,}") for k, n in counts.items()])
    say(f"Messages planned: {found.n_planned:,}; taken out: {found.n_cancelled:,}.")
    if found.is_nothing:
        say("Nothing new since the last run.")
    say_notes(found.notes)
    say("Next: chw calls · chw plan (visits asked for are in it)")


@calls.callback()
def list_calls(
    context: typer.Context,
    worker: Annotated[
        str | None, typer.Option(help="Key, name or code of a worker: only that one's.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the whole list to this file.")] = None,
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="Day of the calls; by default today."),
    ] = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Whom to call, in order of need: urgency, risk, days waiting.

    With `record` what a call came to is kept.
    """
    if context.invoked_subcommand is not None:
        return
    from chw_tools.wiring import build_cases
    from chw_tools.workflows.calls import show_calls
    from chw_tools.workflows.known_names import find_worker

    world: World = context.obj
    with world.parts() as parts:
        view = show_calls(
            store=parts.store,
            cases=build_cases(parts, by="cli"),
            programme=parts.programme,
            today=day(on) or parts.clock()().date(),
            worker_id=find_worker(parts.store, worker, where="--worker"),
        )
    if csv is not None:
        _write_calls(view, csv)
    if json:
        say_json(view)
        return
    rows = [
        (r.position, _words(r.urgency), r.name, r.phone, r.reason, r.waiting_days, r.task_id)
        for r in view.rows[:limit]
    ]
    title = f"Calls on {view.today}: {len(view.rows):,} ({view.n_snoozed:,} put off)"
    say_table(title, ["", "How soon", "Who", "Number", "Why", "Days", "Key"], rows)
    if csv is not None:
        say(f"{csv} holds names and numbers: keep it safe, and delete it when the calls are made.")
    say("Next: chw calls record KEY OUTCOME")


@calls.command(
    epilog="Example: chw calls record 018bcfe5-6800-7cc0-8b4f-000000000001 not_reachable"
)
def record(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="Key of the task; `chw calls` gives it.")],
    outcome: Annotated[
        str,
        typer.Argument(
            help="agreed, call_later, not_reachable, visited_elsewhere, moved, refused, died, "
            "wrong_number."
        ),
    ],
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="Day of the call; by default today."),
    ] = None,
) -> None:
    """Keep what a call came to, and all that follows."""
    from chw_tools.wiring import build_cases, build_outbox
    from chw_tools.workflows.calls import record_outcome

    world: World = context.obj
    with world.parts() as parts:
        now = parts.clock()()
        record_outcome(
            store=parts.store,
            cases=build_cases(parts, by="cli"),
            outbox=build_outbox(parts, by="cli"),
            task_id=task,
            outcome=outcome,
            on=day(on) or now.date(),
            today=max(parts.today, now.date()),
            now=now,
            country=parts.programme.country,
        )
    say("Kept. Next: chw calls")


def _write_calls(view: CallsView, path: Path) -> None:
    import csv as lines

    from chw_tools.workflows.calls import CallRow

    names = [name for name in CallRow.__dataclass_fields__]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = lines.writer(file)
        writer.writerow(names)
        writer.writerows([_cell(getattr(row, name)) for name in names] for row in view.rows)
    path.chmod(0o600)


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; numbers keep their plus as text."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t"):
        return f"'{value}"
    return "" if value is None else value


@experiments.command(epilog="Example: chw experiments declare trial.toml")
def declare(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, help="TOML file with the declaration.")],
    json: Json = False,
) -> None:
    """Declare an experiment before it begins; afterwards it is never changed.

    One arm must be called holdout, with 5 % of people at least; only reminders may differ.
    """
    import secrets

    from chw_tools.wiring import build_cases
    from chw_tools.workflows.experiments import declare_experiment

    world: World = context.obj
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise InputError("cannot be read as TOML.", where=str(file)) from None
    with world.parts() as parts:
        found = declare_experiment(
            raw,
            cases=build_cases(parts, by="cli"),
            programme=parts.programme,
            salt=secrets.token_hex(16),
            now=parts.clock()(),
        )
    if json:
        say_json(found.declared())
        return
    arms = ", ".join(f"{arm.name} {arm.share:.0%}" for arm in found.arms)
    say(f"{found.name} is declared: {arms}; from {found.starts_on} on.")


@experiments.command(epilog="Examples: chw experiments show · chw experiments show NAME --json")
def show(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Only this one.")] = None,
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """Experiments with their counts, and what their design allows to be read now."""
    from chw_tools.wiring import build_cases
    from chw_tools.workflows.experiments import show_experiments

    world: World = context.obj
    with world.parts() as parts:
        views = show_experiments(
            store=parts.store,
            cases=build_cases(parts, by="cli"),
            programme=parts.programme,
            name=name,
            as_of=day(as_of),
        )
    _say_experiments(views, json)


@experiments.command(epilog="Example: chw experiments read NAME")
def read(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The experiment.")],
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """Read an experiment where its design allows it; from then on it exposes nobody."""
    from chw_tools.wiring import build_cases
    from chw_tools.workflows.experiments import read_experiment_once

    world: World = context.obj
    with world.parts() as parts:
        view = read_experiment_once(
            name,
            store=parts.store,
            cases=build_cases(parts, by="cli"),
            programme=parts.programme,
            now=parts.clock()(),
            as_of=day(as_of),
        )
    _say_experiments((view,), json)


def _say_experiments(views: tuple[ExperimentView, ...], json: bool) -> None:
    if json:
        say_json(views)
        return
    if not views:
        say("No experiment was declared. Next: chw experiments declare FILE")
    for view in views:
        trial, reading = view.experiment, view.reading
        say(f"{trial.name} ({view.state}): {trial.question}")
        # A fixed design is not looked at before its end: not even as counts.
        rows = [
            (a.arm, a.n_exposed, a.n_mature, a.events if reading.is_final else "not yet")
            for a in reading.arms
        ]
        say_table("", ["Arm", "Exposed", "Window over", "With the outcome"], rows)
        for title, found in (
            ("By intention to treat", reading.comparisons),
            (
                "Per protocol: those who got what their arm says; no longer alike",
                reading.per_protocol,
            ),
        ):
            if found:
                columns = ["Arm", "Against", "Risk ratio", "Difference", "p"]
                say_table(title, columns, [_comparison(one) for one in found])
        say(f"Note: {reading.note}")
        if view.population == "simulated":
            say("Note: simulated people prove the plumbing, not what helps.")


def _comparison(one: Comparison) -> tuple[str, ...]:
    p = "" if one.p is None else f"{one.p:.2g}"
    return one.arm, one.against, _interval(one.risk_ratio), _interval(one.difference, 100), p


def _interval(found: Interval | None, times: float = 1.0) -> str:
    if found is None:
        return "too few"
    low, high = (f"{value * times:.2f}" for value in (found.low, found.high))
    unit = " points" if times != 1.0 else ""
    return f"{found.value * times:.2f} ({low} to {high}){unit}"


def _words(name: str) -> str:
    return name.replace("_", " ")
