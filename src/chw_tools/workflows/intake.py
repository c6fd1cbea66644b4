"""How a batch of raw rows goes in: cleaned, its references followed, saved, accounted for.

A row that refers to what is not there yet waits until every file was read; then a broken
required reference sends it to quarantine, a broken optional one is left empty and counted.

Not here: reading files (``exchange``) and the rules for a trusted row (``data_processing``).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.data_processing import Cleaned, clean_table, earliest_births
from chw_tools.data_processing.observed import NOTE_COLUMNS
from chw_tools.records import DERIVED_TABLES, TABLES, empty_table

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from chw_tools.data_processing.import_report import ReportBuilder
    from chw_tools.records import Catalogue, Column, Source, Table
    from chw_tools.workflows.ports import IngestStore, RawPiece


_FIRST_MET = "the day this source was first met"
NO_NOTES = pd.DataFrame(columns=NOTE_COLUMNS)


@dataclass(frozen=True)
class Waiting:
    """Trusted rows that refer to what was not there, with the place of each."""

    frame: pd.DataFrame
    at: pd.Series


def _no_hashes() -> pd.Series:
    # Whole numbers of 64 bits on both sides: as floats two keys would look alike.
    return pd.Series(dtype="uint64", index=pd.Index([], dtype="uint64"))


@dataclass
class Progressed:
    """What a run has come to so far; copied before each file, put back if the file fails."""

    report: ReportBuilder
    waiting: dict[str, list[Waiting]] = field(default_factory=dict)
    births: list[pd.Series] = field(default_factory=list)
    people: pd.Series = field(default_factory=_no_hashes)

    def copied(self) -> Progressed:
        """A copy that later rows do not change."""
        waiting = {table: list(parts) for table, parts in self.waiting.items()}
        return Progressed(copy.deepcopy(self.report), waiting, list(self.births), self.people)


@dataclass
class Run:
    """One import under way."""

    store: IngestStore
    source: Source
    catalogue: Catalogue
    today: date
    state: Progressed

    def take(self, piece: RawPiece) -> None:
        """Let a piece of a file in: its batches in order, then what did not become a row."""
        for batch in piece.batches:
            keyed = batch.keyed(self.source)
            self._take_rows(TABLES[keyed.table], keyed.rows)
        self.refuse(piece.rejected)
        if piece.unmodelled:
            self.store.save_unmodelled(
                {**row, "source": self.source.name} for row in piece.unmodelled
            )
        for resource_type, counts in piece.counts.items():
            self.state.report.add_counts(resource_type, **counts)
        for said in piece.notes:
            self.state.report.note(said)

    def _take_rows(self, table: Table, raw: pd.DataFrame) -> None:
        raw, n_assumed = with_known_on(table, raw, _first_seen(self.source, self.today))
        cleaned = clean_table(
            table, raw, catalogue=self.catalogue, today=self.today, births=self._births(table)
        )
        cleaned = self._without_contradictions(table, cleaned, raw)
        if n_assumed:
            self.state.report.note(
                f"{table.name}: no known_on is given; taken as {table.event_day or _FIRST_MET}",
                n_assumed,
            )
        lost = self._unresolved(table, cleaned.trusted)
        if lost.any():
            frame = cleaned.trusted[lost].reset_index(drop=True)
            places = raw.drop_duplicates("id").set_index("id")["at"]
            self.state.waiting.setdefault(table.name, []).append(
                Waiting(frame, frame["id"].map(places))
            )
            entering = cleaned.trusted[~lost].reset_index(drop=True)
            cleaned = replace(cleaned, trusted=entering)
        self._account(table, cleaned)

    def _account(self, table: Table, cleaned: Cleaned) -> None:
        """Save what is trusted and what is refused, and count both."""
        frame = cleaned.trusted
        self.state.report.add_cleaned(table, cleaned)
        if len(cleaned.rejected):
            self.store.save_rejected(cleaned.rejected)
        if not len(frame):
            return
        self.state.report.add_saved(table.name, self.store.save(table.name, frame))
        if table.name == "people":
            self.state.births.append(earliest_births(frame).dropna())

    def refuse(self, rejected: pd.DataFrame) -> None:
        """Keep and count records that did not become a row."""
        if len(rejected):
            self.store.save_rejected(rejected)
            self.state.report.add_rejected(rejected)

    def _births(self, table: Table) -> pd.Series | None:
        if not self.state.births or "person_id" not in table.column_names:
            return None
        if len(self.state.births) > 1:
            births = pd.concat(self.state.births)
            self.state.births = [births[~births.index.duplicated()]]
        return self.state.births[0]

    def _without_contradictions(self, table: Table, cleaned: Cleaned, raw: pd.DataFrame) -> Cleaned:
        """Refuse a person whose identifier another person of this import already has."""
        if table.name != "people" or not len(cleaned.trusted):
            return cleaned
        frame = cleaned.trusted
        keys = pd.util.hash_array(frame["id"].to_numpy(dtype=object))
        contents = pd.Series(pd.util.hash_pandas_object(frame, index=False).to_numpy(), index=keys)
        before = self.state.people.reindex(contents.index).to_numpy()
        known = contents.index.isin(self.state.people.index)
        clash = known & (before != contents.to_numpy())
        self.state.people = pd.concat([self.state.people, contents[~known]])
        if not clash.any():
            return cleaned
        places = raw.drop_duplicates("id").set_index("id")["at"]
        refused = rejected_rows(
            table,
            frame[clash],
            frame.loc[clash, "id"].map(places),
            column="id",
            reason="two people with one identifier",
            cure="Give each an identifier of their own.",
        )
        kept = frame[~clash].reset_index(drop=True)
        rejected = pd.concat([cleaned.rejected, refused]) if len(cleaned.rejected) else refused
        return Cleaned(kept, rejected, cleaned.notes, cleaned.n_identical)

    # references

    def _unresolved(self, table: Table, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows refer to what is not stored and not in the frame itself."""
        lost = np.zeros(len(frame), dtype=bool)
        for broken in self._broken(table, frame).values():
            lost |= broken
        return lost

    def _broken(self, table: Table, frame: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
        broken: dict[str, NDArray[np.bool_]] = {}
        own: list[str] = []
        for column in table.columns:
            if not column.refers_to or not frame[column.name].notna().any():
                continue
            if column.refers_to == table.name:
                own.append(column.name)
                continue
            broken[column.name] = self._not_stored(column.refers_to, frame[column.name])
        for name in own:
            broken[name] = self._not_stored(table.name, frame[name])
        return self._within(frame, broken, own)

    def _within(
        self, frame: pd.DataFrame, broken: dict[str, NDArray[np.bool_]], own: list[str]
    ) -> dict[str, NDArray[np.bool_]]:
        """A row may refer to another of its own batch, if that one goes in."""
        if not any(broken[name].any() for name in own):
            return broken
        absent = dict(broken)
        lost = np.zeros(len(frame), dtype=bool)
        for name, mask in broken.items():
            if name not in own:
                lost |= mask
        while True:
            entering = pd.Index(frame["id"][~lost])
            for name in own:
                absent[name] = broken[name] & ~frame[name].isin(entering).to_numpy()
            again = lost | np.logical_or.reduce([absent[name] for name in own])
            if (again == lost).all():
                return absent
            lost = again

    def _not_stored(self, table: str, references: pd.Series) -> NDArray[np.bool_]:
        places, wanted = pd.factorize(references)
        stored = self.store.existing_ids(table, wanted.tolist())
        missing = np.array([*(key not in stored for key in wanted), False], dtype=bool)
        found: NDArray[np.bool_] = missing[places]
        return found

    def settle(self) -> None:
        """Try again what waited, now that every file was read."""
        for table in TABLES.values():
            parts = self.state.waiting.pop(table.name, [])
            if not parts:
                continue
            frame = pd.concat([part.frame for part in parts], ignore_index=True)
            at = pd.concat([part.at for part in parts], ignore_index=True)
            self._settle_table(table, frame, at)

    def _settle_table(self, table: Table, frame: pd.DataFrame, at: pd.Series) -> None:
        later = frame["id"].duplicated(keep="last").to_numpy()
        frame, at = frame[~later].reset_index(drop=True), at[~later].reset_index(drop=True)
        refused = []
        for column in table.columns:
            if not column.refers_to or not column.required:
                continue
            lost = self._not_stored(column.refers_to, frame[column.name])
            if lost.any():
                refused.append(_without_target(table, column, frame[lost], at[lost]))
                frame = frame[~lost].reset_index(drop=True)
                at = at[~lost].reset_index(drop=True)
        for name, broken in self._broken(table, frame).items():
            if broken.any():
                frame[name] = frame[name].mask(broken)
                target = table.column(name).refers_to
                said = f"{table.name}.{name}: refers to no row of {target}; left empty"
                self.state.report.note(said, int(broken.sum()))
        rejected = pd.concat(refused, ignore_index=True) if refused else empty_rejected()
        self._account(table, Cleaned(frame, rejected, NO_NOTES, int(later.sum())))


def _without_target(
    table: Table, column: Column, frame: pd.DataFrame, at: pd.Series
) -> pd.DataFrame:
    return rejected_rows(
        table,
        frame,
        at,
        column=column.name,
        reason=f"refers to no row of {column.refers_to}",
        cure=f"Import the {column.refers_to} it refers to, then this file again.",
    )


def empty_rejected() -> pd.DataFrame:
    """No rejected rows, in their declared columns."""
    return empty_table(DERIVED_TABLES["rejected"])


def with_known_on(table: Table, raw: pd.DataFrame, first_seen: date) -> tuple[pd.DataFrame, int]:
    """The rows with ``known_on`` where the source gives none, and how many were given one.

    It is the day of the event; where that is not known either, the day on which the store
    first met the source, so that the same file read on another day gives the same rows.
    """
    given = raw["known_on"] if "known_on" in raw else pd.Series(None, index=raw.index, dtype="str")
    if given.notna().all():
        return raw, 0
    assumed = int(given.isna().sum())
    if table.event_day in raw:
        event = raw[table.event_day]
        given = given.astype("object").fillna(_whole_days(event).astype("object"))
    given = given.astype("object").fillna(first_seen.isoformat())
    return raw.assign(known_on=given), assumed


def _whole_days(days: pd.Series) -> pd.Series:
    """Days known to the year or month, as the middle of it; what is no day as missing.

    The event's own column is refused then: the day it was known of is not at fault.
    """
    if not isinstance(days.dtype, pd.StringDtype):
        return days
    days = days.str.strip()
    length = days.str.len()
    days = days.mask(length == 4, days + "-07-01")
    days = days.mask(length == 7, days + "-15")
    read = pd.to_datetime(days.str.slice(0, 10), format="%Y-%m-%d", errors="coerce")
    return days.where(read.notna())


def _first_seen(source: Source, today: date) -> date:
    seen = datetime.fromtimestamp(source.first_seen_ms / 1000, tz=UTC).date()
    return min(seen, today)


def rejected_rows(
    table: Table, frame: pd.DataFrame, at: pd.Series, *, column: str, reason: str, cure: str
) -> pd.DataFrame:
    """Trusted rows turned away after all, as declared in ``records.derived``."""
    rows = pd.DataFrame(
        {
            "table": table.name,
            "at": at.to_numpy(),
            "column": column,
            "reason": reason,
            "cure": cure,
            "body": frame.to_json(
                orient="records", lines=True, date_format="iso", date_unit="s"
            ).splitlines(),
        }
    )
    return rows[DERIVED_TABLES["rejected"].column_names]
