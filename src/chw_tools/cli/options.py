"""Options that several commands share, worded once."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d"],
        help="Use only what was known on this day; by default the last recorded day.",
    ),
]
PlannedDay = Annotated[
    datetime | None,
    typer.Option(
        "--on",
        formats=["%Y-%m-%d"],
        help="Day of the visits; by default the next one planned or to plan.",
    ),
]
Happened = Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="Day it happened.")]
Mapping = Annotated[
    Path | None,
    typer.Option("--mapping", help="TOML file that says what the columns mean.", exists=True),
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Rows to show.")]
Output = Annotated[
    Path | None, typer.Option("--output", help="Also write the whole table as CSV to this file.")
]

Person = Annotated[str, typer.Argument(help="Key of the person; `chw people find` gives it.")]


def day(value: datetime | None) -> date | None:
    """The day of an option."""
    return value.date() if value else None


def timestamp(value: date) -> pd.Timestamp:
    """The day as the stages take it."""
    import pandas as pd

    return pd.Timestamp(value).as_unit("s")
