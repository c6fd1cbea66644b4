"""A store that lasts as long as the process: what ``chw train --data FILE`` reads into."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from chw_tools.errors import PopulationMixed
from chw_tools.records import Register, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from chw_tools.workflows.ports import Population


class MemoryCounts(NamedTuple):
    """How many rows were new, and how many replaced or repeated another."""

    new: int
    unchanged: int
    changed: int


class RegisterMemory:
    """Keeps rows as they come; a later row of the same key replaces the earlier."""

    def __init__(self) -> None:
        self.population: str | None = None
        self.rejected: list[pd.DataFrame] = []
        self.unmodelled: list[Mapping[str, Any]] = []
        self._frames: dict[str, list[pd.DataFrame]] = {}
        self._known: dict[str, set[str]] = {}

    def register_source(self, name: str, population: Population) -> Source:
        """The source; its keys begin at zero, since nothing outlives the process.

        Raises
        ------
        PopulationMixed
            If the register already holds the other kind of people.
        """
        if self.population not in (None, population):
            raise PopulationMixed("Simulated and real people would meet in one register.")
        self.population = population
        return Source(name)

    def save(self, table: str, frame: pd.DataFrame) -> MemoryCounts:
        """Keep the rows."""
        known = self._known.setdefault(table, set())
        before = len(known)
        known.update(frame["id"])
        self._frames.setdefault(table, []).append(frame)
        new = len(known) - before
        return MemoryCounts(new, 0, len(frame) - new)

    def existing_ids(self, table: str, ids: Iterable[str]) -> set[str]:
        """Those of the keys that are kept."""
        return self._known.get(table, set()) & set(ids)

    def save_rejected(self, frame: pd.DataFrame) -> None:
        """Keep what was refused."""
        self.rejected.append(frame)

    def save_unmodelled(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Keep bodies of what is not modelled."""
        self.unmodelled.extend(rows)

    def save_import_run(self, *, source: str, summary: Mapping[str, Any]) -> None:
        """Nothing lasts here, so neither does a note of the import."""

    @contextmanager
    def transaction(self) -> Iterator[RegisterMemory]:
        """All or nothing."""
        with self.savepoint():
            yield self

    @contextmanager
    def savepoint(self) -> Iterator[RegisterMemory]:
        """What is saved inside goes again if it ends in an error."""
        lengths = {table: len(frames) for table, frames in self._frames.items()}
        n_rejected, n_unmodelled = len(self.rejected), len(self.unmodelled)
        try:
            yield self
        except BaseException:
            self._frames = {
                table: frames[: lengths.get(table, 0)] for table, frames in self._frames.items()
            }
            self._known = {
                table: {key for frame in frames for key in frame["id"]}
                for table, frames in self._frames.items()
            }
            del self.rejected[n_rejected:], self.unmodelled[n_unmodelled:]
            raise

    def load_register(self) -> Register:
        """Everything kept."""
        tables = {}
        for table, frames in self._frames.items():
            if frames:
                whole = pd.concat(frames, ignore_index=True)
                tables[table] = whole[~whole["id"].duplicated(keep="last").to_numpy()]
        return Register.of(tables)
