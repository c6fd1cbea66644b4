"""FHIR as public generators write it: all stored, counted or listed; a second time, unchanged."""

from collections import Counter
from datetime import date
from pathlib import Path

import orjson
import pytest

from chw_tools.exchange import open_intake
from chw_tools.exchange.archives import list_files
from chw_tools.records import load_catalogue
from chw_tools.store import open_store
from chw_tools.workflows.ingest import ingest_records
from chw_tools.workflows.register_memory import RegisterMemory

FHIR = Path(__file__).parents[3] / "shared" / "fhir"
BUNDLES = FHIR / "synthea-r4-bundles-150.tar.xz"
LINES = FHIR / "synthea-bulk-ndjson-10-and-100-partial.tar.xz"
TODAY = date(2026, 11, 1)

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not BUNDLES.exists(), reason="the public FHIR samples are not here"),
]


def _ingest(path, store, **more):
    return ingest_records(
        records=open_intake(path), store=store, catalogue=load_catalogue(), today=TODAY, **more
    )


@pytest.fixture
def bundles():
    return {file.name: orjson.loads(file.read()) for file in list_files(BUNDLES)}


def test_every_resource_is_stored_counted_or_listed_and_twice_changes_nothing(tmp_path, bundles):
    entries = [entry["resource"] for bundle in bundles.values() for entry in bundle["entry"]]
    given = Counter(resource["resourceType"] for resource in entries)
    with open_store(f"sqlite:///{tmp_path / 'kept.db'}") as store:
        report = _ingest(BUNDLES, store)
        assert len(report.files) == len(bundles) == 150
        assert report.file_faults == ()
        assert {kind: n["read"] for kind, n in report.resources.items()} == given

        register = store.load_register()
        stored = {
            name: set(frame["source_id"].str.partition("#")[0])
            for name, frame in register.tables()
            if len(frame)
        }
        listed = sum(one.n for one in report.rejections)
        for kind, table in (
            ("Patient", "people"),
            ("Encounter", "visits"),
            ("Condition", "conditions"),
            ("Organization", "facilities"),
            ("Immunization", "immunisations"),
        ):
            wanted = {f"{kind}/{r['id']}" for r in entries if r["resourceType"] == kind}
            assert wanted == stored[table], kind
        wanted = {
            f"{r['resourceType']}/{r['id']}"
            for r in entries
            if r["resourceType"] in ("Observation", "MedicationRequest")
        }
        missing = wanted - stored["observations"] - stored["medications"]
        assert len(missing) == listed < 10
        assert store.population == "simulated"
        assert register.observations["visit_id"].notna().all()

        again = _ingest(BUNDLES, store)
        assert (again.n_new, again.n_changed) == (0, 0)
        assert again.n_rejected == report.n_rejected
        for name, frame in store.load_register().tables():
            assert frame.equals(getattr(register, name)), name


def test_the_folder_gives_what_the_archive_gives(tmp_path, bundles):
    folder = tmp_path / BUNDLES.name.split(".")[0]
    folder.mkdir()
    for name, bundle in list(bundles.items())[:12]:
        (folder / Path(name).name).write_bytes(orjson.dumps(bundle))
    from_archive, from_folder = RegisterMemory(), RegisterMemory()
    _ingest(BUNDLES, from_archive)
    _ingest(folder, from_folder)
    part, whole = from_folder.load_register(), from_archive.load_register()
    assert len(part.people) in (11, 12)
    for name, frame in part.tables():
        same = getattr(whole, name).set_index("id").reindex(frame["id"])
        content = [c for c in frame if c not in ("id", "name", "known_on")]
        left = frame.set_index("id")[content]
        assert left.astype(str).equals(same[content].astype(str)), name


def test_a_bulk_export_with_parts_missing_keeps_what_stands(tmp_path):
    store = RegisterMemory()
    report = _ingest(LINES, store, keep_unmodelled=True)
    register = store.load_register()
    assert report.file_faults == ()
    assert len(register.people) == 120
    assert set(register.visits["person_id"]) <= set(register.people["id"])
    assert register.visits["facility_id"].notna().any()
    assert {row["type"] for row in store.unmodelled} >= {"Procedure", "Practitioner"}
