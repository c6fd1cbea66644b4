"""Commands about the shapes of an additive model: look at them, and put one right."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from chw_tools.cli.models import Data, _definition, _register, _say_judged, code_version, models
from chw_tools.cli.options import Json, Mapping
from chw_tools.cli.world import say, say_json, say_table

if TYPE_CHECKING:
    import pandas as pd


def add_to(app: typer.Typer) -> None:
    """Add this module's commands, below ``chw models``."""
    models.command(
        "shape",
        epilog="Examples: chw models shape diabetes · chw models shape diabetes v1 "
        "--feature bmi --plot bmi.png",
    )(shape)
    models.command(
        "edit",
        epilog="Example: chw models edit diabetes v1 --feature bmi --action flatten --low 45 "
        '--by "Dr Achieng" --why "hardly anybody is so heavy"',
    )(edit)


def shape(
    context: typer.Context,
    outcome: str,
    version: Annotated[str | None, typer.Argument(help="By default the one in use.")] = None,
    feature: Annotated[str | None, typer.Option(help="One input; by default all.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw that input as a PNG.")] = None,
    json: Json = False,
) -> None:
    """Show what an additive model says of an input: range by range, in log-odds.

    A score of 0.7 doubles the odds, one of -0.7 halves them, against the average of the
    people the model was trained on.
    """
    from chw_tools.model_training.shapes import inspect_shape
    from chw_tools.workflows.shapes import load_shapes

    if plot is not None and feature is None:
        raise typer.BadParameter("--plot draws one input: name it with --feature")
    with context.obj.parts() as parts:
        model = load_shapes(parts.models, outcome, version)
    try:
        table = inspect_shape(model, feature)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    labels = {one.name: one.label for one in model.features}
    if plot is not None:
        from chw_tools.model_training.shape_figure import draw_shape

        plot.write_bytes(draw_shape(table, label=labels[table["feature"].iloc[0]]))
        say(f"Drawn: {plot}")
    if json:
        import json as plain

        say_json(plain.loads(table.to_json(orient="records")))
        return
    rows = [(labels[r.feature], _range(r), f"{r.score:+.3f}") for r in table.itertuples()]
    say_table(f"{model.name}: what each input adds", ["Input", "Value", "Log-odds"], rows)


def edit(
    context: typer.Context,
    outcome: str,
    version: str,
    feature: Annotated[str, typer.Option(help="Which input.")],
    action: Annotated[
        Literal["flatten", "cap", "floor", "remove", "rise", "fall"],
        typer.Option(help="What is done with its shape."),
    ],
    by: Annotated[str, typer.Option(help="Who decided it.")],
    why: Annotated[str, typer.Option(help="The reason, for whoever asks later.")],
    low: Annotated[float | None, typer.Option(help="From this value on.")] = None,
    high: Annotated[float | None, typer.Option(help="Below this value.")] = None,
    level: Annotated[list[str] | None, typer.Option(help="An answer; may be repeated.")] = None,
    value: Annotated[float | None, typer.Option(help="Score in log-odds.")] = None,
    data: Data = None,
    mapping: Mapping = None,
    json: Json = False,
) -> None:
    """Change one shape of a kept model, and keep the result as a new candidate.

    It is calibrated anew by half of the people who were held out from training, and judged
    by the other half; with fewer than 50 events among the first the old calibration stays.
    Who decided it, when, why, and the shape before and after are kept in the model's file.
    The old model stays as it was.
    """
    from chw_tools.model_training.shapes import ShapeEdit
    from chw_tools.workflows.shapes import edit_model

    with context.obj.parts() as parts:
        register, population, source = _register(parts, data, mapping)
        wanted = ShapeEdit(
            feature, action, by, why, low=low, high=high, levels=tuple(level or ()), value=value
        )
        try:
            judged = edit_model(
                register=register,
                population=population,
                source=source,
                definition=_definition(parts, outcome),
                version=version,
                edit=wanted,
                models=parts.models,
                keep_report=parts.keep_report,
                at=datetime.now(UTC),
                code_version=code_version(),
            )
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    _say_judged(judged, json)


def _range(row: pd.Series) -> str:
    if row.part != "range":
        return str(row.part)
    if row.low == float("-inf"):
        return f"below {row.high:.4g}"
    return (
        f"{row.low:.4g} and above"
        if row.high == float("inf")
        else f"{row.low:.4g} to {row.high:.4g}"
    )
