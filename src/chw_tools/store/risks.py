"""Estimates as they were made: every one is added, none is changed; and what verifies them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from chw_tools.records import DERIVED_TABLES, TABLES, Column, conform
from chw_tools.store.connection import Reader, insert_rows, next_seqs
from chw_tools.store.scope import first_of_each
from chw_tools.store.tables import DERIVED, REGISTER
from chw_tools.store.values import digest_rows, plain_columns

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    import pandas as pd

_OWN = (
    Column("row_digest", "text", "Digest of the row as it was added."),
    Column("server_seq", "integer", "Its place in the order of commits."),
)


def save_risks(connection: sa.Connection, frame: pd.DataFrame, *, table: str = "risks") -> int:
    """Add estimates, but those equal to the newest of their person, outcome and day."""
    declared = DERIVED_TABLES[table]
    rows = list(zip(*plain_columns(declared, conform(declared, frame)), strict=True))
    known = _newest_digests(Reader(connection), table, {row[0] for row in rows})
    new = []
    for row, digest in zip(rows, digest_rows(declared.column_names, rows), strict=True):
        if known.get(row[:3]) != digest:
            known[row[:3]] = digest
            new.append((*row, digest))
    if new:
        names = (*declared.column_names, "row_digest", "server_seq")
        seqs = next_seqs(connection, len(new))
        numbered = ((*row, seq) for row, seq in zip(new, seqs, strict=True))
        insert_rows(connection, DERIVED[table], names, numbered)
    return len(new)


def _newest_digests(
    reader: Reader, table: str, person_ids: set[str]
) -> dict[tuple[str, str, str], str]:
    risks = DERIVED[table].c
    if not person_ids:
        return {}
    statement = (
        reader.select(table, ["person_id", "outcome", "as_of", "row_digest"])
        .where(reader.among(risks.person_id, list(person_ids)))
        .order_by(risks.server_seq)
    )
    return {(row[0], row[1], str(row[2])): row[3] for row in reader.rows(statement)}


def load_risks(
    reader: Reader,
    *,
    outcome: str | None,
    latest: bool,
    person_ids: Collection[str] | None,
    table: str = "risks",
) -> pd.DataFrame:
    """Estimates of one or all outcomes, the newest or all."""
    declared, risks = DERIVED_TABLES[table], DERIVED[table].c
    statement = reader.select(table, declared.column_names)
    if outcome is not None:
        statement = statement.where(risks.outcome == outcome)
    if person_ids is not None:
        statement = statement.where(reader.among(risks.person_id, list(person_ids)))
    if latest:
        statement = first_of_each(
            statement,
            of=(risks.person_id, risks.outcome),
            order=(risks.as_of.desc(), risks.server_seq.desc()),
        )
    else:
        statement = statement.order_by(risks.server_seq)
    return reader.frame(statement, declared.columns)


def find_scored(
    reader: Reader, *, outcome: str | None, since: date | None, table: str = "risks"
) -> list[str]:
    """Everybody of whom there is an estimate, sorted by key."""
    risks = DERIVED[table].c
    statement = reader.select(table, [sa.cast(risks.person_id, sa.Text)]).distinct()
    return sorted(row[0] for row in reader.rows(_chosen(statement, risks, outcome, since)))


def load_kept_risks(
    reader: Reader,
    *,
    person_ids: Collection[str],
    outcome: str | None,
    since: date | None,
    table: str = "risks",
) -> pd.DataFrame:
    """Every estimate of some people, in the order of commits, for verifying.

    Beside the declared columns: ``server_seq``, and ``is_intact``, whether the row is still as
    it was added.
    """
    declared, risks = DERIVED_TABLES[table], DERIVED[table].c
    statement = reader.select(table, [*declared.column_names, "row_digest", "server_seq"]).where(
        reader.among(risks.person_id, list(person_ids))
    )
    statement = _chosen(statement, risks, outcome, since).order_by(risks.server_seq)
    kept = reader.frame(statement, (*declared.columns, *_OWN))
    rows = list(zip(*plain_columns(declared, kept[declared.column_names]), strict=True))
    found = digest_rows(declared.column_names, rows)
    return kept.drop(columns="row_digest").assign(
        is_intact=[one == held for one, held in zip(found, kept["row_digest"], strict=True)]
    )


def _chosen(
    statement: sa.Select[tuple[object, ...]],
    risks: sa.ColumnCollection[str, sa.Column[object]],
    outcome: str | None,
    since: date | None,
) -> sa.Select[tuple[object, ...]]:
    if outcome is not None:
        statement = statement.where(risks.outcome == outcome)
    if since is not None:
        statement = statement.where(sa.cast(risks.as_of, sa.Text) >= since.isoformat())
    return statement


def find_event_places(reader: Reader, *, low: int, high: int) -> list[int]:
    """Places in the order of commits, between two of them, at which an event was recorded."""
    found: list[int] = []
    for name, table in TABLES.items():
        if table.is_event:
            place = REGISTER[name].c.server_seq
            statement = reader.select(name, [place]).where(place.between(low, high))
            found += [row[0] for row in reader.rows(statement)]
    return sorted(found)
