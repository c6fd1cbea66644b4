"""One resource in, the expected rows out; what cannot be used is listed or counted."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.errors import PopulationMixed
from chw_tools.exchange import fhir, fhir_context, fhir_resources
from chw_tools.exchange.fhir_files import add_document
from chw_tools.exchange.rows import Gathered
from chw_tools.records import TABLES

LOINC = "http://loinc.org"


def _code(code, system=LOINC, display=None):
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _read(*resources, **more):
    gathered = Gathered()
    context = fhir.Context(gathered, **more)
    for resource in resources:
        if isinstance(resource, dict) and "resourceType" in resource:
            fhir.note_beforehand(resource, context)
    for number, resource in enumerate(resources):
        fhir.add_resource(resource, f"f:{number}", context)
    return gathered


def _rows(gathered, table):
    return [dict(zip(fhir.COLUMNS[table], row, strict=True)) for row in gathered.rows[table]]


PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"use": "official", "family": "Banda", "given": ["Ruth", "M"]}],
    "gender": "female",
    "birthDate": "1980-02",
    "telecom": [{"system": "email", "value": "x"}, {"system": "phone", "value": "0991"}],
}
PRESSURE = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": _code("85354-9"),
    "subject": {"reference": "Patient/p1"},
    "encounter": {"reference": "https://x.org/fhir/Encounter/e1"},
    "effectiveDateTime": "2020-03-04T23:30:00-05:00",
    "issued": "2020-03-06T08:00:00Z",
    "component": [
        {"code": _code("8480-6"), "valueQuantity": {"value": 150, "code": "mm[Hg]"}},
        {"code": _code("8462-4"), "valueQuantity": {"value": 90, "unit": "mmHg"}},
    ],
}
VISIT = {
    "resourceType": "Encounter",
    "id": "e1",
    "status": "finished",
    "class": {"code": "HH"},
    "subject": {"reference": "Patient/p1"},
    "period": {"start": "2020-03-04T10:00:00+02:00", "end": "2020-03-04T10:45:00+02:00"},
}


def test_every_column_of_every_map_is_declared():
    for table, columns in fhir.COLUMNS.items():
        assert set(columns) - {"at", "display"} <= set(TABLES[table].column_names)


def test_a_patient_with_a_partial_birth_date():
    (person,) = _rows(_read(PATIENT), "people")
    assert person["id"] == "Patient/p1"
    assert (person["given_name"], person["family_name"]) == ("Ruth M", "Banda")
    assert (person["born_on"], person["born_precision"]) == ("1980-02-15", "month")
    assert person["phone"] == "0991"


def test_a_death_without_a_day_is_not_taken_for_life():
    dead = PATIENT | {"deceasedBoolean": True}
    gathered = _read(dead)
    assert "people" not in gathered.rows
    assert "died" in gathered.rejected[0][3]
    (person,) = _rows(_read(dead | {"meta": {"lastUpdated": "2021-01-02T00:00:00Z"}}), "people")
    assert person["died_on"] == "2021-01-02"


def test_a_panel_gives_one_row_for_each_component_on_the_day_in_its_own_offset():
    rows = _rows(_read(PRESSURE), "observations")
    assert [row["id"] for row in rows] == ["Observation/o1#8480-6", "Observation/o1#8462-4"]
    assert [row["value_number"] for row in rows] == [150, 90]
    assert {row["observed_on"] for row in rows} == {"2020-03-04"}
    assert {row["known_on"] for row in rows} == {"2020-03-06"}
    assert {row["visit_id"] for row in rows} == {"Encounter/e1"}


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"valueCodeableConcept": _code("266919005")}, (None, None, "266919005")),
        ({"valueString": "no"}, (None, None, "no")),
        ({"valueBoolean": True}, (None, None, "yes")),
        ({"valueInteger": 3}, (3, None, None)),
        ({"valueQuantity": {"value": 5, "comparator": "<"}}, (None, None, "<5")),
    ],
)
def test_each_kind_of_value(part, expected):
    observation = {k: v for k, v in PRESSURE.items() if k != "component"} | part
    (row,) = _rows(_read(observation), "observations")
    assert (row["value_number"], row["unit"], row["value_code"]) == expected


def test_a_broken_component_keeps_nothing_of_its_panel():
    broken = copy.deepcopy(PRESSURE)
    broken["component"][1]["code"] = {"coding": ["8462-4"]}
    gathered = _read(broken)
    assert not gathered.rows.get("observations")
    assert len(gathered.rejected) == 1


@pytest.mark.parametrize(
    ("class_code", "kind"),
    [("AMB", "facility"), ("HH", "home"), ("IMP", "inpatient"), ("EMER", "emergency"),
     ("VR", "phone")],
)  # fmt: skip
def test_each_class_of_encounter(class_code, kind):
    (visit,) = _rows(_read(VISIT | {"class": {"code": class_code}}), "visits")
    assert visit["kind"] == kind
    assert visit["minutes"] == 45
    assert set(fhir_resources.VISIT_KINDS.values()) <= set(TABLES["visits"].column("kind").allowed)


def test_what_did_not_take_place_is_counted_and_what_was_withdrawn_is_listed():
    gathered = _read(VISIT | {"status": "planned"}, VISIT | {"status": "entered-in-error"})
    assert "visits" not in gathered.rows
    assert gathered.counts["Encounter"] == {"read": 2, "not_modelled": 1}
    assert gathered.rejected[0][3] == fhir_context.WITHDRAWN


def test_only_a_community_health_worker_is_a_worker():
    role = {
        "resourceType": "PractitionerRole",
        "id": "r1",
        "practitioner": {"reference": "Practitioner/w1", "display": "Esther"},
        "code": [_code("172V00000X", "http://nucc.org/provider-taxonomy")],
    }
    doctor = copy.deepcopy(role) | {"id": "r2", "code": [_code("208D00000X")]}
    doctor["practitioner"] = {"reference": "Practitioner/d1"}
    by_worker = VISIT | {"participant": [{"individual": {"reference": "Practitioner/w1"}}]}
    by_doctor = VISIT | {"participant": [{"individual": {"reference": "Practitioner/d1"}}]}
    gathered = _read(role, doctor, by_worker, by_doctor)
    assert [row["id"] for row in _rows(gathered, "workers")] == ["Practitioner/w1"]
    assert [row["worker_id"] for row in _rows(gathered, "visits")] == ["Practitioner/w1", None]
    assert gathered.counts["PractitionerRole"]["not_modelled"] == 1


def test_a_condition_since_a_year_counts_from_its_middle():
    condition = {"resourceType": "Condition", "id": "c", "code": _code("I10"),
                 "subject": {"reference": "Patient/p1"}, "onsetDateTime": "2012",
                 "abatementDateTime": "2013-04"}  # fmt: skip
    (row,) = _rows(_read(condition), "conditions")
    assert (row["onset_on"], row["resolved_on"]) == ("2012-07-01", "2013-04-15")


def test_what_is_yet_to_be_created_is_named_by_its_full_url():
    gathered = Gathered()
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {"fullUrl": "urn:uuid:aa", "resource": {"resourceType": "Patient"}},
            {"fullUrl": "urn:uuid:bb",
             "resource": {"resourceType": "Encounter", "class": {"code": "HH"},
                          "subject": {"reference": "urn:uuid:aa"}}},
            {"request": {"method": "DELETE", "url": "Patient/1"}},
        ],
    }  # fmt: skip
    add_document(bundle, "b.json", fhir.Context(gathered))
    (person,), (visit,) = _rows(gathered, "people"), _rows(gathered, "visits")
    assert person["id"] == visit["person_id"] == "Patient/aa"
    assert visit["id"] == "Encounter/bb"
    assert "deletion" in gathered.rejected[0][3]


def test_references_in_each_form():
    context = fhir.Context(Gathered())
    context.full_urls = {"urn:uuid:1": "Patient/p1"}
    said = {
        "urn:uuid:1": "Patient/p1",
        "urn:uuid:2": "Patient/2",
        "Patient/3": "Patient/3",
        "Patient/3/_history/4": "Patient/3",
        "https://x.org/fhir/Patient/5": "Patient/5",
        "Location?identifier=https://x.org|6": "Location/6",
        "#contained": None,
    }
    for text, expected in said.items():
        assert context.reference({"reference": text}, "Patient") == expected
    assert context.reference(None, "Patient") is None


def test_a_medicine_by_reference_is_found_or_listed():
    medicine = {"resourceType": "Medication", "id": "m1", "code": _code("197361", "rxnorm")}
    order = {
        "resourceType": "MedicationRequest",
        "id": "r1",
        "status": "active",
        "medicationReference": {"reference": "Medication/m1"},
        "subject": {"reference": "Patient/p1"},
        "authoredOn": "2020-01-02",
    }
    (row,) = _rows(_read(medicine, order), "medications")
    assert (row["system"], row["code"], row["status"]) == ("rxnorm", "197361", "active")
    assert "leads nowhere" in _read(order).rejected[0][3]


def test_a_simulated_person_among_real_ones_stops_the_import():
    simulated = PATIENT | {
        "identifier": [{"system": fhir_resources.SIMULATED_SYSTEM, "value": "1"}]
    }
    with pytest.raises(PopulationMixed):
        _read(simulated, population="real")
    assert len(_rows(_read(simulated, population="simulated"), "people")) == 1


def test_bodies_of_what_is_not_modelled_are_kept_only_if_asked():
    claim = {"resourceType": "Claim", "id": "c"}
    assert _read(claim).unmodelled == []
    assert _read(claim, keep_unmodelled=True).unmodelled[0]["body"] == claim


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "code", "value", "reference", "start", "system", "period"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
_ELEMENTS = (
    "id", "status", "code", "subject", "period", "class", "component", "valueQuantity", "name",
    "birthDate", "identifier", "meta", "participant", "effectiveDateTime", "vaccineCode",
    "medicationCodeableConcept", "telecom", "position", "practitioner",
)  # fmt: skip


@given(
    kind=st.sampled_from([*fhir.MAPPERS, "Claim"]),
    elements=st.dictionaries(st.sampled_from(_ELEMENTS), _JSON, max_size=6),
)
def test_whatever_a_resource_holds_it_is_stored_counted_or_listed(kind, elements):
    gathered = Gathered()
    context = fhir.Context(gathered, population="simulated")
    fhir.add_resource({"resourceType": kind} | elements, "f:1", context)
    stored = sum(map(len, gathered.rows.values())) > 0
    counted = gathered.counts[kind].get("not_modelled", 0)
    assert stored + counted + len(gathered.rejected) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"resourceType": ["Patient"], "id": "x"},
        {"resourceType": "PractitionerRole", "id": "x", "code": None},
        {"resourceType": "PractitionerRole", "id": "x", "code": [5]},
        {"resourceType": "Zo\u00eb Banda 0991", "id": "x"},
        PATIENT | {"birthDate": 1980},
        PATIENT | {"deceasedBoolean": "true"},
    ],
)
def test_a_resource_of_the_wrong_shape_keeps_no_other_out(wrong):
    gathered = Gathered()
    entries = [{"fullUrl": "urn:uuid:1", "resource": wrong}, {"resource": PRESSURE}]
    bundle = {"resourceType": "Bundle", "entry": entries}
    add_document(bundle, "b.json", fhir.Context(gathered))
    assert len(gathered.rows["observations"]) == 2
    assert [row[1] for row in gathered.rejected] == ["b.json:entry[0]"]
    assert not any("Zo" in kind for kind in gathered.counts)
