"""What the workflows need from the world: the stores and readers they are given.

The store implements these by having the methods; nothing inherits from anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import date, datetime
    from pathlib import Path

    import pandas as pd

    from chw_tools.errors import FileFault
    from chw_tools.model_training import FittedModel
    from chw_tools.records import Register, Source
    from chw_tools.risk_prediction import ScoringModel

Population = Literal["simulated", "real"]


class Counts(Protocol):
    """How many rows a save found new, unchanged and changed."""

    @property
    def new(self) -> int: ...
    @property
    def unchanged(self) -> int: ...
    @property
    def changed(self) -> int: ...


class RawRows(Protocol):
    """Raw rows for one declared table, as read from a file."""

    def keyed(self, source: Source) -> RawRows: ...
    @property
    def table(self) -> str: ...
    @property
    def rows(self) -> pd.DataFrame: ...


class RawPiece(Protocol):
    """Some rows of a file, what did not become a row, and counts by resource type."""

    @property
    def batches(self) -> Sequence[RawRows]: ...
    @property
    def rejected(self) -> pd.DataFrame: ...
    @property
    def unmodelled(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]: ...
    @property
    def notes(self) -> Sequence[str]: ...


class RawPart(Protocol):
    """Files that go in together; ``pieces`` may raise a FileFault while it is gone through."""

    @property
    def files(self) -> Sequence[str]: ...
    @property
    def pieces(self) -> Iterable[RawPiece]: ...
    @property
    def faults(self) -> Sequence[FileFault]: ...
    @property
    def notes(self) -> Sequence[str]: ...


class Records(Protocol):
    """What lies at a path, ready to be read; ``exchange.open_intake`` gives it."""

    @property
    def source(self) -> str: ...
    @property
    def population(self) -> Population: ...
    def n_files(self) -> int | None: ...
    def parts(self, *, keep_unmodelled: bool = ...) -> Iterable[RawPart]: ...


class IngestStore(Protocol):
    """Where imported records go."""

    def register_source(self, name: str, population: Population) -> Source: ...
    def save(self, table: str, frame: pd.DataFrame) -> Counts: ...
    def existing_ids(self, table: str, ids: Iterable[str]) -> set[str]: ...
    def save_rejected(self, frame: pd.DataFrame) -> Any: ...
    def save_unmodelled(self, rows: Iterable[Mapping[str, Any]]) -> Any: ...
    def save_import_run(self, *, source: str, summary: Mapping[str, Any]) -> Any: ...
    def transaction(self) -> AbstractContextManager[Any]: ...
    def savepoint(self) -> AbstractContextManager[Any]: ...


class RegisterStore(Protocol):
    """Where the register, the risks and the plans are kept."""

    @property
    def population(self) -> str | None: ...
    def save(self, table: str, frame: pd.DataFrame) -> Counts: ...
    def existing_ids(self, table: str, ids: Iterable[str]) -> set[str]: ...
    def load_register(
        self,
        *,
        scope: Any = ...,
        person_ids: Collection[str] | None = ...,
        tables: Collection[str] | None = ...,
    ) -> Register: ...
    def sources(self) -> set[str]: ...
    def related_people(self, person_ids: Collection[str]) -> set[str]: ...
    def people_search(self, text: str, *, limit: int = ...) -> pd.DataFrame: ...
    def last_recorded_day(self) -> date | None: ...
    def save_risks(self, frame: pd.DataFrame) -> Any: ...
    def save_shadow_risks(self, frame: pd.DataFrame) -> Any: ...
    def save_plan(
        self,
        *,
        visits: pd.DataFrame,
        unvisited: pd.DataFrame,
        recommendations: pd.DataFrame,
        as_of: date,
        visit_on: date,
        summary: Mapping[str, Any],
        worker_ids: Collection[str] | None = ...,
    ) -> str: ...
    def load_plan(self, *, visit_on: date | None = ..., worker_id: str | None = ...) -> Any: ...
    def load_caseloads(self) -> pd.Series | None: ...
    def transaction(self) -> AbstractContextManager[Any]: ...


class LongerPlans(Protocol):
    """Where plans of more than a day are kept."""

    def save_run(
        self,
        kind: str,
        *,
        tables: Mapping[str, pd.DataFrame],
        as_of: date,
        from_on: date | None = ...,
        summary: Mapping[str, Any],
    ) -> str: ...
    def find_runs(self, *, kind: str | None = ..., limit: int = ...) -> Sequence[Any]: ...
    def load_run(self, run_id: str) -> Any: ...
    def transaction(self) -> AbstractContextManager[Any]: ...


class KeptRisks(Protocol):
    """Where stored risks are, with the register that they were made from."""

    def scored_people(
        self, *, outcome: str | None = ..., since: date | None = ..., shadow: bool = ...
    ) -> list[str]: ...
    def load_kept_risks(
        self,
        person_ids: Collection[str],
        *,
        outcome: str | None = ...,
        since: date | None = ...,
        shadow: bool = ...,
    ) -> pd.DataFrame: ...
    def event_places(self, low: int, high: int) -> list[int]: ...
    def related_people(self, person_ids: Collection[str]) -> set[str]: ...
    def load_register(
        self, *, person_ids: Collection[str] | None = ..., before_seq: int | None = ...
    ) -> Register: ...


class ModelEntry(Protocol):
    """What a registry says of a model without loading it."""

    @property
    def version(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def manifest(self) -> Mapping[str, Any]: ...


class ModelStore(Protocol):
    """Where trained models are kept."""

    def load_model(self, outcome: str, version: str | None = None) -> ScoringModel: ...
    def load_scorer(self, digest: str) -> ScoringModel: ...
    def find(self, outcome: str, version: str | None = None) -> ModelEntry: ...
    def find_shadow(self, outcome: str) -> ModelEntry | None: ...
    def read_metrics(self, entry: Any) -> Mapping[str, Any]: ...
    def next_version(self, outcome: str) -> str: ...
    def save_model(
        self,
        model: FittedModel,
        *,
        version: str,
        created_at: datetime,
        report: Mapping[str, bytes] | None = ...,
        code_version: str = ...,
        probe: pd.DataFrame | None = ...,
        parent: str | None = ...,
        run_id: str = ...,
    ) -> Path: ...


class Tracker(Protocol):
    """Mirrors kept models to where experiments are compared."""

    def mirror(self, outcome: str | None = ..., version: str | None = ...) -> Any: ...


class ReportKeeper(Protocol):
    """Keeps the files of a report; gives their folder."""

    def __call__(self, *, outcome: str, version: str, report: Mapping[str, bytes]) -> Path: ...


class Progress(Protocol):
    """Told how far an act has come; ``total`` is None where nobody can know."""

    def __call__(self, what: str, done: int, total: int | None) -> None: ...
