"""Commands that bring records in: simulate, ingest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from chw_tools.cli.options import Json, Mapping
from chw_tools.cli.world import World, progress_bar, say, say_json
from chw_tools.errors import InputError


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(epilog="Example: chw simulate district --people 6500 --seed 7")(simulate)
    app.command(
        epilog="Examples: chw ingest district · chw ingest bundles.tar.xz · "
        "chw ingest survey.csv --mapping survey.toml · chw ingest survey.csv --suggest-mapping"
    )(ingest)


def simulate(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder to write to; made if absent.")],
    people: Annotated[int, typer.Option(min=50, help="How many people.")] = 6500,
    seed: Annotated[int, typer.Option(help="Same seed, same people.")] = 1,
    file_format: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    mess: Annotated[bool, typer.Option(help="Messy as real registers are.")] = True,
    json: Json = False,
) -> None:
    """Write a simulated programme: a district, its people, three years of visits.

    Simulated people prove plumbing, not medicine. What was injected as mess, and the true
    risk of each person, are written apart under `truth/`, which ingest never reads.
    """
    from chw_tools.testing import write_programme

    with progress_bar(json) as progress:
        counts = write_programme(
            folder, people=people, seed=seed, format=file_format, mess=mess, progress=progress
        )
    if json:
        say_json({"folder": str(folder), "counts": counts})
        return
    say(f"Simulated programme in {folder} (seed {seed}):")
    for table, n in counts.items():
        say(f"  {n:>9,} {table}")
    say(f"Next: chw ingest {folder}")


def ingest(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="Folder, file or archive of records.")],
    mapping: Mapping = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            help="Name of the system they come from; by default that of the folder or archive.",
        ),
    ] = None,
    population: Annotated[
        Literal["real", "simulated"] | None,
        typer.Option("--population", help="Whose records they are; never both in one store."),
    ] = None,
    suggest_mapping: Annotated[
        bool, typer.Option("--suggest-mapping", help="Write a starter mapping and stop.")
    ] = False,
    keep_unmodelled: Annotated[
        bool, typer.Option("--keep-unmodelled", help="Keep the body of what is not modelled.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with code 3 if any record is in quarantine.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Where the HTML report goes.")
    ] = None,
    json: Json = False,
) -> None:
    """Read records into the store and tell what came in, what did not, and why.

    Reads CSV and Parquet (named as the declared tables, or with a mapping), FHIR R4
    transaction bundles and bulk NDJSON, plain, gzipped or in an archive. A bad record goes
    to quarantine with a reason, the rest goes in; reading a thing twice changes nothing.
    """
    if suggest_mapping:
        _suggest(path)
        return
    world: World = context.obj
    from chw_tools.exchange import load_mapping, open_intake
    from chw_tools.workflows.ingest import ingest_records

    records = open_intake(
        path,
        mapping=load_mapping(mapping) if mapping else None,
        source=source,
        population=population,
    )
    with world.parts() as parts, progress_bar(json) as progress:
        result = ingest_records(
            records=records,
            store=parts.store,
            catalogue=parts.catalogue,
            today=parts.today,
            keep_unmodelled=keep_unmodelled,
            progress=progress,
        )
        place = report or parts.settings.home / "import_report.html"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(result.to_html(), encoding="utf-8")
    if json:
        say_json({"report": str(place), "import": result})
    else:
        say(result.as_text())
        say(f"\nThe whole report: {place}")
    if result.file_faults:
        raise typer.Exit(1)
    if strict and result.n_rejected:
        raise typer.Exit(3)


def _suggest(path: Path) -> None:
    from chw_tools.exchange.suggest import suggest_mapping

    target = path.with_name(path.name.split(".")[0] + ".mapping.toml")
    if target.exists():
        raise InputError(
            "exists already and was left as it is.", where=str(target), cure="Move it away first."
        )
    target.write_text(suggest_mapping(path), encoding="utf-8")
    say(f"A starter mapping is in {target}. Mend it, then: chw ingest {path} --mapping {target}")
