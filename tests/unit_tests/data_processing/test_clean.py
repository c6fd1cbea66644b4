"""Rows as received: what is trusted, what is refused and why, and that nothing is lost."""

from __future__ import annotations

import json
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.data_processing import clean_table, earliest_births
from chw_tools.data_processing.clean import ORDERED_DAYS, PLANNED_DAYS, check_declared
from chw_tools.data_processing.faults import Faults
from chw_tools.records import TABLES, conform, load_catalogue
from chw_tools.records.checks import find_problems
from chw_tools.records.codes import LOINC, SNOMED

TODAY = date(2024, 3, 31)
CATALOGUE = load_catalogue()
PERSON = {"id": "a", "sex": "female", "source": "t", "known_on": "2024-01-01"}
SEEN = {
    "id": "o",
    "person_id": "a",
    "system": LOINC,
    "code": "8480-6",
    "value_number": "120",
    "unit": "mm[Hg]",
    "observed_on": "2024-01-01",
    "source": "t",
    "known_on": "2024-01-01",
}
TOBACCO = {**SEEN, "code": "72166-2", "value_number": None, "unit": None}


def clean(table: str, *rows: dict, **more):
    return clean_table(TABLES[table], pd.DataFrame(list(rows)), catalogue=CATALOGUE, today=TODAY,
                       **more)  # fmt: skip


def person(**given):
    return clean("people", {**PERSON, **given})


def observation(**given):
    return clean("observations", {**SEEN, **given})


def only(done):
    assert done.rejected["reason"].tolist() == []
    return done.trusted.iloc[0]


def refused(done) -> tuple[str, str]:
    assert len(done.trusted) == 0
    row = done.rejected.iloc[0]
    return row["column"], row["reason"]


@pytest.mark.parametrize(
    ("said", "day", "precision"),
    [
        ("1990-06-07", "1990-06-07", "day"),
        ("1990-06", "1990-06-15", "month"),
        ("1990", "1990-07-01", "year"),
        ("1990-06-07T23:30:00-05:00", "1990-06-07", "day"),
    ],
)
def test_a_birth_is_as_precise_as_it_was_written(said, day, precision):
    row = only(person(born_on=said))
    assert (row["born_on"], row["born_precision"]) == (pd.Timestamp(day), precision)


def test_a_full_day_may_be_declared_less_precise_but_a_year_never_more():
    assert only(person(born_on="1990-07-01", born_precision="year"))["born_precision"] == "year"
    assert only(person(born_on="1990", born_precision="day"))["born_precision"] == "year"


def test_precision_is_row_by_row():
    done = clean(
        "people",
        {**PERSON, "born_on": "1990-01-02"},
        {**PERSON, "id": "b", "born_on": "1991"},
        {**PERSON, "id": "c", "born_on": ""},
    )
    assert done.trusted["born_precision"].fillna("").tolist() == ["day", "year", ""]


@pytest.mark.parametrize(
    "said", ["1990-02-30", "1990-13-01", "07/06/1990", "19900607", "1990-6-7", "1990-06-07x"]
)
def test_what_is_no_day_is_refused(said):
    assert refused(person(born_on=said)) == ("born_on", "is not a day")


def test_a_partial_day_is_for_births_only():
    assert refused(observation(observed_on="2024-01"))[0] == "observed_on"


@pytest.mark.parametrize(
    "said", ["2024-01-15T23:59:59.123+05:30", "2024-01-15 00:00", "2024-01-15T10:00:00Z",
             pd.Timestamp("2024-01-15T23:00", tz="Asia/Kolkata"), date(2024, 1, 15),
             pd.Timestamp("2024-01-15 13:00")],
)  # fmt: skip
def test_an_instant_is_cut_to_the_day_of_its_own_offset(said):
    assert only(observation(observed_on=said))["observed_on"] == pd.Timestamp("2024-01-15")


@pytest.mark.parametrize(
    ("said", "value"),
    [("120", 120), (" 120.5 ", 120.5), ("120,5", 120.5), ("1.2e2", 120), (120, 120), ("+120", 120)],
)
def test_a_number_is_read(said, value):
    assert only(observation(value_number=said))["value_number"] == value


@pytest.mark.parametrize(
    ("said", "value"),
    [("0,123", 0.123), ("1,234,567", 1234567), ("1.234,5", 1234.5), ("1,234.5", 1234.5)],
)
def test_a_comma_with_one_meaning_is_read(said, value):
    row = only(observation(code="0-0", system="local", value_number=said))
    assert row["value_number"] == value


@pytest.mark.parametrize("said", ["1,234", "12,345", "-1,234"])
def test_a_comma_with_two_meanings_is_refused(said):
    column, reason = refused(observation(value_number=said))
    assert column == "value_number"
    assert "decimals or thousands" in reason


@pytest.mark.parametrize("said", ["<5", "high", "1.2.3", "0x1F", "1_000", "1e999", "inf"])
def test_what_is_no_number_is_refused(said):
    assert refused(observation(value_number=said))[0] == "value_number"


@pytest.mark.parametrize("said", ["F", "f", "Female", " FEMALE ", "woman"])
def test_a_choice_is_read_whatever_its_case(said):
    assert only(person(sex=said))["sex"] == "female"


def test_none_is_an_answer_only_where_it_is_declared():
    assert only(person(education="None"))["education"] == "none"
    assert refused(person(sex="none")) == ("sex", "must be given")


def test_an_undeclared_choice_is_refused_without_its_value():
    column, reason = refused(person(sex="xq7"))
    assert column == "sex"
    assert "xq7" not in reason
    assert "female" in reason


@pytest.mark.parametrize(
    ("said", "value"), [("yes", True), ("0", False), (1.0, True), (True, True)]
)
def test_a_flag_is_read(said, value):
    row = {"id": "h", "source": "t", "known_on": "2024-01-01", "has_safe_water": said}
    assert only(clean("households", row))["has_safe_water"] == value


def test_an_integer_must_be_whole():
    row = {"id": "h", "source": "t", "known_on": "2024-01-01", "wealth_fifth": "2.5"}
    assert refused(clean("households", row)) == ("wealth_fifth", "must be a whole number")
    assert only(clean("households", {**row, "wealth_fifth": "2.0"}))["wealth_fifth"] == 2


def test_a_name_that_reads_like_nothing_is_a_name():
    row = only(person(given_name="Null", family_name="Na", phone=255700000001.0))
    assert (row["given_name"], row["family_name"]) == ("Null", "Na")
    assert row["phone"] == "255700000001"


def test_what_is_required_must_be_given_and_is_said_once():
    done = clean("people", {"id": "a", "sex": "xq7", "known_on": "2024-01-01"})
    assert done.rejected["reason"].iloc[0].count("must be") == 2
    assert "also source: must be given" in done.rejected["reason"].iloc[0]


def test_a_refused_row_keeps_its_place_and_its_body():
    done = clean("people", {**PERSON, "sex": "xq7", "given_name": None, "at": "people.csv:17"})
    row = done.rejected.iloc[0]
    assert (row["table"], row["at"]) == ("people", "people.csv:17")
    assert json.loads(row["body"]) == {**PERSON, "sex": "xq7"}
    assert row["cure"]


@pytest.mark.parametrize(
    ("given", "column"),
    [
        ({"born_on": "2024-04-01"}, "born_on"),
        ({"born_on": "1899-12-30"}, "born_on"),
        ({"born_on": "1990-01-02", "died_on": "1990-01-01"}, "died_on"),
        ({"known_on": "2024-04-01"}, "known_on"),
    ],
)
def test_an_impossible_day_is_refused(given, column):
    assert refused(person(**given))[0] == column


def test_a_birth_this_year_known_to_the_year_is_no_fault():
    assert len(person(born_on="2024").trusted) == 1
    assert len(person(born_on="1990", died_on="1990-02-01").trusted) == 1
    assert refused(person(born_on="2025"))[0] == "born_on"


def test_a_planned_day_may_lie_ahead():
    row = {"id": "p", "person_id": "a", "due_on": "2024-09-01", "source": "t",
           "known_on": "2024-01-01"}  # fmt: skip
    assert len(clean("pregnancies", row).trusted) == 1


def test_declared_rules_about_days_name_declared_columns():
    for table, name in PLANNED_DAYS:
        assert TABLES[table].column(name).kind == "day"
    for table, pairs in ORDERED_DAYS.items():
        for first, second in pairs:
            assert {first, second} <= set(TABLES[table].columns_of("day"))


def test_what_happened_before_a_birth_is_refused_where_births_are_known():
    people = conform(TABLES["people"], pd.DataFrame([
        {"id": "a", "born_on": pd.Timestamp("2024-01-15"), "born_precision": "day"},
        {"id": "b", "born_on": pd.Timestamp("2024-07-01"), "born_precision": "year"},
        {"id": "c", "born_on": pd.Timestamp("2024-02-15"), "born_precision": "month"},
    ]))  # fmt: skip
    births = earliest_births(people)
    assert births["c"] == pd.Timestamp("2024-02-01")
    both = [
        {**SEEN, "id": key, "person_id": who} for key, who in [("1", "a"), ("2", "b"), ("3", "z")]
    ]
    done = clean("observations", *both, births=births)
    assert done.trusted["id"].tolist() == ["2", "3"]
    assert done.rejected["reason"].tolist() == ["lies before the person's birth"]


def test_two_people_with_one_identifier_are_refused_and_repeats_counted():
    done = clean("people", PERSON, PERSON, {**PERSON, "sex": "male"}, {**PERSON, "id": "b"})
    assert done.trusted["id"].tolist() == ["a", "b"]
    assert done.n_identical == 1
    assert done.rejected["reason"].tolist() == ["two people with one identifier"]


def test_a_sound_row_goes_in_where_only_its_namesake_is_faulty():
    done = clean("people", {**PERSON, "sex": "xq7"}, PERSON)
    assert len(done.trusted) == len(done.rejected) == 1


def test_an_undeclared_column_is_noted():
    notes = person(shoe_size="42").notes
    assert notes[["kind", "name", "n"]].to_numpy().tolist() == [
        ["undeclared_column", "shoe_size", 1]
    ]


@pytest.mark.parametrize(
    ("code", "value", "unit", "ours", "expected"),
    [
        ("8480-6", 120, "mmHg", "mm[Hg]", 120),
        ("8310-5", 98.6, "[degF]", "Cel", 37.0),
        ("8310-5", 37, "°C", "Cel", 37.0),
        ("8302-2", 1.7, "m", "cm", 170.0),
        ("8302-2", 67, "[in_i]", "cm", 170.18),
        ("29463-7", 3200, "g", "kg", 3.2),
        ("2339-0", 90, "mg/dL", "mmol/L", 4.995),
        ("8867-4", 72, "{beats}/min", "/min", 72),
        ("44261-6", 5, "{score}", "{score}", 5),
        ("44261-6", 5, "1", "{score}", 5),
    ],
)
def test_a_value_comes_in_the_catalogues_unit(code, value, unit, ours, expected):
    row = only(observation(code=code, value_number=value, unit=unit))
    assert row["value_number"] == pytest.approx(expected, abs=1e-9)
    assert row["unit"] == ours


def test_a_unit_that_cannot_be_turned_is_refused():
    done = observation(unit="fathom")
    assert refused(done)[0] == "unit"
    assert done.notes["kind"].tolist() == ["unreadable_unit"]


def test_a_missing_unit_is_assumed_for_the_preferred_code_only():
    done = observation(unit="")
    assert only(done)["unit"] == "mm[Hg]"
    assert done.notes["kind"].tolist() == ["assumed_unit"]
    # 2339-0 is glucose by mass: 90 would be a fatal 90 mmol/L, and within the limits.
    assert refused(observation(code="2339-0", value_number=90, unit=None))[0] == "unit"


def test_an_impossible_value_is_refused_by_name_and_limits_without_the_value():
    done = observation(value_number=987)
    assert refused(done) == (
        "value_number",
        "Systolic blood pressure must lie between 40 and 300 mm[Hg]",
    )
    assert done.notes[["kind", "name", "n"]].to_numpy().tolist() == [
        ["impossible_value", "systolic_mmhg", 1]
    ]


@pytest.mark.parametrize("entry", [e for e in CATALOGUE.entries.values() if e.low is not None])
def test_the_limits_themselves_are_possible(entry):
    code = {"system": entry.code.system, "code": entry.code.code, "unit": entry.unit}
    given = [
        {**SEEN, **code, "id": str(n), "value_number": v}
        for n, v in enumerate([entry.low, entry.high, entry.low - 0.01, entry.high + 0.01])
    ]
    done = clean("observations", *given)
    assert done.trusted["id"].tolist() == ["0", "1"]


def test_an_unusual_value_is_kept_and_noted():
    done = observation(value_number=260)
    assert only(done)["value_number"] == 260
    assert done.notes["kind"].tolist() == ["unusual_value"]


def test_an_unknown_code_is_kept_as_it_is_and_noted():
    done = observation(code="99999-9", value_number=3, unit="fathom", display="Depth of well")
    row = only(done)
    assert (row["value_number"], row["unit"]) == (3, "fathom")
    assert done.notes[["kind", "code", "display", "n"]].to_numpy().tolist() == [
        ["unmapped_code", "99999-9", "Depth of well", 1]
    ]


def test_the_same_code_of_another_system_is_another_code():
    done = observation(system=SNOMED, value_number=9999)
    assert done.notes["kind"].tolist() == ["unmapped_code"]


def test_a_code_system_may_be_written_as_its_name():
    assert only(observation(system="LOINC"))["system"] == LOINC


@pytest.mark.parametrize(
    ("said", "answer"),
    [("266919005", "never"), ("8517006", "former"), ("449868002", "current"),
     ("77176002", "current"), ("LA18976-3", "current"), ("LA18978-9", "never"),
     ("LA15920-4", "former"), ("Never", "never")],
)  # fmt: skip
def test_tobacco_answers_are_read(said, answer):
    assert only(clean("observations", {**TOBACCO, "value_code": said}))["value_code"] == answer


@pytest.mark.parametrize(
    ("said", "answer"),
    [("167277001", "3+"), ("167273002", "negative"), ("++", "2+"), ("Trace", "trace")],
)
def test_urine_strips_are_read(said, answer):
    row = {**TOBACCO, "code": "20454-5", "value_code": said}
    assert only(clean("observations", row))["value_code"] == answer


def test_a_danger_sign_is_yes_or_no_however_it_is_written():
    for sign in CATALOGUE.danger_signs():
        row = {**TOBACCO, "system": sign.code.system, "code": sign.code.code}
        assert only(clean("observations", {**row, "value_code": "TRUE"}))["value_code"] == "yes"
        assert only(clean("observations", {**row, "value_number": 0}))["value_code"] == "no"


def test_an_unknown_answer_and_no_answer_are_refused():
    assert refused(clean("observations", {**TOBACCO, "value_code": "266927001"}))[0] == "value_code"
    assert refused(clean("observations", TOBACCO)) == ("value_code", "must be given")
    assert refused(observation(value_number=None)) == ("value_number", "must be given")


MESSY = st.sampled_from(
    ["", "a", "b", "1", "120", "1,234", "12,5", "-3", "9999", "female", "F", "home", "seen",
     "2024-01-01", "2024-02-30", "2999-01-01", "1990", "yes", "mm[Hg]", "[degF]",
     LOINC, "8480-6", "8310-5", "72166-2",
     "never", "none", "given", None]
)  # fmt: skip


@st.composite
def batches(draw) -> tuple[str, pd.DataFrame]:
    name = draw(st.sampled_from(sorted(TABLES)))
    columns = draw(st.lists(st.sampled_from(TABLES[name].column_names), unique=True, min_size=1))
    n = draw(st.integers(0, 8))
    sound = {"observations": SEEN, "people": PERSON}.get(name, {})
    rows = [{**sound, **{column: draw(MESSY) for column in columns}} for _ in range(n)]
    return name, pd.DataFrame(rows, columns=[*dict.fromkeys([*sound, *columns])])


@given(batches())
@settings(max_examples=25, deadline=None)
def test_nothing_is_dropped_silently_and_what_is_trusted_is_as_declared(batch):
    name, raw = batch
    done = clean_table(TABLES[name], raw, catalogue=CATALOGUE, today=TODAY)
    assert len(raw) == len(done.trusted) + len(done.rejected) + done.n_identical
    assert find_problems(TABLES[name], done.trusted).empty
    assert done.rejected["reason"].notna().all()
    assert done.rejected["at"].is_unique


@given(batches())
@settings(max_examples=25, deadline=None)
def test_trusted_rows_stay_as_they_are_when_cleaned_again(batch):
    name, raw = batch
    once = clean_table(TABLES[name], raw, catalogue=CATALOGUE, today=TODAY).trusted
    twice = clean_table(TABLES[name], once, catalogue=CATALOGUE, today=TODAY)
    pd.testing.assert_frame_equal(twice.trusted, once)


@given(batches())
@settings(max_examples=25, deadline=None)
def test_one_row_alone_is_as_in_its_batch(batch):
    name, raw = batch
    raw = raw.assign(id=[f"k{n}" for n in range(len(raw))], at=[str(n) for n in range(len(raw))])
    together = clean_table(TABLES[name], raw, catalogue=CATALOGUE, today=TODAY)
    for n in range(len(raw)):
        lone = clean_table(TABLES[name], raw.iloc[[n]], catalogue=CATALOGUE, today=TODAY)
        assert (lone.rejected["at"].tolist() == [str(n)]) == (
            str(n) in set(together.rejected["at"])
        )
        among = together.trusted[together.trusted["id"] == f"k{n}"].reset_index(drop=True)
        pd.testing.assert_frame_equal(lone.trusted, among)


@given(batches())
@settings(max_examples=25, deadline=None)
def test_the_quick_check_and_pandera_agree(batch):
    name, raw = batch
    table = TABLES[name]
    numbers = {
        c: pd.to_numeric(raw[c], errors="coerce") for c in table.columns_of("number") if c in raw
    }
    whole = {c: pd.to_numeric(raw[c], errors="coerce").round().astype("Int64")
             for c in table.columns_of("integer") if c in raw}  # fmt: skip
    text = raw[[c for c in raw if table.column(c).kind in ("id", "text", "choice")]]
    frame = conform(table, text.assign(**numbers, **whole, id=[f"k{n}" for n in range(len(raw))]))
    faults = Faults(len(frame))
    check_declared(table, frame, faults)
    ours = {(row, c) for c in table.column_names for row in faults.of_column(c).nonzero()[0]}
    theirs = find_problems(table, frame)
    assert ours == set(zip(theirs["row"], theirs["column"], strict=True))


@pytest.mark.parametrize("size", ["1e300", "9223372036854775808", "-1e17"])
def test_a_whole_number_too_large_to_be_told_from_its_neighbour_is_refused(size):
    area = {"id": "a", "name": "A", "level": "district", "source": "t", "known_on": "2024-01-01"}
    done = clean("areas", {**area, "population": size})
    assert refused(done) == ("population", "is too large")


def test_a_value_that_overflows_in_conversion_is_impossible():
    column, reason = refused(observation(value_number="1e308"))
    assert column == "value_number"
    assert "must lie between" in reason
