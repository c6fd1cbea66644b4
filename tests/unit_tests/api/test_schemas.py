"""Tables as JSON."""

from __future__ import annotations

import pandas as pd
import pytest
from pydantic import ValidationError

from chw_tools.api import examples
from chw_tools.api.schemas import RiskRow, VisitSent, rows_of, table_model
from chw_tools.records import DERIVED_TABLES, conform


def test_rows_of_a_table_survive_the_way_into_json():
    table = DERIVED_TABLES["planned_visits"]
    row = {
        "person_id": examples.PERSON,
        "worker_id": examples.WORKER,
        "visit_on": pd.Timestamp("2026-01-05"),
        "position": 1,
        "urgency": "routine",
        "is_must": False,
        "reason": "A routine visit.",
        "minutes": 34.0,
    }
    rows = rows_of(table, conform(table, pd.DataFrame([row])))
    shown = table_model(table).model_validate(rows[0]).model_dump(mode="json")
    assert {name: shown[name] for name in row} == {**row, "visit_on": "2026-01-05"}
    assert shown["due_on"] is None
    assert shown["overdue_days"] is None


def test_a_row_with_a_value_that_is_not_allowed_is_no_row():
    with pytest.raises(ValidationError):
        RiskRow.model_validate({**examples.RISKS[0], "state": "guessed"})


def test_the_entry_holds_what_was_sent():
    entry = VisitSent.model_validate(examples.VISIT_SENT).entry()
    assert entry.measurements == examples.VISIT_SENT["measurements"]
    assert entry.danger_signs == examples.VISIT_SENT["danger_signs"]
    assert entry.visited_on.isoformat() == examples.VISIT_SENT["visited_on"]
