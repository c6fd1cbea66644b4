"""`chw demo`: the whole way once, from records to a page, with an account of what was done."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chw_tools.cli.options import AsOf, Mapping, day
from chw_tools.cli.world import World, progress_bar, say, say_notes
from chw_tools.errors import InputError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from datetime import date

    from chw_tools.wiring import Parts

#: Enough people for ten workers and for a model with honest intervals, and soon done.
_PEOPLE = 6500
_SEED = 1
#: What is said of models about data that were brought, by whether they tell of simulated people.
_WHOSE_MODEL = {
    False: "A model trained on simulated people never scores these; "
    "one trained on them may (chw train).",
    True: "These records say that their people are simulated: "
    "a model trained on simulated people may score them.",
}


def add_to(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(
        epilog="Examples: chw demo · chw demo --data FOLDER · chw demo --data survey.csv "
        "--mapping survey.toml --as-of 2024-06-30"
    )(demo)


def demo(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option("--data", help="Your own folder, file or archive of records.")
    ] = None,
    mapping: Mapping = None,
    as_of: AsOf = None,
    people: Annotated[int, typer.Option(min=300, help="How many people to simulate.")] = _PEOPLE,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes any free one.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget an earlier demo first.")] = False,
    serve: Annotated[bool, typer.Option(help="End with the page being served.")] = True,
) -> None:
    """From records to today's visit list in one go, ending with the page.

    Without --data a district is simulated. With --data your records are read; a model
    trained on simulated people never scores them. The two never share a store.
    """
    world = _own_world(context.obj, data, fresh=fresh)
    if serve:
        _check_port(world, port)
    with world.parts() as parts:
        account = _Account()
        tracking = None
        if data is None:
            tracking = _simulated(parts, account, people, world)
        else:
            _own_data(parts, account, data, mapping)
        _planned(parts, account, day(as_of))
        if parts.store.population == "simulated":
            # What is owed to real people is set going by those who run the programme.
            _followed_up(parts, account, day(as_of))
        _say_tracked(parts, tracking)
        say_notes(parts.store.notes)
        say(f"\nThe store: {world.settings.shown()['CHW_DATABASE_URL']}")
        say(f"To go on by hand: export CHW_HOME={world.settings.home}   then: chw --help")
        if serve:
            _serve(parts, port)


def _check_port(world: World, port: int | None) -> None:
    """Refuse a port that is taken before a minute is spent on what it is to show."""
    from chw_tools.api.serving import listen

    listen(world.settings.host, world.settings.port if port is None else port).close()


@dataclass
class _Account:
    """What was done, with figures, one line each, as it happens."""

    began: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, doing: str) -> Iterator[list[str]]:
        say(f"{doing} …")
        began, told = time.monotonic(), list[str]()
        yield told
        seconds = time.monotonic() - began
        for line in told[:-1]:
            say(f"    {line}")
        say(f"    {told[-1] if told else 'done'}  ({seconds:.1f} s)")


def _own_world(world: World, data: Path | None, *, fresh: bool) -> World:
    # Simulated people and each set of real ones have a home of their own.
    import shutil

    if data is not None and not data.exists():
        raise InputError("There is nothing of that name.", where=str(data), cure="Check the path.")
    name = "simulated" if data is None else _name_of(data)
    home = world.settings.home / "demo" / name
    if fresh and home.exists():
        shutil.rmtree(home)
    environ = {k: v for k, v in world.environ.items() if k != "CHW_DATABASE_URL"}
    return World({**environ, "CHW_HOME": str(home)})


def _name_of(data: Path) -> str:
    # Two places may hold a folder of one name, and their people must not meet.
    from hashlib import sha256

    place = data.resolve()
    return f"data-{place.name.split('.')[0]}-{sha256(str(place).encode()).hexdigest()[:6]}"


def _simulated(
    parts: Parts, account: _Account, people: int, world: World
) -> subprocess.Popen[bytes] | None:
    from chw_tools.testing import write_programme

    if parts.store.population is not None:
        say("Simulated people are here from an earlier demo (begin anew: chw demo --fresh).")
        return None
    folder = parts.settings.home / "district"
    with account.step(f"Simulating a district of about {people:,} people") as told:
        with progress_bar() as progress:
            counts = write_programme(folder, people=people, seed=_SEED, progress=progress)
        told.append(
            f"{counts['people']:,} people, {counts['workers']:,} workers, "
            f"{counts['visits']:,} visits, {counts['observations']:,} observations, "
            "messy as real registers are"
        )
    _ingest(parts, account, folder, None)
    _train(parts, account)
    return _track_beside(world)


def _track_beside(world: World) -> subprocess.Popen[bytes] | None:
    """Write the run to MLflow in a process of its own, whose import takes a second or two."""
    if not world.settings.tracking:
        return None
    import subprocess
    import sys

    mirror = "from chw_tools.cli.main import run; run()"
    return subprocess.Popen(  # noqa: S603 (our own words)
        [sys.executable, "-c", mirror, "models", "mirror"],
        env=dict(world.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _say_tracked(parts: Parts, tracking: subprocess.Popen[bytes] | None) -> None:
    if tracking is None:
        return
    if tracking.wait() == 0:
        say(f"The training run is in MLflow: {parts.settings.shown()['CHW_TRACKING_URI']}")
    else:
        say("The training run is not in MLflow; to see why: chw models mirror")


def _own_data(parts: Parts, account: _Account, data: Path, mapping: Path | None) -> None:
    _ingest(parts, account, data, mapping)
    say(_WHOSE_MODEL[parts.store.population == "simulated"])


def _ingest(parts: Parts, account: _Account, path: Path, mapping: Path | None) -> None:
    from chw_tools.exchange import load_mapping, open_intake
    from chw_tools.workflows.ingest import ingest_records

    with account.step(f"Reading {path}") as told:
        with progress_bar() as progress:
            report = ingest_records(
                records=open_intake(path, mapping=load_mapping(mapping) if mapping else None),
                store=parts.store,
                catalogue=parts.catalogue,
                today=parts.today,
                progress=progress,
            )
        place = parts.settings.home / "import_report.html"
        place.write_text(report.to_html(), encoding="utf-8")
        told.append(
            f"{report.n_trusted:,} rows can be trusted ({report.n_new:,} new); "
            f"{report.n_rejected:,} in quarantine, each with its reason; "
            f"files that could not be read: {len(report.file_faults)}"
        )
        told.append(f"The import report: {place}")


def _train(parts: Parts, account: _Account) -> None:
    from datetime import UTC, datetime

    from chw_tools.cli.models import ADMISSION, code_version
    from chw_tools.programme import load_outcomes
    from chw_tools.workflows.train import train_model

    with account.step("Training a model of hospital admission within 180 days") as told:
        judged = train_model(
            register=parts.store.load_register(),
            population="simulated",
            source="simulated programme",
            definition=load_outcomes()[ADMISSION],
            recipe="additive",
            seed=_SEED,
            models=parts.models,
            keep_report=parts.keep_report,
            created_at=datetime.now(UTC),
            code_version=code_version(),
        )
        told.extend(judged.headline())
        told.append(f"The report: {judged.report / 'report.html'}")


def _planned(parts: Parts, account: _Account, as_of: date | None) -> None:
    from chw_tools.workflows.plan import plan_visits

    with account.step("Estimating risk, deciding what to do, planning the day") as told:
        result = plan_visits(
            store=parts.store, models=parts.models, programme=parts.programme, as_of=as_of
        )
        visits, advice = result.plan.visits, result.assessment.recommendations
        told.append(
            f"{len(advice):,} things to do for {advice['person_id'].nunique():,} people "
            f"as of {result.as_of:%d %B %Y}"
        )
        urgent = int(visits["urgency"].isin(("emergency", "same_day")).sum())
        lists = visits["worker_id"].nunique()
        told.append(
            f"{len(visits):,} people on {lists:,} {'list' if lists == 1 else 'lists'} for "
            f"{result.visit_on:%A %d %B %Y}, {urgent:,} of them urgent; "
            f"{len(result.plan.unvisited):,} wait or are due later, each with the reason"
        )
    say_notes(result.notes)


def _followed_up(parts: Parts, account: _Account, as_of: date | None) -> None:
    from chw_tools.cli.monitoring import run_monitor

    with account.step("Looking who is overdue, worse or silent") as told:
        found = run_monitor(parts, as_of)
        told.append(
            f"{found.n_open:,} follow-ups open; new: {found.n_planned:,} messages planned, "
            f"{sum(found.tasks.values()):,} calls and visits asked for; "
            "nothing is sent (chw worker)"
        )


def _serve(parts: Parts, port: int | None) -> None:
    from chw_tools.api.serving import serve as listen

    listen(
        parts,
        host=parts.settings.host,
        port=parts.settings.port if port is None else port,
        ready=lambda address: say(f"\nOpen {address} in a browser. Ctrl-C stops."),
    )
