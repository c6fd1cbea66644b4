"""The feature builder: what it says of a person, and what may never change its answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chw_tools.feature_engineering import build_features, people_needed
from chw_tools.records import TABLES, Register, load_catalogue
from chw_tools.records.codes import ATC, DANGER_SIGN, ICD10, LOINC, SNOMED

DAY = pd.Timestamp("2024-05-01")
SYSTOLIC, WEIGHT, HEIGHT, BMI, TOBACCO = "8480-6", "29463-7", "8302-2", "39156-5", "72166-2"


def key(letter: str, number: int) -> str:
    return f"01890000-0000-7000-8000-{letter}{number:011x}"


def days(frame: pd.DataFrame) -> pd.DataFrame:
    for name in frame:
        if name.endswith("_on"):
            frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    return frame


def register(**tables) -> Register:
    """A register of rows given as dicts; ids, source and known_on are filled in."""
    made = {}
    for letter, (name, rows) in zip("abcdefghijk", tables.items(), strict=False):
        event_day = TABLES[name].event_day
        frame = pd.DataFrame(
            [
                {
                    "id": key(letter, at),
                    "source": "chw",
                    "known_on": row.get(event_day) if TABLES[name].is_event else "2020-01-01",
                    **row,
                }
                for at, row in enumerate(rows)
            ]
        )
        made[name] = days(frame)
    return Register.of(made)


def person(at: int = 0, **columns) -> dict:
    return {"id": key("f", at), "sex": "female", "born_on": "1984-05-01", **columns}


def seen(code: str, value, on: str, at: int = 0, system: str = LOINC, **columns) -> dict:
    told = "value_number" if isinstance(value, int | float) else "value_code"
    return {
        "person_id": key("f", at),
        "system": system,
        "code": code,
        told: value,
        "observed_on": on,
        **columns,
    }


def only_row(made: Register, as_of: pd.Timestamp = DAY) -> pd.Series:
    frame = build_features(made, as_of=as_of).frame
    assert len(frame) == 1
    return frame.iloc[0]


def of(**tables) -> pd.Series:
    return only_row(register(people=[person()], **tables))


# Demography


@pytest.mark.parametrize(
    ("born", "years"),
    [
        ("1984-05-01", 40.0),
        ("1984-05-02", 39 + 365 / 366),
        ("2024-05-01", 0.0),
        ("1984-04-30", 40 + 1 / 365),
    ],
)
def test_age_is_whole_on_the_birthday(born, years):
    row = only_row(register(people=[person(born_on=born)]))
    assert row["age_years"] == pytest.approx(years)


def test_someone_born_on_29_february_turns_a_year_older_on_1_march():
    born = register(people=[person(born_on="2004-02-29")])
    assert only_row(born, pd.Timestamp("2022-02-28"))["age_years"] < 18
    assert only_row(born, pd.Timestamp("2022-03-01"))["age_years"] == 18


@pytest.mark.parametrize(
    ("born", "months"),
    [("2024-03-02", 1), ("2024-03-01", 2), ("2019-05-02", 59), ("2019-05-01", np.nan)],
)
def test_months_are_completed_and_end_at_the_fifth_birthday(born, months):
    row = only_row(register(people=[person(born_on=born)]))
    assert row["age_months"] == pytest.approx(months, nan_ok=True)


def test_an_unknown_birth_has_no_age():
    row = only_row(register(people=[person(born_on=None)]))
    assert np.isnan(row["age_years"])
    assert np.isnan(row["age_months"])


@pytest.mark.parametrize(
    ("born", "precision", "as_of", "days"),
    [
        # The period lasts: the middle of its days so far.
        ("2024-07-01", "year", "2024-05-01", 61),
        ("2024-07-01", "year", "2024-07-02", 92),  # not newborn because July begins
        ("2024-07-01", "year", "2024-01-01", 0),
        ("2024-05-15", "month", "2024-05-05", 2),
        # It is over, or the day is known: as recorded.
        ("2024-07-01", "year", "2025-01-01", 184),
        ("2024-05-15", "month", "2024-06-01", 17),
        ("2024-04-29", "day", "2024-05-01", 2),
    ],
)
def test_a_birth_known_roughly_is_never_ahead(born, precision, as_of, days):
    made = register(people=[person(born_on=born, born_precision=precision)])
    row = only_row(made, pd.Timestamp(as_of))
    assert row["age_years"] * 366 == pytest.approx(days, abs=1)
    assert row["age_months"] >= 0


def test_choices_carry_all_declared_levels():
    features = build_features(register(people=[person()]), as_of=DAY)
    assert list(features.frame["sex"].cat.categories) == ["female", "male", "other", "unknown"]
    assert features.frame["sex"].iloc[0] == "female"
    assert pd.isna(features.frame["education"].iloc[0])


def test_those_who_died_moved_or_were_merged_have_no_row_and_rows_are_sorted():
    made = register(
        people=[
            person(3),
            person(0, died_on="2024-04-30"),
            person(1, moved_on="2024-05-01"),
            person(2, died_on="2024-05-02"),
            person(4),
        ],
        person_changes=[
            {
                "person_id": key("f", 4),
                "change": "merged",
                "happened_on": "2024-01-01",
                "into_person_id": key("f", 3),
            }
        ],
        observations=[seen(SYSTOLIC, 150, "2023-01-01", at=4)],
    )
    frame = build_features(made, as_of=DAY).frame
    assert list(frame.index) == [key("f", 2), key("f", 3)]
    assert frame.loc[key("f", 3), "systolic_mmhg"] == 150


# What was observed


def test_the_latest_value_counts_with_the_days_since():
    row = of(
        observations=[
            seen(SYSTOLIC, 150, "2024-04-21"),
            seen(SYSTOLIC, 180, "2023-01-01"),
            seen("8459-0", 144, "2024-04-25"),  # sitting: another code of the same thing
        ]
    )
    assert row["systolic_mmhg"] == 144
    assert row["systolic_mmhg_days_since"] == 6


def test_of_two_values_on_one_day_the_later_id_counts_whatever_the_order():
    rows = [
        seen(SYSTOLIC, 150, "2024-04-21", id=key("a", 2)),
        seen(SYSTOLIC, 120, "2024-04-21", id=key("a", 1)),
    ]
    assert of(observations=rows)["systolic_mmhg"] == 150
    assert of(observations=rows[::-1])["systolic_mmhg"] == 150


def test_what_was_not_measured_stays_missing():
    row = of(observations=[seen(SYSTOLIC, 150, "2024-04-21")])
    assert np.isnan(row["diastolic_mmhg"])
    assert np.isnan(row["diastolic_mmhg_days_since"])
    assert np.isnan(row["systolic_mmhg_per_year"])
    assert pd.isna(row["tobacco"])


def test_an_answer_without_a_value_does_not_hide_the_one_before():
    row = of(
        observations=[seen(TOBACCO, "current", "2023-01-01"), seen(TOBACCO, "?", "2024-01-01")]
    )
    assert row["tobacco"] == "current"


def test_the_code_of_another_system_is_another_thing():
    assert np.isnan(
        of(observations=[seen(SYSTOLIC, 150, "2024-04-21", system="urn:x")])["systolic_mmhg"]
    )


@pytest.mark.parametrize("slope", [-12.0, 0.0, 7.5])
def test_the_trend_is_the_change_a_year(slope):
    dates = pd.to_datetime(["2021-09-01", "2022-03-01", "2023-12-24", "2024-04-30"])
    years = (dates - dates[0]).days / 365.25
    row = of(
        observations=[
            seen(SYSTOLIC, 120 + slope * y, f"{d:%Y-%m-%d}")
            for d, y in zip(dates, years, strict=True)
        ]
    )
    assert row["systolic_mmhg_per_year"] == pytest.approx(slope, abs=1e-9)


def test_the_trend_equals_least_squares_over_scattered_values():
    rng = np.random.default_rng(3)
    back = rng.choice(1000, 9, replace=False)
    values = rng.normal(130, 20, 9)
    row = of(
        observations=[
            seen(SYSTOLIC, float(v), f"{DAY - pd.Timedelta(days=int(b)):%Y-%m-%d}")
            for v, b in zip(values, back, strict=True)
        ]
    )
    assert row["systolic_mmhg_per_year"] == pytest.approx(np.polyfit(-back / 365.25, values, 1)[0])


@pytest.mark.parametrize("dates", [["2024-04-01", "2024-04-01"], ["2024-04-01", "2021-04-01"]])
def test_no_trend_without_two_days_in_three_years(dates):
    row = of(observations=[seen(SYSTOLIC, 120 + 9 * i, d) for i, d in enumerate(dates)])
    assert np.isnan(row["systolic_mmhg_per_year"])


def test_bmi_follows_a_newer_weight_in_adults():
    rows = [
        seen(BMI, 22.0, "2023-01-01"),
        seen(HEIGHT, 160, "2020-01-01"),
        seen(WEIGHT, 80.0, "2024-04-01"),
    ]
    row = of(observations=rows)
    assert row["bmi"] == pytest.approx(80 / 1.6**2)
    assert row["bmi_days_since"] == 30
    assert of(observations=[*rows, seen(BMI, 30.0, "2024-04-02")])["bmi"] == 30.0


def test_bmi_of_a_child_is_not_computed():
    made = register(
        people=[person(born_on="2014-05-01")],
        observations=[seen(HEIGHT, 120, "2024-01-01"), seen(WEIGHT, 30.0, "2024-01-01")],
    )
    assert np.isnan(only_row(made)["bmi"])


def test_an_impossible_bmi_is_not_computed():
    row = of(observations=[seen(HEIGHT, 25, "2024-01-01"), seen(WEIGHT, 90.0, "2024-01-01")])
    assert np.isnan(row["bmi"])


# Danger signs


def test_danger_signs_not_asked_are_not_known():
    row = of()
    assert pd.isna(row["has_danger_sign"])
    assert np.isnan(row["danger_sign_days_since"])


def test_a_danger_sign_stays_until_it_is_denied():
    rows = [
        seen("convulsions", "yes", "2024-04-20", system=DANGER_SIGN),
        seen("chest-pain", "no", "2024-04-25", system=DANGER_SIGN),
    ]
    row = of(observations=rows)
    assert row["has_danger_sign"]
    assert row["danger_sign_days_since"] == 11
    denied = seen("convulsions", "no", "2024-04-28", system=DANGER_SIGN)
    row = of(observations=[*rows, denied])
    assert not row["has_danger_sign"]
    assert row["danger_sign_days_since"] == 3


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_answers_about_a_danger_sign_on_one_day_yes_counts(order):
    rows = [
        seen("convulsions", "yes", "2024-04-20", system=DANGER_SIGN),
        seen("convulsions", "no", "2024-04-20", system=DANGER_SIGN),
    ]
    row = of(observations=rows[::order])
    assert row["danger_convulsions"] == "yes"
    assert row["has_danger_sign"]


# Conditions, medicines, pregnancy


def condition(code: str, system: str = ICD10, **columns) -> dict:
    return {"person_id": key("f", 0), "system": system, "code": code, **columns}


@pytest.mark.parametrize(
    ("system", "code", "name"),
    [
        (ICD10, "I10", "hypertension"),
        (ICD10, "E11.9", "diabetes"),
        (SNOMED, "38341003", "hypertension"),
        (SNOMED, "230690007", "stroke"),
        (SNOMED, "271737000", "anaemia"),
        ("urn:chw-tools:code", "chronic-kidney-disease", "chronic_kidney_disease"),
    ],
)
def test_a_diagnosis_is_known_by_any_of_its_codes(system, code, name):
    row = of(conditions=[condition(code, system)])
    assert [n for n in row.index if (n.startswith("has_") and row[n] is np.True_) or row[n] is True]
    assert row[f"has_{name}"]


def test_none_on_record_is_false_and_an_ended_one_too_unless_it_is_lifelong():
    assert not of()["has_hypertension"]
    ended = {"onset_on": "2020-01-01", "resolved_on": "2023-01-01"}
    row = of(conditions=[condition("A15", **ended), condition("I63.9", **ended)])
    assert not row["has_tuberculosis"]
    assert row["has_stroke"]


def test_medicines_count_once_a_code_and_only_while_taken():
    def medicine(code, **columns):
        return condition(code, ATC, started_on="2023-01-01", **columns)

    row = of(
        medications=[
            medicine("C09AA02", status="active"),
            medicine("C09AA02"),
            medicine("A10BA02", ended_on="2024-01-01"),
            medicine("C10AA01", status="stopped"),
            medicine("B03AA07", ended_on="2024-09-01"),
        ]
    )
    assert row["n_active_medicines"] == 2
    assert row["takes_antihypertensive"]
    assert row["takes_iron_or_folate"]
    assert not row["takes_diabetes_medicine"]
    assert not row["takes_statin"]


def expecting(**columns) -> dict:
    return {"person_id": key("f", 0), **columns}


def test_weeks_of_pregnancy_are_completed_and_follow_the_due_day():
    row = of(pregnancies=[expecting(last_period_on="2024-01-04")])
    assert row["is_pregnant"]
    assert row["gestational_weeks"] == 16
    row = of(pregnancies=[expecting(last_period_on="2023-11-01", due_on="2024-10-10")])
    assert row["gestational_weeks"] == 16  # 280 - 162 days = 16 weeks and 6 days


def test_after_birth_the_weeks_since_count():
    row = of(
        pregnancies=[
            expecting(last_period_on="2023-06-01", ended_on="2024-04-10", outcome="live_birth")
        ]
    )
    assert not row["is_pregnant"]
    assert row["weeks_postpartum"] == 3
    assert np.isnan(row["gestational_weeks"])


def test_a_loss_is_no_birth_and_a_pregnancy_never_closed_is_not_known():
    lost = of(
        pregnancies=[
            expecting(last_period_on="2024-01-01", ended_on="2024-03-01", outcome="miscarriage")
        ]
    )
    assert np.isnan(lost["weeks_postpartum"])
    forgotten = of(pregnancies=[expecting(last_period_on="2022-01-01")])
    assert pd.isna(forgotten["is_pregnant"])
    assert np.isnan(forgotten["gestational_weeks"])


def test_a_birth_known_later_leaves_the_woman_pregnant():
    row = of(
        pregnancies=[
            expecting(last_period_on="2023-08-01", ended_on="2024-05-03", outcome="live_birth")
        ]
    )
    assert row["is_pregnant"]


# Visits, households


def visit(on: str, kind: str = "home", outcome: str = "seen") -> dict:
    return {"person_id": key("f", 0), "visited_on": on, "kind": kind, "outcome": outcome}


def test_visits_of_the_last_year_are_counted_by_kind():
    row = of(
        visits=[
            visit("2024-04-01"),
            visit("2024-04-20", outcome="away"),
            visit("2023-05-03"),
            visit("2023-05-02"),  # 365 days ago: outside
            visit("2024-02-01", "facility"),
            visit("2024-03-01", "inpatient"),
        ],
        outcomes=[
            {
                "person_id": key("f", 0),
                "outcome": "hospital_admission",
                "happened_on": on,
                "is_positive": positive,
            }
            for on, positive in (("2024-03-01", True), ("2024-04-02", True), ("2024-01-01", False))
        ],
    )
    assert row["n_visits_365d"] == 2
    assert row["n_missed_visits_365d"] == 1
    assert row["n_facility_visits_365d"] == 1
    assert row["n_inpatient_365d"] == 1
    assert row["n_admissions_365d"] == 2  # the stay of 1 March is known twice
    assert row["days_since_visit"] == 30


def test_a_household_counts_the_living_and_its_young_children():
    home = key("b", 0)
    made = register(
        people=[
            person(0, household_id=home),
            person(1, household_id=home, born_on="2020-06-01"),
            person(2, household_id=home, died_on="2024-01-01"),
            person(3),
        ],
        households=[
            {"wealth_fifth": 2, "facility_km": 4.5, "has_safe_water": True, "area_id": key("c", 0)}
        ],
        areas=[{"name": "A", "level": "village", "is_rural": True}],
    )
    frame = build_features(made, as_of=DAY).frame
    assert frame["household_size"].tolist()[:2] == [2, 2]
    assert frame["children_under5_in_household"].tolist()[:2] == [1, 1]
    assert np.isnan(frame["household_size"].iloc[2])
    assert frame["wealth_fifth"].iloc[0] == 2
    assert frame["has_safe_water"].iloc[0]
    assert pd.isna(frame["has_clean_fuel"].iloc[0])
    assert frame["is_rural"].iloc[0]
    assert pd.isna(frame["is_rural"].iloc[2])
    assert frame["area_id"].iloc[0] == key("c", 0)


def test_an_empty_register_has_the_whole_declaration():
    features = build_features(Register.of(), as_of=DAY)
    assert list(features.frame.columns) == [f.name for f in features.declaration]
    wanted = {name for name in load_catalogue().entries} | {"age_years", "n_active_medicines"}
    assert wanted <= set(features.frame.columns)


def test_no_identifier_and_no_danger_sign_is_for_models():
    features = build_features(Register.of(), as_of=DAY)
    barred = [f for f in features.declaration if not f.for_models]
    assert {f.name for f in features.declaration if f.kind == "id"} <= {f.name for f in barred}
    assert {f.name for f in features.declaration if f.group == "danger_sign"} <= {
        f.name for f in barred
    }
    assert len({f.name for f in features.declaration}) == len(features.declaration)


def test_only_measurements_of_the_body_are_vitals():
    # A new catalogue entry that is asked and not measured needs a group of its own.
    units = {"mm[Hg]", "/min", "Cel", "%", "kg", "cm", "kg/m2"}
    catalogue = load_catalogue()
    for feature in build_features(Register.of(), as_of=DAY).declaration:
        entry = catalogue.entries.get(feature.name)
        if entry is not None and feature.group == "vitals":
            assert entry.unit in units or entry.name == "oedema", entry.name


# What may never change an answer


ANSWERS = [(SYSTOLIC, 120), (SYSTOLIC, 160), (WEIGHT, 70), (HEIGHT, 160), (TOBACCO, "current")]
ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(ANSWERS), st.integers(0, 1500)),
    max_size=25,
)
# No shrinking: a register is slow to build, and the failing one is small enough to read.
QUICK = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


def many(rows, *, known_after: int | None = None, first_id: int = 0, system=LOINC) -> list[dict]:
    made = []
    for at, (who, (code, value), back) in enumerate(rows):
        on = DAY - pd.Timedelta(days=back)
        row = seen(code, value, f"{on:%Y-%m-%d}", at=who, system=system)
        row["id"] = key("a", first_id + at)
        if known_after is not None:
            row["known_on"] = f"{DAY + pd.Timedelta(days=known_after):%Y-%m-%d}"
        made.append(row)
    return made


def base(rows) -> Register:
    homes = [person(i, household_id=key("b", i // 2)) for i in range(4)]
    anchor = seen("8867-4", 70, "2020-01-01", id=key("a", 999))
    return register(people=homes, observations=[anchor, *rows])


@QUICK
@given(rows=ROWS, later=ROWS, days_later=st.integers(1, 400))
def test_nothing_known_later_enters(rows, later, days_later):
    before = build_features(base(many(rows)), as_of=DAY).frame
    more = many(rows) + many(later, known_after=days_later, first_id=500)
    pd.testing.assert_frame_equal(before, build_features(base(more), as_of=DAY).frame)


@QUICK
@given(rows=ROWS, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(rows, seed):
    made = base(many(rows))
    shuffled = Register.of(
        {name: frame.sample(frac=1, random_state=seed) for name, frame in made.tables()}
    )
    pd.testing.assert_frame_equal(
        build_features(made, as_of=DAY).frame, build_features(shuffled, as_of=DAY).frame
    )


@QUICK
@given(rows=ROWS)
def test_one_person_is_as_in_the_batch_and_others_do_not_matter(rows):
    made = base(many(rows))
    batch = build_features(made, as_of=DAY).frame
    for person_id in batch.index:
        part = made.of_people(people_needed(made, [person_id]))
        alone = build_features(part, as_of=DAY, person_ids=[person_id]).frame
        pd.testing.assert_frame_equal(alone, batch.loc[[person_id]])


def test_people_needed_follows_merges_and_households():
    made = register(
        people=[
            person(0, household_id=key("b", 0)),
            person(1, household_id=key("b", 1)),
            person(2, household_id=key("b", 1)),
            person(3, household_id=key("b", 2)),
        ],
        person_changes=[
            {
                "person_id": key("f", 1),
                "change": "merged",
                "happened_on": "2024-01-01",
                "into_person_id": key("f", 0),
            }
        ],
    )
    assert people_needed(made, [key("f", 0)]) == [key("f", i) for i in range(3)]
    assert people_needed(made, [key("f", 3)]) == [key("f", 3)]


def growing(**person_columns):
    return [person(0, born_on="2022-11-01", **person_columns), person(1)]


def test_growth_is_judged_from_weight_and_height_of_one_day():
    rows = [
        seen(WEIGHT, 9.0, "2024-02-01"),
        seen("8306-3", 80.0, "2024-02-01"),
        seen(WEIGHT, 9.6, "2024-04-20"),  # no height that day
        seen(WEIGHT, 60.0, "2024-04-20", at=1),  # an adult has no growth
        seen(HEIGHT, 160.0, "2024-04-20", at=1),
    ]
    frame = build_features(register(people=growing(), observations=rows), as_of=DAY).frame
    child, adult = frame.loc[key("f", 0)], frame.loc[key("f", 1)]
    assert child["weight_for_height_z_days_since"] == 90
    assert child["weight_for_age_z_days_since"] == 11
    assert -2 < child["weight_for_height_z"] < -1  # a girl of 80 cm weighs 10 kg at the median
    assert child["height_for_age_z_days_since"] == 90
    assert pd.isna(child["muac_for_age_z"])
    assert not child["growth_is_implausible"]
    assert pd.isna(adult["weight_for_age_z"])
    assert pd.isna(adult["growth_is_implausible"])


def test_a_growth_that_cannot_be_true_is_left_out_and_told():
    rows = [seen(WEIGHT, 60.0, "2024-04-20"), seen(HEIGHT, 80.0, "2024-04-20")]
    child = build_features(register(people=growing(), observations=rows), as_of=DAY).frame.iloc[0]
    assert pd.isna(child["weight_for_height_z"])
    assert child["growth_is_implausible"]


def test_swollen_feet_of_the_day_leave_no_weight_for_height():
    rows = [
        seen(WEIGHT, 9.0, "2024-04-20"),
        seen(HEIGHT, 80.0, "2024-04-20"),
        seen("bilateral-oedema", "yes", "2024-04-20", system="urn:chw-tools:code"),
    ]
    child = build_features(register(people=growing(), observations=rows), as_of=DAY).frame.iloc[0]
    assert pd.isna(child["weight_for_height_z"])
    assert not pd.isna(child["height_for_age_z"])
