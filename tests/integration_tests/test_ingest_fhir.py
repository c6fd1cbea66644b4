"""FHIR as public generators write it: everything is stored, counted or listed, twice the same."""

from datetime import date
from pathlib import Path

import pytest

from chw_tools.exchange import open_intake
from chw_tools.records import load_catalogue
from chw_tools.workflows.ingest import ingest_records
from chw_tools.workflows.register_memory import RegisterMemory

FHIR = Path(__file__).parents[3] / "shared" / "fhir"
BUNDLES = FHIR / "synthea-r4-bundles-150.tar.xz"
LINES = FHIR / "synthea-bulk-ndjson-10-and-100-partial.tar.xz"
TODAY = date(2026, 11, 1)


def _ingest(path, store, **more):
    return ingest_records(
        records=open_intake(path), store=store, catalogue=load_catalogue(), today=TODAY, **more
    )


@pytest.mark.shared
@pytest.mark.skipif(not BUNDLES.exists(), reason="the public bundles are not here")
def test_bundles_all_go_in_and_a_second_time_changes_nothing():
    store = RegisterMemory()
    _ingest(BUNDLES, store)
    first = store.load_register()
    assert store.population == "simulated"
    assert len(first.people) == 149
    assert len(first.visits) == 3959
    assert first.visits["kind"].value_counts().to_dict() == {
        "facility": 3663,
        "emergency": 191,
        "inpatient": 105,
    }
    _ingest(BUNDLES, store)
    again = store.load_register()
    for name, frame in first.tables():
        assert set(frame["id"]) == set(getattr(again, name)["id"])


@pytest.mark.shared
@pytest.mark.skipif(not LINES.exists(), reason="the public NDJSON is not here")
def test_bulk_export_without_its_people_goes_to_quarantine_or_in():
    store = RegisterMemory()
    _ingest(LINES, store, keep_unmodelled=True)
    register = store.load_register()
    assert len(register.people) == 120
    assert set(register.visits["person_id"]) <= set(register.people["id"])
    assert {row["type"] for row in store.unmodelled} >= {"Procedure", "Practitioner"}
