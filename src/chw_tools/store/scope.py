"""Who may see and change what: the one place where statements on the tables are built.

Every SELECT and UPDATE on a table about people begins in :func:`select_from` or
:func:`update_of`, which bind it to a :class:`Scope`; a test fails if another module of the
store builds one itself. What is outside a scope looks as if it did not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from chw_tools.store.tables import DERIVED, PLAN_RUNS, PLANNING_RUNS, REGISTER, UNMODELLED, WORK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

#: Places are the map, not anybody's record: every scope sees them.
_OPEN_TABLES = ("areas", "facilities", "plan_runs", "planning_runs")


@dataclass(frozen=True)
class Scope:
    """Whose records a reader may see.

    Parameters
    ----------
    kind : {"whole", "areas", "worker"}
        The whole programme; some areas with all places below them; or one worker's households.
    ids : tuple of str
        The areas, or the one worker.

    Examples
    --------
    >>> Scope.of_worker("018bcfe5-6800-7cc0-8b4f-000000000001").kind
    'worker'
    """

    kind: Literal["whole", "areas", "worker"]
    ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.kind == "whole") != (not self.ids):
            raise ValueError("a scope of areas or of a worker names them; the whole names none")

    @classmethod
    def of_areas(cls, area_ids: Iterable[str]) -> Scope:
        """Some areas with everything below them."""
        return cls("areas", tuple(area_ids))

    @classmethod
    def of_worker(cls, worker_id: str) -> Scope:
        """The people of one worker's households."""
        return cls("worker", (worker_id,))


#: The whole programme.
WHOLE = Scope("whole")


def table_named(name: str) -> sa.Table:
    """The table of that name that holds people's data or places."""
    own = {"plan_runs": PLAN_RUNS, "planning_runs": PLANNING_RUNS, "unmodelled": UNMODELLED}
    return own[name] if name in own else {**REGISTER, **DERIVED, **WORK}[name]


def select_from(
    name: str, columns: Collection[str | sa.ColumnElement[Any]], *, scope: Scope
) -> sa.Select[Any]:
    """A SELECT of columns (by name, or expressions on the table) within a scope."""
    table = table_named(name)
    chosen = [table.c[column] if isinstance(column, str) else column for column in columns]
    statement = sa.select(*chosen).select_from(table)
    return statement if scope.kind == "whole" else statement.where(_within(table, scope))


def update_of(name: str, *, scope: Scope) -> sa.Update:
    """An UPDATE within a scope."""
    table = table_named(name)
    statement = sa.update(table)
    return statement if scope.kind == "whole" else statement.where(_within(table, scope))


def first_of_each(
    statement: sa.Select[Any],
    *,
    of: Collection[sa.Column[Any]],
    order: Collection[sa.ColumnElement[Any]],
) -> sa.Select[Any]:
    """The same columns of only the first row, in an order, of each group; sorted by group."""
    place = sa.func.row_number().over(partition_by=list(of), order_by=list(order))
    ranked = statement.add_columns(place.label("place_in_group")).subquery()
    columns = [ranked.c[column.name] for column in statement.selected_columns]
    sorted_by = [ranked.c[column.name] for column in of]
    return sa.select(*columns).where(ranked.c.place_in_group == 1).order_by(*sorted_by)


def among(column: sa.ColumnElement[Any], ids: Collection[str], dialect: str) -> Any:
    """Whether the column is one of any number of keys, which go as a single parameter."""
    if dialect == "sqlite":
        listed = sa.func.json_each(orjson.dumps(list(ids)).decode()).table_valued("value")
        return column.in_(sa.select(listed.c.value))
    array = sa.cast(sa.literal(list(ids), postgresql.ARRAY(sa.Text)), postgresql.ARRAY(column.type))
    return column == sa.any_(array)


def among_given(column: sa.ColumnElement[Any], dialect: str) -> Any:
    """The same of keys given when the statement is run, as ``ids``; see :func:`given_ids`."""
    if dialect == "sqlite":
        given = sa.bindparam("ids", type_=sa.Text)
        listed = sa.func.json_each(given).table_valued("value")
        return column.in_(sa.select(listed.c.value))
    array = sa.cast(
        sa.bindparam("ids", type_=postgresql.ARRAY(sa.Text)), postgresql.ARRAY(column.type)
    )
    return column == sa.any_(array)


def given_ids(ids: Collection[str], dialect: str) -> Any:
    """Keys as the parameter that :func:`among_given` takes."""
    return orjson.dumps(list(ids)).decode() if dialect == "sqlite" else list(ids)


def _within(table: sa.Table, scope: Scope) -> sa.ColumnElement[bool]:
    """The condition that keeps a statement inside the scope; deny where none is known."""
    if table.name in _OPEN_TABLES:
        return sa.true()
    if table.name == "people":
        return table.c.id.in_(_people(scope))
    if "person_id" in table.c:
        return table.c.person_id.in_(_people(scope))
    if table.name == "households":
        return table.c.id.in_(_households(scope))
    if table.name == "workers":
        return _is_worker(table, scope)
    if table.name == "caseloads":
        # A home is a household, or a person without one.
        return sa.or_(table.c.home.in_(_households(scope)), table.c.home.in_(_people(scope)))
    # What was rejected or is not modelled belongs to nobody yet.
    return sa.false()


def _areas(scope: Scope) -> sa.Select[Any]:
    areas = REGISTER["areas"]
    tree = sa.select(areas.c.id).where(areas.c.id.in_(scope.ids)).cte(recursive=True)
    below = areas.alias("below")
    tree = tree.union(sa.select(below.c.id).where(below.c.parent_id == tree.c.id))
    return sa.select(tree.c.id)


def _households(scope: Scope) -> sa.Select[Any]:
    homes = REGISTER["households"]
    if scope.kind == "worker":
        return sa.select(homes.c.id).where(homes.c.worker_id.in_(scope.ids))
    return sa.select(homes.c.id).where(homes.c.area_id.in_(_areas(scope)))


def _people(scope: Scope) -> sa.Select[Any]:
    people, homes = REGISTER["people"].alias("p"), REGISTER["households"].alias("h")
    if scope.kind == "worker":
        return sa.select(people.c.id).where(people.c.household_id.in_(_households(scope)))
    # As declared: a person's own area counts where the household tells none.
    area = sa.func.coalesce(homes.c.area_id, people.c.area_id)
    joined = people.outerjoin(homes, people.c.household_id == homes.c.id)
    return sa.select(people.c.id).select_from(joined).where(area.in_(_areas(scope)))


def _is_worker(table: sa.Table, scope: Scope) -> sa.ColumnElement[bool]:
    if scope.kind == "worker":
        return table.c.id.in_(scope.ids)
    homes, inside = REGISTER["households"], _areas(scope)
    serving = sa.select(homes.c.worker_id).where(
        homes.c.worker_id.is_not(None), homes.c.area_id.in_(inside)
    )
    return sa.or_(table.c.area_id.in_(inside), table.c.id.in_(serving))
