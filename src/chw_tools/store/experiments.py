"""Experiments as they were declared: kept once, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from chw_tools.errors import Conflict, NotFound
from chw_tools.store.instants import as_text
from chw_tools.store.scope import WHOLE, update_of
from chw_tools.store.tables import WORK
from chw_tools.store.work_rows import add_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def declare(
    connection: sa.Connection, declared: Mapping[str, Any], *, salt: str, now: datetime
) -> None:
    """Keep a declaration.

    Raises
    ------
    Conflict
        If one of that name was declared before.
    """
    row = {
        "name": declared["name"],
        "declared": dict(declared),
        "salt": salt,
        "state": "running",
        "made_at": now,
        "changed_at": now,
    }
    if not add_rows(connection, "experiments", pd.DataFrame([row])):
        raise Conflict(
            "An experiment of that name was declared before; a declaration is never changed.",
            cure="Give the new one another name.",
        )


def close(connection: sa.Connection, name: str, state: str, *, now: datetime) -> None:
    """Stop an experiment, or mark it as read.

    Raises
    ------
    NotFound
        If there is none of that name.
    """
    rows = WORK["experiments"].c
    changed = sa.literal(as_text(now), rows.changed_at.type)
    statement = update_of("experiments", scope=WHOLE).where(rows.name == name)
    if not connection.execute(statement.values(state=state, changed_at=changed)).rowcount:
        raise NotFound("No such experiment.", cure="See them all: chw experiments show")
