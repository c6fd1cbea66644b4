"""Commands about models: train, evaluate, and the registry."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from chw_tools.cli.options import AsOf, Json, Mapping, day, timestamp
from chw_tools.cli.world import World, say, say_json, say_notes, say_table

if TYPE_CHECKING:
    from chw_tools.records import Register
    from chw_tools.wiring import Parts
    from chw_tools.workflows.train import Judged

models = typer.Typer(help="Models that were trained, and their approval.", no_args_is_help=True)

Outcome = Annotated[str, typer.Option("--outcome", help="What to foresee; `chw models outcomes`.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Use this file or folder instead of the store.", exists=True),
]
Seed = Annotated[int, typer.Option("--seed", help="All chance comes from it.")]
ADMISSION = "hospital_admission_180d"


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(
        epilog="Examples: chw train · chw train --recipe gradient_boosting --search grid · "
        "chw train --split-by area · "
        "chw train --data survey.csv.gz --mapping survey.toml --outcome diabetes"
    )(train)
    app.command(
        epilog="Examples: chw evaluate · chw evaluate --outcome diabetes --version v2 "
        "--data later.csv --mapping survey.toml"
    )(evaluate)
    app.command(
        epilog="Examples: chw features · chw features --as-of 2025-06-30 --output june.csv"
    )(features)
    app.add_typer(models, name="models")


def features(
    context: typer.Context,
    as_of: AsOf = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="A .csv or .parquet file to write.")
    ] = None,
    data: Data = None,
    mapping: Mapping = None,
) -> None:
    """Write the table that models learn from: one row per person, as known on a day.

    Names, telephone numbers and positions are not in it; keys of people, households and
    places are, so it is still about people and must be kept as such.
    """
    world: World = context.obj
    from chw_tools.feature_engineering import build_features
    from chw_tools.workflows.train import last_known

    with world.parts() as parts:
        register, _, _ = _register(parts, data, mapping)
    day_known = day(as_of) or last_known(register).date()
    built = build_features(register, as_of=timestamp(day_known))
    place = output or Path("data/processed") / f"features-{day_known}.parquet"
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.suffix == ".csv":
        built.frame.to_csv(place)
    else:
        built.frame.to_parquet(place)
    n, n_columns = built.frame.shape
    say(f"{n:,} people, {n_columns} columns as of {day_known}: {place}")


def train(
    context: typer.Context,
    outcome: Outcome = ADMISSION,
    recipe: Annotated[
        str,
        typer.Option(
            help="additive, logistic, logistic_splines, random_forest, gradient_boosting, "
            "full_gradient_boosting or lightgbm."
        ),
    ] = "additive",
    search: Annotated[
        Literal["none", "grid", "optuna"],
        typer.Option(help="Look for better settings, in folds that judge nothing else."),
    ] = "none",
    trials: Annotated[int, typer.Option(help="How many settings optuna tries.", min=1)] = 30,
    class_weights: Annotated[
        Literal["none", "balanced"],
        typer.Option(help="Let both classes weigh the same; risks are calibrated after."),
    ] = "none",
    split_by: Annotated[
        Literal["household", "area"],
        typer.Option(help="Judge by other households, or by whole other areas."),
    ] = "household",
    data: Data = None,
    mapping: Mapping = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Train a model, judge it on people it has not seen, keep both.

    Split by household and by time before anything is fitted; where the data carry no time,
    by person, and the report says so. Risks are calibrated on untouched rows.
    """
    world: World = context.obj
    from chw_tools.model_training import Search
    from chw_tools.workflows.train import train_model

    with world.parts() as parts:
        register, population, source = _register(parts, data, mapping)
        judged = train_model(
            register=register,
            population=population,
            source=source,
            definition=_definition(parts, outcome),
            recipe=_known_recipe(recipe),
            seed=seed,
            models=parts.models,
            keep_report=parts.keep_report,
            created_at=datetime.now(UTC),
            code_version=code_version(),
            tracker=parts.tracker,
            search=None if search == "none" else Search(search, n_trials=trials),
            class_weights=class_weights,
            split_by=split_by,
        )
    _say_judged(judged, json)


def evaluate(
    context: typer.Context,
    outcome: Outcome = ADMISSION,
    version: Annotated[str | None, typer.Option(help="By default the one in use.")] = None,
    data: Data = None,
    mapping: Mapping = None,
    as_of: AsOf = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Judge a kept model on the store, or on other data, as of a day."""
    world: World = context.obj
    from chw_tools.workflows.train import evaluate_model

    with world.parts() as parts:
        register, population, source = _register(parts, data, mapping)
        judged = evaluate_model(
            register=register,
            population=population,
            source=source,
            definition=_definition(parts, outcome),
            seed=seed,
            models=parts.models,
            keep_report=parts.keep_report,
            version=version,
            index_day=day(as_of),
        )
    _say_judged(judged, json)


@models.command(epilog="Examples: chw models outcomes · chw models outcomes preterm_birth --json")
def outcomes(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One outcome; by default all.")] = None,
    json: Json = False,
) -> None:
    """What a model may be asked to foresee: of whom, when, what counts, and for what use."""
    from dataclasses import asdict

    from chw_tools.programme import load_outcomes
    from chw_tools.programme.outcomes_page import describe_outcome

    found = load_outcomes(context.obj.settings.programme)
    if name is not None and name not in found:
        raise typer.BadParameter(f"no such outcome; there are: {', '.join(found)}")
    chosen = [found[name]] if name else list(found.values())
    if json:
        say_json({one.name: asdict(one) for one in chosen})
        return
    for one in chosen:
        caveats = [("Caveat", caveat) for caveat in one.known_caveats]
        rows = [*describe_outcome(one), *caveats]
        say_table(f"{one.name}: {one.label}", ["What", "As declared"], rows)


def code_version() -> str:
    """Version of the package, for a model's manifest."""
    from chw_tools import __version__

    return f"chw-tools {__version__}"


def _register(parts: Parts, data: Path | None, mapping: Path | None) -> tuple[Register, str, str]:
    """The register to use, whose records it holds, and where they came from."""
    if data is None:
        return parts.store.load_register(), parts.store.population or "real", "store"
    from chw_tools.exchange import load_mapping, open_intake
    from chw_tools.workflows.ingest import read_register

    records = open_intake(data, mapping=load_mapping(mapping) if mapping else None)
    register, _ = read_register(records=[records], catalogue=parts.catalogue, today=parts.today)
    return register, records.population, records.source


def _definition(parts: Parts, outcome: str) -> Any:
    from chw_tools.programme import load_outcomes

    found = load_outcomes(parts.settings.programme)
    if outcome not in found:
        raise typer.BadParameter(f"no such outcome; there are: {', '.join(found)}")
    return found[outcome]


def _known_recipe(recipe: str) -> str:
    from chw_tools.model_training import RECIPES

    if recipe not in RECIPES:
        raise typer.BadParameter(f"no such recipe; there are: {', '.join(RECIPES)}")
    return recipe


def _say_judged(judged: Judged, json: bool) -> None:
    if json:
        metrics = judged.evaluation.metrics.reset_index().to_dict("records")
        say_json(
            {
                "outcome": judged.outcome,
                "version": judged.version,
                "population": judged.about.population,
                "report": str(judged.report),
                "n": judged.evaluation.n,
                "n_events": judged.evaluation.n_events,
                "metrics": metrics,
                "notes": list(judged.notes),
            }
        )
        return
    for line in judged.headline():
        say(line)
    if judged.about.population == "simulated":
        say("Simulated people: this proves plumbing, not medicine.")
    say(f"The report: {judged.report / 'report.html'}")
    say_notes(judged.notes)
