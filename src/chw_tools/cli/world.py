"""What a command gets of the outside: environment, settings, parts, and a way to speak."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chw_tools.workflows.rows import frame_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from chw_tools.settings import Settings
    from chw_tools.wiring import Parts
    from chw_tools.workflows.ports import Progress


__all__ = [
    "World",
    "frame_rows",
    "progress_bar",
    "say",
    "say_json",
    "say_notes",
    "say_table",
]


@dataclass
class World:
    """The environment of one run of ``chw``."""

    environ: Mapping[str, str]

    @cached_property
    def settings(self) -> Settings:
        """Settings read from the environment."""
        from chw_tools.settings import read_settings

        return read_settings(self.environ)

    @contextmanager
    def parts(self) -> Iterator[Parts]:
        """The wired parts; the store is closed afterwards."""
        from chw_tools.wiring import build_parts

        parts = build_parts(self.settings)
        try:
            yield parts
        finally:
            parts.close()


def say(text: str = "") -> None:
    """A line for the person at the terminal."""
    import typer

    typer.echo(text)


def say_json(value: Any) -> None:
    """One JSON document on standard output."""
    import orjson

    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2
    say(orjson.dumps(value, default=_plain, option=options).decode())


_KEYS = ("Person", "Key", "Number")
#: Columns of a terminal beside which a key of 36 letters leaves room for the rest.
_WIDE = 110


def say_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table for the person at the terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        # A key in one piece can be copied; where the terminal is narrow it may break, whole.
        is_key = column in _KEYS
        table.add_column(
            column,
            no_wrap=is_key and console.width >= _WIDE,
            overflow="fold" if is_key else "ellipsis",
        )
    for row in rows:
        # Brackets are letters here: the mark of a missing translation is one of them.
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    console.print(table)


def say_notes(notes: Sequence[str]) -> None:
    """What a reader must know beside the figures."""
    for note in notes:
        say(f"Note: {note}")


@contextmanager
def progress_bar(quiet: bool = False) -> Iterator[Progress]:
    """A progress bar on standard error, or silence where nobody watches."""
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if quiet or not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                for before in bar.tasks:  # what only pulsed is over once the next part begins
                    bar.update(before.id, visible=before.total is not None)
                tasks[what] = bar.add_task(what, total=total, count="")
            count = f"{done:,}" if total is None else f"{done:,} of {total:,}"
            count = "" if total is None and not done else count
            bar.update(tasks[what], completed=done, total=total, count=count)

        yield show


def _plain(value: Any) -> Any:
    from dataclasses import asdict, is_dataclass

    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if value != value or value is None:
        return None
    return str(value)
