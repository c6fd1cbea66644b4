"""Let records in: what is bad stays out with a reason, the rest goes in, twice the same."""

import gzip
import json
from datetime import date

import orjson
import pandas as pd
import pytest

from chw_tools.errors import (
    ArchiveRefused,
    FileFault,
    MappingFault,
    NothingToRead,
    PopulationMixed,
)
from chw_tools.exchange import fhir_files, load_mapping, open_intake
from chw_tools.records import TABLES, load_catalogue
from chw_tools.store import open_store
from chw_tools.workflows.ingest import ingest_records, read_register
from chw_tools.workflows.intake import with_known_on
from chw_tools.workflows.register_memory import RegisterMemory

TODAY = date(2024, 6, 30)

PEOPLE = (
    "id,household_id,sex,born_on,known_on\np1,h1,F,1990-05-01,2020-01-01\np2,,M,1985,2020-01-01\n"
)
HOUSEHOLDS = "id,known_on\nh1,2020-01-01\n"
VISITS = "id,person_id,visited_on,kind,outcome\nv1,p1,2021-02-03,home,seen\n"


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    if request.param == "memory":
        yield RegisterMemory()
    else:
        with open_store(f"sqlite:///{tmp_path / 'kept.db'}") as opened:
            yield opened


def _folder(tmp_path, **files):
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def _ingest(path, store, **more):
    opened = {key: more.pop(key) for key in ("mapping", "source", "population") if key in more}
    return ingest_records(
        records=open_intake(path, **opened),
        store=store,
        catalogue=load_catalogue(),
        today=TODAY,
        **more,
    )


def _reasons(report):
    return {(one.table, one.column): one.reason for one in report.rejections}


def test_a_folder_of_declared_tables_goes_in_and_twice_changes_nothing(tmp_path, store):
    folder = _folder(tmp_path, people__csv=PEOPLE, households__csv=HOUSEHOLDS, visits__csv=VISITS)
    first = _ingest(folder, store)
    assert (first.n_trusted, first.n_new, first.n_rejected) == (4, 4, 0)
    register = store.load_register()
    assert register.people.set_index("source_id").loc["p1", "sex"] == "female"
    assert register.visits["person_id"].isin(register.people["id"]).all()
    assert set(register.people["source"]) == {"in"}
    again = _ingest(folder, store)
    assert (again.n_new, again.n_changed) == (0, 0) or isinstance(store, RegisterMemory)
    for name, frame in register.tables():
        assert len(getattr(store.load_register(), name)) == len(frame)


def test_the_order_of_files_does_not_matter(tmp_path, store):
    bundle = [
        {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "HH"},
         "subject": {"reference": "Patient/p"}, "period": {"start": "2020-01-02"}},
        {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1970-01-01"},
    ]  # fmt: skip
    folder = _folder(tmp_path, a__json=orjson.dumps(bundle[0]), b__json=orjson.dumps(bundle[1]))
    report = _ingest(folder, store)
    assert report.n_rejected == 0
    assert len(store.load_register().visits) == 1


def test_broken_references_required_and_optional(tmp_path, store):
    visits = (
        "id,person_id,worker_id,visited_on,kind,outcome\n"
        "v1,p1,nobody,2021-02-03,home,seen\n"
        "v2,stranger,,2021-02-03,home,seen\n"
    )
    report = _ingest(_folder(tmp_path, people__csv=PEOPLE, visits__csv=visits), store)
    assert _reasons(report) == {("visits", "person_id"): "refers to no row of people"}
    assert report.rejections[0].places == ("visits.csv:3",)
    kept = store.load_register().visits
    assert kept["source_id"].tolist() == ["v1"]
    assert kept["worker_id"].isna().all()
    assert dict(report.notes)["visits.worker_id: refers to no row of workers; left empty"] == 1
    said = str(report.as_text())
    assert "stranger" not in said
    assert "nobody" not in said


def test_what_hangs_on_a_refused_row_is_refused_too(tmp_path, store):
    people = PEOPLE.replace("p1,h1,F,1990-05-01", "p1,h1,F,1790-05-01")
    report = _ingest(
        _folder(tmp_path, people__csv=people, households__csv=HOUSEHOLDS, visits__csv=VISITS),
        store,
    )
    assert set(_reasons(report)) == {("people", "born_on"), ("visits", "person_id")}
    assert report.n_trusted == 2


def test_a_chain_of_areas_refers_within_its_own_file(tmp_path, store):
    areas = (
        "id,parent_id,name,level,known_on\nc,b,C,village,2020-01-01\n"
        "b,a,B,district,2020-01-01\na,,A,region,2020-01-01\n"
    )
    report = _ingest(_folder(tmp_path, areas__csv=areas), store)
    assert report.n_rejected == 0
    kept = store.load_register().areas.set_index("source_id")
    assert kept.loc["c", "parent_id"] == kept.loc["b", "id"]


def test_two_people_with_one_identifier_in_two_files(tmp_path, store):
    other = "id,sex,born_on,known_on\np1,M,1950-01-01,2020-01-01\np9,M,1950-01-01,2020-01-01\n"
    folder = _folder(
        tmp_path, **{"people-1__csv": PEOPLE, "people-2__csv": other, "households__csv": HOUSEHOLDS}
    )
    report = _ingest(folder, store)
    assert _reasons(report) == {("people", "id"): "two people with one identifier"}
    assert report.rejections[0].places == ("people-2.csv:2",)
    kept = store.load_register().people.set_index("source_id")
    assert sorted(kept.index) == ["p1", "p2", "p9"]
    assert kept.loc["p1", "sex"] == "female"


_LINES = b'{"resourceType":"Patient","id":"1"}\n' * 9000


# No time in the archives: the workers of a run must collect the same cases.
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("observations__csv", "id,person_id\n1,p1\n"),
        ("observations__csv", b"id,name\n1,Zo\xeb\n"),
        ("observations__csv", b""),
        ("observations__csv__gz", gzip.compress(b"id,b\n" + b"1,2\n" * 9000, mtime=0)[:-9]),
        ("x__json", b'{"resourceType": "Bundle", "entry": ['),
        ("x__json", b'{"a": 1}'),
        ("x__ndjson__gz", gzip.compress(_LINES, mtime=0)[:-9]),
        ("notes__csv", b"a,b\n1,2\n"),
        ("people-2__parquet", b"PAR1 no"),
    ],
)
def test_a_bad_file_leaves_nothing_and_the_others_go_in(tmp_path, store, name, content):
    folder = _folder(
        tmp_path, people__csv=PEOPLE, households__csv=HOUSEHOLDS, visits__csv=VISITS,
        **{name: content},
    )  # fmt: skip
    report = _ingest(folder, store)
    ((where, said),) = report.file_faults
    assert where.startswith(name.replace("__", "."))
    assert where not in said
    assert said.endswith(".")
    assert report.n_trusted == 4
    assert len(store.load_register().people) == 2


def test_a_large_file_that_breaks_off_is_taken_back_whole(tmp_path, store, monkeypatch):
    monkeypatch.setattr(fhir_files, "BATCH_ROWS", 50)
    lines = [
        json.dumps({"resourceType": "Patient", "id": f"n{n}", "gender": "male",
                    "birthDate": "1990-01-01", "text": str(pow(7, n, 10**40 + 121))})
        for n in range(4000)
    ]  # fmt: skip
    packed = gzip.compress("\n".join(lines).encode())
    folder = _folder(tmp_path, people__csv=PEOPLE, Patient__ndjson__gz=packed[: len(packed) // 2])
    report = _ingest(folder, store)
    assert [where for where, _ in report.file_faults] == ["Patient.ndjson.gz"]
    assert sorted(store.load_register().people["source_id"]) == ["p1", "p2"]
    assert report.n_trusted == 2


def test_bad_lines_are_listed_with_their_number(tmp_path, store):
    lines = b'{"resourceType":"Patient","id":"1","gender":"male"}\n{"resour\n[1]\n'
    folder = _folder(tmp_path, Patient__ndjson=lines, people__csv=PEOPLE + "p3\n")
    report = _ingest(folder, store)
    places = {place for one in report.rejections for place in one.places}
    assert places == {"Patient.ndjson:2", "Patient.ndjson:3", "people.csv:4"}
    assert len(store.load_register().people) == 3


def test_what_must_not_be_read_stops_before_anything_is_written(tmp_path, store):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(NothingToRead):
        _ingest(empty, store)
    (empty / "README.md").write_text("nothing")
    with pytest.raises(NothingToRead):
        _ingest(empty, store)
    with pytest.raises(NothingToRead):
        _ingest(tmp_path / "absent", store)
    folder = _folder(tmp_path, people__csv=PEOPLE)
    (folder / "visits.csv").symlink_to("/etc/hostname")
    with pytest.raises(ArchiveRefused):
        _ingest(folder, store)
    assert len(store.load_register().people) == 0


def test_a_mapping_that_does_not_fit_stops_before_anything_is_written(tmp_path, store):
    folder = _folder(tmp_path, clinic__csv="No,Sex\n1,F\n", other__csv="No\n1\n")
    toml = tmp_path / "m.toml"
    said = 'source = "c"\n[[file]]\nname = "clinic.csv"\nperson = "No"\nas_of = 2020-01-01\n'
    toml.write_text(said + '[file.people]\nsex = "Gender"\n')
    with pytest.raises(MappingFault, match="no column Gender"):
        _ingest(folder, store, mapping=load_mapping(toml))
    toml.write_text(said.replace("clinic.csv", "clinics.csv") + '[file.people]\nsex = "Sex"\n')
    with pytest.raises(MappingFault, match="no file named"):
        _ingest(folder, store, mapping=load_mapping(toml))
    toml.write_text(said + '[file.people]\nsex = "Sex"\n')
    report = _ingest(folder, store, mapping=load_mapping(toml))
    assert [where for where, _ in report.file_faults] == ["other.csv"]
    assert store.load_register().people["source"].tolist() == ["c"]


def test_simulated_and_real_people_never_meet(tmp_path, store):
    folder = _folder(tmp_path, people__csv=PEOPLE)
    _ingest(folder, store)
    (folder / "chw-source.toml").write_text('source = "sim"\npopulation = "simulated"\n')
    assert open_intake(folder).population == "simulated"
    with pytest.raises(PopulationMixed):
        _ingest(folder, store)
    with pytest.raises(PopulationMixed):
        _ingest(folder, store, population="real")
    assert set(store.load_register().people["source"]) == {"in"}


def test_the_truth_of_a_simulated_programme_is_never_read(tmp_path, store):
    folder = _folder(tmp_path, people__csv=PEOPLE)
    (folder / "truth").mkdir()
    (folder / "truth" / "people.csv").write_text("id,sex,known_on\nx,M,2020-01-01\n")
    _ingest(folder, store)
    assert len(store.load_register().people) == 2


def test_partitioned_parquet_is_read_like_csv(tmp_path, store):
    folder = tmp_path / "in"
    (folder / "people").mkdir(parents=True)
    frame = pd.DataFrame({"id": ["p1", "p2"], "sex": ["female", "male"],
                          "known_on": pd.to_datetime(["2020-01-01"] * 2)})  # fmt: skip
    for n in range(2):
        frame.iloc[[n]].to_parquet(folder / "people" / f"part-{n:04}.parquet")
    report = _ingest(folder, store)
    assert report.n_trusted == 2
    assert sorted(store.load_register().people["source_id"]) == ["p1", "p2"]


def test_progress_is_told(tmp_path):
    folder = _folder(tmp_path, people__csv=PEOPLE, households__csv=HOUSEHOLDS)
    told = []
    _ingest(folder, RegisterMemory(), progress=lambda *said: told.append(said))
    assert told[-1] == ("files", 2, 2)


def test_bodies_of_what_is_not_modelled_go_to_the_store_if_asked(tmp_path):
    claim = {"resourceType": "Claim", "id": "c"}
    folder = _folder(tmp_path, a__json=orjson.dumps(claim))
    for keep, expected in ((False, 0), (True, 1)):
        store = RegisterMemory()
        report = _ingest(folder, store, keep_unmodelled=keep)
        assert len(store.unmodelled) == expected
        assert report.resources["Claim"]["not_modelled"] == 1


def test_a_missing_known_on_is_the_day_of_the_event_or_of_the_first_meeting():
    seen = date(2023, 1, 1)
    people = pd.DataFrame({"id": ["a", "b", "c"], "born_on": ["1980", "1990-02", None]})
    rows, n = with_known_on(TABLES["people"], people, seen)
    assert n == 3
    assert rows["known_on"].tolist() == ["1980-07-01", "1990-02-15", "2023-01-01"]
    given = pd.DataFrame({"id": ["a"], "known_on": ["2020-01-01"]})
    assert with_known_on(TABLES["areas"], given, seen) == (given, 0)


def test_a_register_can_be_read_without_a_store(tmp_path):
    folder = _folder(tmp_path, people__csv=PEOPLE, households__csv=HOUSEHOLDS, visits__csv=VISITS)
    register, (report,) = read_register(
        records=[open_intake(folder)], catalogue=load_catalogue(), today=TODAY
    )
    assert len(register.people) == 2
    assert report.n_trusted == 4


def test_a_truncated_archive_leaves_nothing(tmp_path, store):
    import tarfile

    folder = _folder(tmp_path, people__csv=PEOPLE * 1, households__csv=HOUSEHOLDS)
    (folder / "zz.bin").write_bytes(bytes(range(256)) * 2000)
    with tarfile.open(tmp_path / "whole.tar.gz", "w:gz") as archive:
        archive.add(folder, "in")
    whole = (tmp_path / "whole.tar.gz").read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[:-60])
    with pytest.raises(FileFault):
        _ingest(tmp_path / "cut.tar.gz", store)
    assert len(store.load_register().people) == 0


def test_a_headless_file_of_one_line_is_a_fault_and_not_an_empty_table(tmp_path, store):
    folder = _folder(tmp_path, people__csv="p1,F,1990-05-01\n", households__csv=HOUSEHOLDS)
    report = _ingest(folder, store)
    assert [name for name, _ in report.file_faults] == ["people.csv"]
    assert report.n_new == 1


@pytest.mark.parametrize("day", ["31/02/2024", "2024-02-30", "soon"])
def test_an_impossible_day_is_blamed_on_its_own_column_alone(tmp_path, store, day):
    people = f"id,sex,born_on\np1,F,1990-05-01\np2,M,{day}\np3,M,NaN\n"
    report = _ingest(_folder(tmp_path, people__csv=people), store)
    assert _reasons(report) == {("people", "born_on"): "is not a day"}
    assert report.n_new == 2


def test_a_nul_is_a_fault_of_its_record_and_not_of_the_import(tmp_path, store):
    people = PEOPLE.replace(",household_id", ",given_name,household_id").replace("p1,", "p1,A\0a,")
    people = people.replace("p2,", "p\0,Bo,") + "p3,Cy,,M,1985,2020-01-01\n"
    report = _ingest(_folder(tmp_path, people__csv=people, households__csv=HOUSEHOLDS), store)
    assert {place for one in report.rejections for place in one.places} == {
        "people.csv:2", "people.csv:3",
    }  # fmt: skip
    assert {one.reason for one in report.rejections} == {"holds a NUL character"}
    assert store.load_register().people["given_name"].tolist() == ["Cy"]


def test_records_without_any_identifier_are_refused_and_not_the_import(tmp_path, store):
    patient = {"resourceType": "Patient", "gender": "female", "birthDate": "1990-05-01"}
    report = _ingest(_folder(tmp_path, a__json=json.dumps(patient)), store)
    assert _reasons(report) == {("people", "id"): "must be given"}


PATIENT_LINE = json.dumps({"resourceType": "Patient", "id": "a", "gender": "female"}) + "\n"


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (PATIENT_LINE.encode()[:30], "breaks off"),
        ('{"resourceType": "Patient", "id": "Zo\u00eb"}\n'.encode("cp1252"), "UTF-8"),
    ],
)
def test_lines_that_break_off_or_are_of_another_encoding_take_back_the_file(
    tmp_path, store, rest, reason
):
    folder = _folder(tmp_path, Patient__ndjson=PATIENT_LINE.encode() + rest)
    report = _ingest(folder, store)
    assert reason in report.file_faults[0][1]
    assert report.n_new == 0


def test_a_byte_order_mark_before_json_costs_nobody(tmp_path, store):
    marked = b"\xef\xbb\xbf" + PATIENT_LINE.encode()
    other = marked.replace(b'"a"', b'"b"')
    report = _ingest(_folder(tmp_path, Patient__ndjson=marked, b__json=other), store)
    assert (report.n_new, report.n_rejected, report.file_faults) == (2, 0, ())


def test_the_store_notes_each_import_with_its_counts(tmp_path):
    folder = _folder(tmp_path, people__csv=PEOPLE, households__csv=HOUSEHOLDS, visits__csv=VISITS)
    with open_store(f"sqlite:///{tmp_path / 'kept.db'}") as store:
        _ingest(folder, store, source="lab")
        _ingest(folder, store, source="lab")
        first, again = store.load_import_runs()
        assert (first["source"], again["source"]) == ("lab", "lab")
        assert first["summary"]["new"] == first["summary"]["trusted"] == 4
        assert again["summary"]["new"] == again["summary"]["changed"] == 0
        with pytest.raises(NothingToRead):
            _ingest(tmp_path / "nothing", store)
        assert len(store.load_import_runs()) == 2
