"""Estimates are added and never changed: the database itself refuses, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import sqlalchemy as sa
from alembic import command

from chw_tools.records import DERIVED_TABLES, conform
from chw_tools.store import open_store
from chw_tools.store.database import migration_config

if TYPE_CHECKING:
    from collections.abc import Callable

    from chw_tools.store import Store

ADA = "018bcfe5-6800-7cc0-8b4f-000000000001"
BEN = "018bcfe5-6800-7cc0-8b4f-000000000002"
_REASONS = [{"label": "Age", "feature": "age_years", "value": "40 years", "effect": 0.1}]


def _risks(*person_ids: str, **given: Any) -> pd.DataFrame:
    row = {
        "outcome": "diabetes",
        "as_of": pd.Timestamp("2024-03-01"),
        "state": "estimated",
        "risk": 0.1 + 0.2,
        "band": "low",
        "reasons": _REASONS,
        "note": "Measure.",
        "model": "additive v1",
        "model_digest": "m",
        "inputs_digest": "i",
    }
    rows = [row | {"person_id": person} | given for person in person_ids]
    return conform(DERIVED_TABLES["risks"], pd.DataFrame(rows))


_ACTS = (
    "UPDATE {table} SET risk = 0.5",
    "UPDATE {table} SET note = NULL WHERE outcome = 'diabetes'",
    "DELETE FROM {table}",
)


@pytest.mark.parametrize("table", ["risks", "shadow_risks"])
@pytest.mark.parametrize("act", _ACTS)
@pytest.mark.parametrize("made", ["new", "migrated"])
def test_the_database_refuses_to_change_an_estimate(
    any_url: str, table: str, act: str, made: str
) -> None:
    if made == "migrated":
        _migrate(any_url, "0001")
    with open_store(any_url) as store:
        store.save_risks(_risks(ADA))
        store.save_shadow_risks(_risks(ADA))
    engine = sa.create_engine(any_url)
    with pytest.raises(sa.exc.DBAPIError, match="never changed or removed"):  # noqa: SIM117
        with engine.begin() as connection:
            connection.exec_driver_sql(act.format(table=table))
    engine.dispose()
    with open_store(any_url) as store:
        pd.testing.assert_frame_equal(store.load_risks(), _risks(ADA))
        pd.testing.assert_frame_equal(store.load_shadow_risks(), _risks(ADA))


def _migrate(url: str, revision: str) -> None:
    engine = sa.create_engine(url)
    with engine.connect() as connection, connection.begin():
        command.upgrade(migration_config(connection), revision)
    engine.dispose()


@pytest.mark.postgres
def test_postgresql_refuses_to_empty_the_table(postgres_url: str) -> None:
    with open_store(postgres_url) as store:
        store.save_risks(_risks(ADA))
    engine = sa.create_engine(postgres_url)
    with pytest.raises(sa.exc.DBAPIError, match="never changed"), engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE risks")
    engine.dispose()


def test_a_shadow_is_kept_apart_from_what_is_in_use(any_store: Store) -> None:
    any_store.save_risks(_risks(ADA))
    assert any_store.save_shadow_risks(_risks(ADA, risk=0.9)) == 1
    assert any_store.save_shadow_risks(_risks(ADA, risk=0.9)) == 0
    assert any_store.load_risks(latest=False)["risk"].tolist() == [0.1 + 0.2]
    assert any_store.load_shadow_risks()["risk"].tolist() == [0.9]
    assert any_store.scored_people() == any_store.scored_people(shadow=True) == [ADA]


def test_kept_estimates_say_whether_they_are_as_they_were_added(
    any_store: Store, any_url: str
) -> None:
    any_store.save_risks(_risks(BEN, ADA))
    any_store.save_risks(_risks(ADA, as_of=pd.Timestamp("2024-04-01"), risk=None, reasons=None))
    assert any_store.scored_people() == [ADA, BEN]
    assert any_store.scored_people(since=pd.Timestamp("2024-03-02").date()) == [ADA]
    assert any_store.scored_people(outcome="fall") == []
    kept = any_store.load_kept_risks([ADA, BEN])
    assert kept["person_id"].tolist() == [BEN, ADA, ADA]
    assert kept["server_seq"].is_monotonic_increasing
    assert kept["is_intact"].all()
    _tamper(any_url, BEN)
    kept = any_store.load_kept_risks([ADA, BEN])
    assert kept["is_intact"].tolist() == [False, True, True]


def _tamper(url: str, person_id: str) -> None:
    """What only the owner of the database can do: take the wall away first."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        on = " ON risks" if engine.dialect.name == "postgresql" else ""
        name = "risks_append_only" if on else "risks_no_update"
        connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")
        change = sa.text("UPDATE risks SET risk = 0.01 WHERE person_id = :person")
        connection.execute(change, {"person": person_id})
    engine.dispose()


def test_events_after_an_estimate_can_be_left_out(
    any_store: Store, rows: Callable[..., pd.DataFrame], key: Callable[[str, str], str]
) -> None:
    any_store.save("people", rows("people", ada={}))
    any_store.save("visits", rows("visits", first={}))
    any_store.save_risks(_risks(key("people", "ada")))
    any_store.save("visits", rows("visits", second={}))
    place = any_store.load_kept_risks([key("people", "ada")])["server_seq"].iloc[0]
    assert len(any_store.load_register().visits) == 2
    assert len(any_store.load_register(before_seq=int(place)).visits) == 1
    assert any_store.event_places(1, int(place)) == [int(place) - 1]
    assert len(any_store.event_places(1, int(place) + 5)) == 2
