"""Loading the register: everything recorded, in trusted dtypes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chw_tools.records import TABLES, Register
from chw_tools.store.tables import REGISTER
from chw_tools.store.whole import read_whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import pandas as pd

    from chw_tools.records import Table
    from chw_tools.store.connection import Reader

#: Tables whose newest ``known_on`` says how far the register reaches.
_DATED = tuple(name for name, table in TABLES.items() if table.event_day and name != "people")


def load_tables(
    reader: Reader,
    *,
    person_ids: Collection[str] | None,
    tables: Collection[str] | None,
    before_seq: int | None = None,
) -> Register:
    """The tables asked for (all by default); rows of some people, or of all in scope.

    With ``before_seq`` only the events committed before that place.
    """
    wanted = list(TABLES) if tables is None else list(tables)
    return Register.of(
        {name: _load(reader, TABLES[name], person_ids, before_seq) for name in wanted}
    )


def _load(
    reader: Reader, table: Table, person_ids: Collection[str] | None, before_seq: int | None
) -> pd.DataFrame:
    stored, where = REGISTER[table.name], []
    if before_seq is not None and table.is_event:
        where.append(stored.c.server_seq < before_seq)
    about = stored.c.id if table.name == "people" else stored.c.get("person_id")
    if person_ids is not None and about is not None:
        where.append(reader.among(about, list(person_ids)))
    elif reader.dialect == "sqlite" and reader.scope.kind == "whole":
        return read_whole(reader, table.name, table.columns, *where)
    statement = reader.select(table.name, table.column_names)
    return reader.frame(statement.where(*where), table.columns)


def find_related(reader: Reader, person_ids: Collection[str]) -> set[str]:
    """The people with everybody whose rows bear on theirs.

    Entries merged into one another (in either direction), and whoever shares a household.
    """
    people, changes = REGISTER["people"], REGISTER["person_changes"]
    related: set[str] = set()
    found = set(person_ids)
    while found:
        related |= found
        ids = list(found)
        merged = reader.rows(
            reader.select("person_changes", ["person_id", "into_person_id"]).where(
                changes.c.change == "merged",
                sa.or_(
                    reader.among(changes.c.person_id, ids),
                    reader.among(changes.c.into_person_id, ids),
                ),
            )
        )
        homes = reader.select("people", ["household_id"]).where(reader.among(people.c.id, ids))
        mates = reader.rows(reader.select("people", ["id"]).where(people.c.household_id.in_(homes)))
        found = {key for row in (*merged, *mates) for key in row if key} - related
    return find_people(reader, related)


def find_people(reader: Reader, person_ids: Collection[str]) -> set[str]:
    """Those of the people that the scope holds."""
    people = REGISTER["people"]
    statement = reader.select("people", ["id"]).where(reader.among(people.c.id, list(person_ids)))
    return {row[0] for row in reader.rows(statement)}


def find_last_day(reader: Reader) -> date | None:
    """The newest day on which the programme learnt anything of anybody.

    Where nothing is recorded but the people themselves, the newest day of their entries.
    """
    return _newest_known(reader, _DATED) or _newest_known(reader, ("people",))


def find_last_imported_day(reader: Reader, *, entered_as: str) -> date | None:
    """The newest day of what came in from outside; what was entered here is left aside."""
    dated = _newest_known(reader, _DATED, other_than=entered_as)
    return dated or _newest_known(reader, ("people",))


def _newest_known(
    reader: Reader, tables: Iterable[str], *, other_than: str | None = None
) -> date | None:
    def newest(name: str) -> sa.Select[Any]:
        table = REGISTER[name].c
        chosen = reader.select(name, [sa.func.max(table.known_on)])
        return chosen if other_than is None else chosen.where(table.source != other_than)

    days = [reader.value(newest(name)) for name in tables]
    known = [day if isinstance(day, date) else date.fromisoformat(day) for day in days if day]
    return max(known, default=None)


def search_people(reader: Reader, text: str, *, limit: int) -> pd.DataFrame:
    """People whose names begin with each of the words, or whose key begins with the text."""
    people = REGISTER["people"]
    text = text.replace("\0", "")  # which no name holds, and PostgreSQL refuses to look for
    words = text.split()
    if not words:
        return reader.frame(_people(reader).where(sa.false()), TABLES["people"].columns)
    named = sa.and_(
        *(
            sa.or_(
                _begins(people.c.given_name, word),
                _begins(people.c.family_name, word),
            )
            for word in words
        )
    )
    keyed = _begins(sa.cast(people.c.id, sa.Text), text.strip())
    found = (
        _people(reader)
        .where(sa.or_(named, keyed, people.c.source_id == text.strip()))
        .order_by(people.c.family_name, people.c.given_name, people.c.id)
        .limit(limit)
    )
    return reader.frame(found, TABLES["people"].columns)


def _people(reader: Reader) -> sa.Select[tuple[object, ...]]:
    return reader.select("people", TABLES["people"].column_names)


def _begins(column: sa.ColumnElement[str], text: str) -> sa.ColumnElement[bool]:
    # SQLite folds the case of ASCII only, so a capital is tried beside the text as typed.
    return sa.or_(
        *(column.istartswith(form, autoescape=True) for form in {text, text.capitalize()})
    )
