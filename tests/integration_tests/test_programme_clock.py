"""Simulated people live in days of their own; real ones by the machine's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from chw_tools.records import TABLES, conform, new_id
from chw_tools.settings import read_settings
from chw_tools.wiring import build_parts


@pytest.mark.parametrize("population", ["simulated", "real"])
def test_the_clock_stands_where_the_records_end(tmp_path, population):
    parts = build_parts(read_settings({"CHW_HOME": str(tmp_path)}))
    long_ago = datetime(2024, 2, 29, tzinfo=UTC)
    with parts.store.transaction():
        parts.store.set_population(population)
        row = {"id": new_id(), "sex": "female", "source": "chw", "known_on": long_ago.date()}
        people = pd.DataFrame([row]).assign(known_on=pd.Timestamp(long_ago.date()))
        parts.store.save("people", conform(TABLES["people"], people))
    now, real = parts.clock()(), datetime.now(UTC)
    if population == "simulated":
        # A call or visit entered here is no new day; a plan for a later day is.
        later = pd.Timestamp("2024-06-01")
        visit = {"id": new_id(), "person_id": row["id"], "kind": "phone", "outcome": "seen"}
        visit |= {"visited_on": later, "known_on": later, "source": "chw"}
        parts.store.save("visits", conform(TABLES["visits"], pd.DataFrame([visit])))
        assert abs(parts.clock()() - now) < timedelta(minutes=5)
    parts.close()
    if population == "real":
        assert abs(now - real) < timedelta(minutes=5)
    else:
        assert abs(now - real) > timedelta(days=300)
        assert abs((now - long_ago).days) <= 2
