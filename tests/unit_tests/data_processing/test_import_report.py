"""The import report: counts that add up, advice that can be acted on, no person's values."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pytest

from chw_tools.data_processing import ReportBuilder, clean_table
from chw_tools.records import TABLES, load_catalogue
from chw_tools.records.codes import DANGER_SIGN, LOINC

TODAY = date(2024, 3, 31)
PERSON = {"id": "a", "sex": "female", "source": "t", "known_on": "2024-01-01"}
SEEN = {
    "id": "o",
    "person_id": "a",
    "system": LOINC,
    "code": "8480-6",
    "value_number": 120,
    "unit": "mm[Hg]",
    "observed_on": "2024-01-01",
    "source": "t",
    "known_on": "2024-01-01",
}


@dataclass(frozen=True)
class Saved:
    new: int
    unchanged: int
    changed: int


def add(builder: ReportBuilder, table: str, *rows: dict) -> None:
    raw = pd.DataFrame(list(rows))
    done = clean_table(TABLES[table], raw, catalogue=load_catalogue(), today=TODAY)
    builder.add_cleaned(TABLES[table], done)


def built(table: str, *rows: dict):
    builder = ReportBuilder()
    add(builder, table, *rows)
    return builder.build()


def pressures(values) -> list[dict]:
    return [{**SEEN, "id": f"o{n}", "value_number": value} for n, value in enumerate(values)]


def test_counts_add_up_over_batches():
    builder = ReportBuilder()
    add(builder, "people", PERSON, PERSON, {**PERSON, "id": "b", "sex": "xq7"})
    add(builder, "people", {**PERSON, "id": "c"})
    builder.add_saved("people", Saved(new=1, unchanged=1, changed=0))
    [people] = builder.build().tables
    assert (people.trusted, people.rejected, people.identical) == (2, 1, 1)
    assert (people.new, people.unchanged, people.changed) == (1, 1, 0)


def test_a_reason_is_counted_once_with_its_first_places():
    rows = [{**PERSON, "id": str(n), "sex": "xq7", "at": f"people.csv:{n}"} for n in range(5)]
    [reason] = built("people", *rows).rejections
    assert (reason.table, reason.column, reason.n) == ("people", "sex", 5)
    assert reason.places == ("people.csv:0", "people.csv:1", "people.csv:2")
    assert reason.cure


def test_records_that_never_became_a_row_are_counted_too():
    builder = ReportBuilder()
    builder.add_rejected(pd.DataFrame([{"table": "", "at": "a.json:1", "column": None,
                                        "reason": "no resource", "cure": None}]))  # fmt: skip
    assert builder.build().n_rejected == 1


def test_an_unmapped_code_comes_with_the_closest_label_of_a_fitting_unit():
    def row(key, display, unit):
        return {**SEEN, "id": key, "system": "local", "code": display, "display": display,
                "unit": unit}  # fmt: skip

    rows = [row("1", "Body weight", "kg"), row("2", "Body weight", "kg"),
            row("3", "Weight for age", "%"), row("4", "Depth of well", "m"),
            row("5", "Hemoglobin in urine", None), row("6", "Hemoglobin", "gm/dL")]  # fmt: skip
    unmapped = {u.code: (u.n, u.suggestion) for u in built("observations", *rows).unmapped}
    assert unmapped == {
        "Body weight": (2, "weight_kg"),
        "Weight for age": (1, ""),
        "Depth of well": (1, ""),
        "Hemoglobin in urine": (1, ""),
        "Hemoglobin": (1, "haemoglobin_g_dl"),
    }


def test_a_danger_sign_without_a_meaning_stands_first_and_is_said_aloud():
    lab = [{**SEEN, "id": str(n), "code": "99999-9"} for n in range(3)]
    sign = {**SEEN, "id": "d", "system": DANGER_SIGN, "code": "new-sign", "unit": None,
            "value_number": None, "value_code": "yes"}  # fmt: skip
    report = built("observations", *lab, sign)
    assert [u.code for u in report.unmapped] == ["new-sign", "99999-9"]
    assert "DANGER SIGNS" in report.as_text()
    assert "DANGER SIGNS" not in built("observations", *lab).as_text()


def test_odd_values_are_counted_by_observable():
    rows = [*pressures([120, 260, 999]), {**SEEN, "id": "x", "unit": "fathom"},
            {**SEEN, "id": "y", "unit": None}]  # fmt: skip
    [systolic] = built("observations", *rows).observables
    assert systolic.name == "systolic_mmhg"
    assert (systolic.n, systolic.impossible, systolic.unusual) == (3, 1, 1)
    assert (systolic.unreadable_unit, systolic.assumed_unit) == (1, 1)


@pytest.mark.parametrize(
    ("values", "share_0", "share_5", "index"),
    [
        (range(100, 200), 0.1, 0.1, 0.0),
        ([120, 130, 140], 1.0, 0.0, 0.9),
        ([120, 125, 130, 135], 0.5, 0.5, 0.8),
        ([*range(100, 200, 2)], 0.2, 0.0, 0.5),
    ],
)
def test_digit_preference(values, share_0, share_5, index):
    [found] = built("observations", *pressures(values)).digit_preference
    assert found.n == len(values)
    assert (found.share_0, found.share_5) == (pytest.approx(share_0), pytest.approx(share_5))
    assert found.index == pytest.approx(index)


def test_without_blood_pressures_no_digits_are_judged():
    rows = [{**SEEN, "code": "8867-4", "unit": "/min"}]
    assert built("observations", *rows).digit_preference == ()


def test_missing_values_are_counted_by_column():
    report = built("people", {**PERSON, "phone": "1"}, {**PERSON, "id": "b"})
    missing = {m.column: (m.n_missing, m.n) for m in report.missing}
    assert missing["phone"] == (1, 2)
    assert missing["born_on"] == (2, 2)
    assert "sex" not in missing


def test_a_copy_is_independent():
    builder = ReportBuilder()
    add(builder, "people", PERSON)
    before = deepcopy(builder)
    add(builder, "people", {**PERSON, "id": "b", "sex": "xq7"})
    builder.note("something")
    builder.add_file("a.csv")
    assert before.build().n_rejected == 0
    assert before.build().notes == before.build().files == ()
    assert builder.build().n_rejected == 1


def test_batches_and_one_batch_give_one_report():
    rows = [*pressures([120, 131, 260, 999]), {**SEEN, "id": "u", "code": "99999-9"}]
    builder = ReportBuilder()
    for n, row in enumerate(rows, start=1):
        add(builder, "observations", {**row, "at": f"row {n}"})
    assert builder.build() == built("observations", *rows)


def full_report():
    builder = ReportBuilder()
    secret = {"given_name": "Zawadixyz", "family_name": "Okellonxyz", "born_on": "1987-03-02",
              "phone": "+255700111222"}  # fmt: skip
    add(builder, "people", {**PERSON, **secret}, {**PERSON, **secret, "id": "b"},
        {**PERSON, "id": "c", "sex": "secretxyz", **secret})  # fmt: skip
    odd = {**SEEN, "id": "u", "code": "<script>alert(1)</script>", "display": "<b>x</b>"}
    add(builder, "observations", *pressures([120, 260, 987.25]), odd)
    builder.add_counts("Patient", read=3)
    builder.add_counts("Claim", read=2, not_modelled=2)
    builder.add_file("people.csv")
    builder.add_file_fault("broken.csv", "the file ends in the middle of a line")
    builder.note("people: known_on taken from the event day", 2)
    return builder.build()


def test_the_page_stands_alone_and_escapes_what_it_is_given():
    page = full_report().to_html()
    assert "<script" not in page
    assert "<b>x" not in page
    assert "&lt;script&gt;" in page
    assert "http-equiv" not in page
    assert 'src="' not in page
    assert "href=" not in page
    assert 'name="viewport"' in page


@pytest.mark.parametrize("render", ["as_text", "to_html"])
def test_no_persons_value_is_told_and_everything_else_is(render):
    told = getattr(full_report(), render)()
    for secret in ("xyz", "1987", "255700111222", "987.25"):
        assert secret not in told
    for said in ("broken.csv", "Claim", "known_on taken", "Systolic blood pressure", "people.sex"):
        assert said in told


def test_likely_duplicates_are_named_by_id():
    assert full_report().duplicates.pairs == (("a", "b"),)


def test_a_long_list_says_that_it_was_cut():
    rows = [{**SEEN, "id": str(n), "code": f"local-{n}"} for n in range(50)]
    assert "... and 30 more" in built("observations", *rows).as_text()


def test_an_empty_import_has_an_empty_report():
    report = ReportBuilder().build()
    assert report.n_trusted == report.n_rejected == 0
    assert report.as_text().startswith("0 files read")


def test_a_builder_does_not_grow_with_the_rows():
    import pickle

    builder = ReportBuilder()
    values = np.random.default_rng(1).integers(80, 200, 400)
    add(builder, "observations", *pressures(values[:200]))
    small = len(pickle.dumps(vars(builder)["_codes"])) + len(pickle.dumps(vars(builder)["_digits"]))
    add(builder, "observations", *pressures(values))
    large = len(pickle.dumps(vars(builder)["_codes"])) + len(pickle.dumps(vars(builder)["_digits"]))
    assert large < small * 1.1
