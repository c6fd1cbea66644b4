"""Commands around published scores: their list, and their results."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from chw_tools.cli.options import Json, day
from chw_tools.cli.world import frame_rows, progress_bar, say, say_json, say_notes, say_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    import pandas as pd

    from chw_tools.risk_prediction.scores.declaration import Score
    from chw_tools.wiring import Parts

scores = typer.Typer(
    help="The published scores, and verifying what was stored.", no_args_is_help=True
)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(scores, name="scores")


@scores.command("list", epilog="Examples: chw scores list · chw scores list --json")
def list_scores(
    json: Json = False,
    regions: Annotated[bool, typer.Option("--regions", help="Also name the regions.")] = False,
) -> None:
    """The published scores: what each gives, for whom, and whether it was verified."""
    from chw_tools.risk_prediction.scores import SCORES

    if json:
        say_json([_declared(score) for score in SCORES.values()])
        return
    rows = [
        (
            score.name,
            f"{score.horizon_years} years" if score.gives == "probability" else "points",
            score.population,
            "" if not score.regions else f"{len(score.regions)} regions",
            "yes" if score.verified else "NO",
        )
        for score in SCORES.values()
    ]
    say_table("Published scores", ["Key", "Gives", "For", "Regions", "Verified"], rows)
    if regions:
        for score in SCORES.values():
            if score.regions:
                say(f"{score.name}: {'; '.join(score.regions)}")
    say("Sources and limits: docs/scores.md · Next: chw score --with NAME")


@scores.command(
    epilog="Examples: chw scores verify · chw scores verify --sample 500 --since 2026-01-01"
)
def verify(
    context: typer.Context,
    outcome: Annotated[str | None, typer.Option(help="Only risks of this outcome.")] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Only of so many people, drawn at random.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only as of this day or later.")
    ] = None,
    shadow: Annotated[bool, typer.Option("--shadow", help="Those of models on trial.")] = False,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 1,
    json: Json = False,
) -> None:
    """Compute stored risks again, bit for bit, as known on their day; code 1 if any differs."""
    from chw_tools.workflows.verify import CAUSES, verify_scores

    with context.obj.parts() as parts, progress_bar(quiet=json) as progress:
        found = verify_scores(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            outcome=outcome,
            since=day(since),
            sample=sample,
            seed=seed,
            shadow=shadow,
            progress=progress,
        )
    if json:
        say_json(
            {
                "people": found.n_people,
                "risks": found.n_risks,
                "equal": found.n_equal,
                "by_cause": found.by_cause(),
                "differences": frame_rows(found.differences),
            }
        )
    else:
        say(
            f"{found.n_risks:,} stored risks of {found.n_people:,} people computed again: "
            f"{found.n_equal:,} are equal bit for bit."
        )
        for cause, n in found.by_cause().items():
            say(f"{n:,} differ: {CAUSES[cause]}.")
        rows = [
            (row.person_id, f"{row.as_of:%Y-%m-%d}", f"{row.outcome}, {row.model}", row.cause)
            for row in found.differences.head(10).itertuples()
        ]
        if rows:
            say_table(f"The first {len(rows)}", ["Person", "As of", "Risk", "Cause"], rows)
    if not found.is_equal:
        raise typer.Exit(1)


def _declared(score: Score) -> dict[str, object]:
    plain = ("name", "label", "outcome", "meaning", "gives", "horizon_years", "population")
    more = ("regions", "function", "source", "checked", "verified", "caution")
    return {
        **{name: getattr(score, name) for name in (*plain, *more)},
        "limits": {name: list(limits) for name, limits in score.limits.items()},
        "not_with": list(score.not_with),
        "inputs": [
            {"name": g.name, "label": g.label, "unit": g.unit, "in_register": g.recorded}
            for g in score.inputs
        ],
    }


def show_published(
    parts: Parts,
    names: Sequence[str],
    regions: Sequence[str],
    as_of: date | None,
    person_ids: Sequence[str] | None,
    limit: int,
    output: Path | None,
    json: bool,
) -> None:
    """Run the scores asked for and show them; nothing is kept."""
    from chw_tools.workflows.assess import score_published

    if not names:
        raise typer.BadParameter("--region needs --with NAME")
    result = score_published(
        names,
        store=parts.store,
        programme=parts.programme,
        regions=regions,
        as_of=as_of,
        person_ids=person_ids,
    )
    if output is not None:
        result.risks.to_csv(output, index=False)
    notes = _notes(result.names)
    if json:
        say_json({"as_of": result.as_of, "notes": notes, "risks": frame_rows(result.risks)})
        return
    say(f"Published scores as of {result.as_of:%Y-%m-%d}")
    counts = result.risks.groupby(["model", "state"], sort=False).size().reset_index(name="n")
    say_table("By score", ["Score", "State", "People"], counts.to_numpy().tolist())
    told = result.risks[result.risks["state"] == "estimated"]
    top = _worst_first(told).head(limit)
    rows = [
        (r.person_id, r.model, r.band, "" if r.risk is None else f"{r.risk:.1%}", r.note)
        for r in top.astype(object).where(top.notna(), None).itertuples()
    ]
    say_table(f"Highest {len(rows)}", ["Person", "Score", "Band", "Risk", "Note"], rows)
    gaps = result.risks.loc[result.risks["state"] != "estimated", "note"].value_counts().head(5)
    say_table("Why not", ["Reason", "People"], [(why, n) for why, n in gaps.items()])
    say_notes(notes)


def _worst_first(told: pd.DataFrame) -> pd.DataFrame:
    from chw_tools.records.derived import RISK_BANDS

    places = {band: place for place, band in enumerate(RISK_BANDS)}
    keyed = told.assign(_band=told["band"].astype("object").map(places))
    return keyed.sort_values(["risk", "_band"], ascending=False, na_position="last", kind="stable")


def _notes(names: Sequence[str]) -> list[str]:
    from chw_tools.risk_prediction.scores import SCORES

    told = []
    for name in names:
        score = SCORES[name]
        mark = "" if score.verified else "NOT VERIFIED. "
        told.append(f"{score.label}: {mark}{score.population}. {score.caution}".strip())
    return told
