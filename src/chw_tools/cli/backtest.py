"""The command that asks whether a model would have worked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chw_tools.cli import models
from chw_tools.cli.models import ADMISSION, Data, Outcome, Seed
from chw_tools.cli.options import Json, Mapping
from chw_tools.cli.world import World, frame_rows, say, say_json, say_notes, say_table

if TYPE_CHECKING:
    from chw_tools.workflows.backtest import Backtested


def add_to(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(
        epilog="Examples: chw backtest · chw backtest --recipe logistic --origins 2 · "
        "chw backtest --feature n_admissions_365d --score framingham_bmi"
    )(backtest)


def backtest(
    context: typer.Context,
    outcome: Outcome = ADMISSION,
    recipe: Annotated[str, typer.Option(help="As for `chw train`.")] = "additive",
    origins: Annotated[
        int, typer.Option("--origins", min=1, help="Days on which lists are made.")
    ] = 3,
    feature: Annotated[
        list[str] | None,
        typer.Option("--feature", help="Also this feature alone as a rule; -NAME lowest first."),
    ] = None,
    score: Annotated[
        list[str] | None,
        typer.Option("--score", help="Also this published score as a rule; `chw scores list`."),
    ] = None,
    region: Annotated[str | None, typer.Option(help="For scores that know regions.")] = None,
    knowledge_days: Annotated[
        int, typer.Option("--knowledge-days", min=0, help="Days until an outcome is reported.")
    ] = 30,
    refits: Annotated[
        int, typer.Option("--refits", min=0, help="Refits, for the stability of the list.")
    ] = 5,
    data: Data = None,
    mapping: Mapping = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Would the model have worked? Train on what was known on earlier days; count what came.

    Beside it stand plain rules with lists of the same length: by lot, oldest first, longest
    without a visit, and any feature or published score that you name.
    """
    world: World = context.obj
    from chw_tools.workflows.backtest import backtest_model

    with world.parts() as parts:
        register, population, source = models._register(parts, data, mapping)
        tested = backtest_model(
            register=register,
            population=population,
            source=source,
            definition=models._definition(parts, outcome),
            recipe=models._known_recipe(recipe),
            seed=seed,
            keep_report=parts.keep_report,
            n_origins=origins,
            features=feature or (),
            scores=score or (),
            region=region,
            knowledge_days=knowledge_days,
            n_refits=refits,
        )
    _say(tested, json)


def _say(tested: Backtested, json: bool) -> None:
    table = tested.result.table
    if json:
        say_json(
            {
                "outcome": tested.outcome,
                "recipe": tested.recipe,
                "population": tested.population,
                "report": str(tested.report),
                "table": frame_rows(table),
                "stability": frame_rows(tested.result.stability),
                "refits": frame_rows(tested.result.refits),
                "notes": list(tested.result.notes),
            }
        )
        return
    rows = [
        (
            row["origin"],
            row["rule"].replace("_", " "),
            f"{row['auc']:.3f}",
            f"{row['recall']:.0%}",
            f"{row['recall_low']:.0%} to {row['recall_high']:.0%}",
        )
        for row in table.to_dict("records")
    ]
    say_table("What each list found", ["Day", "Rule", "AUC", "Found", "95 %"], rows)
    for line in tested.headline():
        say(line)
    say_notes(tested.result.notes)
    if tested.population == "simulated":
        say("Simulated people: this proves plumbing, not medicine.")
    say(f"The report: {Path(tested.report) / 'report.html'}")
