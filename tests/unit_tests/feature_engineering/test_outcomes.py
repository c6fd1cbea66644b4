"""Labels: what is known to have happened, known not to have, and not observable.

Each rule of an outcome by a constructed case, and what may never change a label.
"""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.errors import ProgrammeFault
from chw_tools.feature_engineering import (
    build_features,
    count_states,
    describe_counts,
    label_outcome,
    label_rows,
    select_for_model,
)
from chw_tools.programme.outcomes import OutcomeDefinition, Threshold, load_outcomes
from chw_tools.records import TABLES, Register

DAY = pd.Timestamp("2024-01-01")


def key(letter: str, number: int) -> str:
    return f"01890000-0000-7000-8000-{letter}{number:011x}"


def rows(table: str, given: list[dict]) -> pd.DataFrame:
    event_day = TABLES[table].event_day
    frame = pd.DataFrame(
        [
            {
                "id": key("abcdef"[list(TABLES).index(table) % 6], at),
                "source": "chw",
                "known_on": row.get(event_day) if TABLES[table].is_event else "2020-01-01",
                **row,
            }
            for at, row in enumerate(given)
        ]
    )
    for name in frame:
        if name.endswith("_on"):
            frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    return frame


def person(at: int, **columns) -> dict:
    return {"id": key("f", at), "sex": "female", "born_on": "1980-01-01", **columns}


def happened(at: int, on: str, outcome: str = "hospital_admission", positive: bool = True, **more):
    return {
        "person_id": key("f", at),
        "outcome": outcome,
        "happened_on": on,
        "is_positive": positive,
        **more,
    }


def register(people: list[dict], **tables) -> Register:
    seen_until = {
        "person_id": people[0]["id"],
        "visited_on": "2024-12-31",
        "kind": "home",
        "outcome": "seen",
    }
    tables.setdefault("visits", [seen_until])
    return Register.of(
        {name: rows(name, given) for name, given in {"people": people, **tables}.items()}
    )


def within(days: int = 180, **changes) -> OutcomeDefinition:
    values = {
        "name": "admission",
        "label": "Admission or death",
        "recorded": ("hospital_admission", "death"),
        "kind": "within_days",
        "horizon_days": days,
        "intended_use": "",
        "not_for": "",
    }
    return OutcomeDefinition(**{**values, **changes})


def labels(made: Register, definition: OutcomeDefinition) -> list:
    return label_outcome(made, definition, as_of=DAY).tolist()


@pytest.mark.parametrize(
    ("on", "label"),
    [
        ("2024-01-01", False),  # already happened on the day itself
        ("2024-01-02", True),
        ("2024-06-29", True),  # day 180
        ("2024-06-30", False),
    ],
)
def test_only_events_after_the_day_and_within_the_horizon_count(on, label):
    assert labels(register([person(0)], outcomes=[happened(0, on)]), within()) == [label]


def test_a_known_absence_and_another_outcome_are_no_event():
    made = register(
        [person(0), person(1)],
        outcomes=[
            happened(0, "2024-02-01", positive=False),
            happened(1, "2024-02-01", outcome="fall"),
        ],
    )
    assert labels(made, within()) == [False, False]


def test_where_the_register_ends_before_the_horizon_nothing_is_known():
    made = register([person(0)], outcomes=[happened(0, "2024-02-01")])
    assert labels(made, within(days=366)) == [pd.NA]


def test_death_and_inpatient_stay_count_where_they_are_part_of_the_outcome():
    stay = {
        "person_id": key("f", 1),
        "visited_on": "2024-03-01",
        "kind": "inpatient",
        "outcome": "seen",
    }
    seen = {**stay, "person_id": key("f", 2), "visited_on": "2024-12-31", "kind": "home"}
    made = register([person(0, died_on="2024-02-02"), person(1), person(2)], visits=[stay, seen])
    assert labels(made, within()) == [True, True, False]
    assert labels(made, within(recorded=("fall",))) == [False, False, False]


def test_of_who_left_before_the_end_only_an_event_is_known():
    made = register(
        [person(0, moved_on="2024-03-01"), person(1, moved_on="2024-03-01")],
        outcomes=[happened(0, "2024-02-01")],
        visits=[
            {
                "person_id": key("f", 0),
                "visited_on": "2024-01-01",
                "kind": "home",
                "outcome": "seen",
                "known_on": "2024-12-31",
            }
        ],
    )
    assert labels(made, within()) == [True, pd.NA]


def test_the_dead_and_the_gone_of_the_day_have_no_label():
    made = register([person(0), person(1, died_on="2023-12-31"), person(2, moved_on="2023-05-05")])
    found = label_outcome(made, within(), as_of=DAY)
    assert list(found.index) == [key("f", 0)]


def test_an_event_known_late_counts_within_the_delay_and_not_beyond_it():
    made = register([person(0)], outcomes=[happened(0, "2024-02-01", known_on="2024-11-30")])
    assert labels(made, within(knowledge_delay_days=180)) == [True]
    assert labels(made, within(knowledge_delay_days=153)) == [False]  # 29 November
    assert labels(made, within(knowledge_delay_days=154)) == [True]
    assert labels(made, within(knowledge_delay_days=186)) == [pd.NA]  # not matured


def test_ages_outside_the_definition_have_no_label():
    made = register([person(0), person(1, born_on="2010-01-01"), person(2, born_on=None)])
    assert labels(made, within(min_age_years=18)) == [False, pd.NA, pd.NA]
    assert labels(made, within(max_age_years=20)) == [pd.NA, False, pd.NA]


def test_a_status_is_as_recorded_by_the_day_the_latest_first():
    made = register(
        [person(i) for i in range(4)],
        outcomes=[
            happened(0, "2023-01-01", "diabetes", False),
            happened(0, "2023-06-01", "diabetes", True),
            happened(1, "2023-01-01", "diabetes", False),
            happened(2, "2024-02-01", "diabetes", True),
        ],
    )
    assert labels(made, load_outcomes()["diabetes"]) == [True, False, pd.NA, pd.NA]


def test_labels_stand_in_the_order_of_the_features():
    made = register([person(2), person(0), person(1)])
    features = build_features(made, as_of=DAY)
    assert label_outcome(made, within(), as_of=DAY).index.equals(features.frame.index)


def test_what_gives_diabetes_away_is_no_input():
    features = build_features(register([person(0)]), as_of=DAY)
    chosen = select_for_model(features, load_outcomes()["diabetes"])
    names = set(chosen.frame.columns)
    assert names == {feature.name for feature in chosen.declaration}
    assert {"age_years", "bmi", "has_hypertension", "takes_antihypertensive"} <= names
    for telling in (
        "has_diabetes",
        "takes_diabetes_medicine",
        "n_active_medicines",
        "hba1c_percent",
        "glucose_mmol_l_days_since",
        "fasting_glucose_mmol_l_per_year",
        "household_id",
        "has_danger_sign",
        "danger_convulsions",
    ):
        assert telling in features.frame.columns
        assert telling not in names


def test_a_feature_excluded_by_name_takes_its_age_and_trend_along():
    features = build_features(register([person(0)]), as_of=DAY)
    chosen = select_for_model(features, within(exclude_features=("systolic_mmhg", "household")))
    names = set(chosen.frame.columns)
    assert not {"systolic_mmhg", "systolic_mmhg_days_since", "systolic_mmhg_per_year"} & names
    assert not {"wealth_fifth", "household_size"} & names
    assert "diastolic_mmhg" in names


def test_a_name_that_ends_like_a_trend_is_excluded_with_its_age_and_trend():
    features = build_features(register([person(0)]), as_of=DAY)
    chosen = select_for_model(features, within(exclude_features=("drinking_days_per_year",)))
    assert any(name.startswith("drinking_days") for name in features.frame)
    assert not any(name.startswith("drinking_days") for name in chosen.frame)


@pytest.mark.parametrize(
    ("died", "label"),
    [("2023-12-01", None), ("2024-01-01", None), ("2024-01-02", True), ("2024-12-01", False)],
)
def test_who_turns_out_to_have_died_before_the_day_is_no_survivor(died, label):
    """The death became known only after the day of the features."""
    told = {"person_id": key("f", 1), "change": "died", "happened_on": died}
    made = register([person(0), person(1)], person_changes=[told | {"known_on": "2024-12-15"}])
    late = within(knowledge_delay_days=180)
    found = label_outcome(made, late, as_of=DAY)[key("f", 1)]
    assert (None if pd.isna(found) else bool(found)) is label


_LOINC = "http://loinc.org"


def states(made: Register, definition: OutcomeDefinition, **options) -> list:
    found = label_rows(made, definition, as_of=DAY, **options)
    return list(zip(found["state"], found["why"], found["competing"], strict=True))


def diagnosed(at: int, code: str = "I10") -> dict:
    return {
        "person_id": key("f", at),
        "system": "http://hl7.org/fhir/sid/icd-10",
        "code": code,
        "known_on": "2023-01-01",
    }


def pressure(at: int, on: str, value: float, code: str = "8480-6", **more) -> dict:
    return {
        "person_id": key("f", at),
        "system": _LOINC,
        "code": code,
        "value_number": value,
        "unit": "mm[Hg]",
        "observed_on": on,
        **more,
    }


# ------------------------------------------------------------------ the population


def test_sex_conditions_and_prevalent_cases_are_left_out_with_the_rule_named():
    made = register(
        [person(0), person(1, sex="male"), person(2), person(3), person(4)],
        conditions=[diagnosed(2, "I21"), diagnosed(0), diagnosed(3), diagnosed(1), diagnosed(2)],
        outcomes=[happened(3, "2022-01-01")],
    )
    definition = within(
        sex="female",
        with_condition_groups=("hypertension",),
        without_condition_groups=("heart_disease",),
        exclude_prevalent=True,
    )
    assert states(made, definition) == [
        ("negative", "", ""),
        ("excluded", "sex", ""),
        ("excluded", "has_heart_disease", ""),
        ("excluded", "had_it_before", ""),
        ("excluded", "no_hypertension", ""),
    ]


@pytest.mark.parametrize(
    ("pregnant", "found"),
    [
        ("any", ["negative", "negative"]),
        ("only", ["negative", "excluded"]),
        ("none", ["excluded", "negative"]),
    ],
)
def test_pregnancy_on_record_decides_where_the_definition_says_so(pregnant, found):
    carried = {
        "person_id": key("f", 0),
        "last_period_on": "2023-10-01",
        "known_on": "2023-12-01",
    }
    made = register([person(0), person(1)], pregnancies=[carried])
    assert [state for state, _, _ in states(made, within(pregnant=pregnant))] == found


# ------------------------------------------------------------------ what comes first


@pytest.mark.parametrize(
    ("counts", "state"),
    [("excluded", "competing"), ("negative", "negative"), ("positive", "positive")],
)
def test_a_death_counts_as_declared_and_is_told_of_however_it_counts(counts, state):
    made = register([person(0, died_on="2024-02-02")])
    fall = within(recorded=("fall",), competing={"death": counts})
    assert states(made, fall) == [(state, "", "death")]


def test_what_comes_after_the_outcome_does_not_compete():
    made = register(
        [person(0, died_on="2024-02-02"), person(1, moved_on="2024-02-02")],
        outcomes=[happened(0, "2024-02-01", "fall"), happened(1, "2024-02-03", "fall")],
    )
    fall = within(recorded=("fall",), competing={"death": "excluded"})
    assert states(made, fall) == [("positive", "", ""), ("competing", "", "moved")]


# ------------------------------------------------------------------ measured


def _measured(**changes) -> OutcomeDefinition:
    limits = (Threshold("systolic_mmhg", at_least=140), Threshold("diastolic_mmhg", at_least=90))
    return within(recorded=(), kind="measured", thresholds=limits, **changes)


def test_the_last_measurement_within_the_horizon_decides():
    made = register(
        [person(i) for i in range(5)],
        observations=[
            pressure(0, "2024-02-01", 139),
            pressure(0, "2024-03-01", 140),
            pressure(1, "2024-02-01", 180),
            pressure(1, "2024-03-01", 120),
            pressure(2, "2024-01-01", 180),  # on the day itself: an input, no outcome
            pressure(3, "2024-06-30", 180),  # a day too late
            pressure(4, "2024-02-01", 120),
            pressure(4, "2024-02-01", 90, "8462-4"),
        ],
    )
    found = [state for state, _, _ in states(made, _measured())]
    assert found == ["positive", "negative", "not_observed", "not_observed", "positive"]


@pytest.mark.parametrize("values", [(180, 120), (120, 180)])
def test_of_two_pressures_on_one_day_the_highest_counts_as_in_the_features(values):
    made = register(
        [person(0)],
        observations=[pressure(0, "2024-02-01", value) for value in values],
    )
    end = pd.Timestamp("2024-06-29")
    value = build_features(made, as_of=end).frame["systolic_mmhg"].iloc[0]
    assert value == 180
    assert states(made, _measured())[0][0] == "positive"


def test_a_value_of_the_day_itself_may_be_any_feature():
    made = register([person(0), person(1)], observations=[pressure(0, "2023-12-01", 150)])
    assert labels(made, _measured(days=0)) == [True, pd.NA]
    by_age = within(0, recorded=(), kind="measured", thresholds=(Threshold("age_years", below=50),))
    assert labels(made, by_age) == [True, True]
    with pytest.raises(ProgrammeFault, match="no feature"):
        labels(made, within(0, kind="measured", thresholds=(Threshold("shoe_size", below=1),)))


def test_an_answer_may_be_what_counts():
    answer = {
        "person_id": key("f", 0),
        "system": "urn:chw-tools:code",
        "code": "bilateral-oedema",
        "observed_on": "2024-02-01",
        "value_code": "yes",
    }
    swelling = within(
        recorded=(), kind="measured", thresholds=(Threshold("oedema", answers=("yes",)),)
    )
    made = register([person(0), person(1)], observations=[answer])
    assert labels(made, swelling) == [True, pd.NA]
    made = register([person(0)], observations=[answer | {"value_code": "no"}])
    assert labels(made, swelling) == [False]


# ------------------------------------------------------------------ visits


def visit(at: int, planned: str | None, outcome: str = "seen", **more) -> dict:
    return {
        "person_id": key("f", at),
        "visited_on": planned or "2024-01-10",
        "planned_on": planned,
        "kind": "home",
        "outcome": outcome,
        **more,
    }


def test_the_next_planned_visit_decides_and_only_it():
    made = register(
        [person(i) for i in range(7)],
        visits=[
            visit(0, "2024-01-05", "away"),
            visit(0, "2024-01-20", "seen"),
            visit(1, "2024-01-05", "seen"),
            visit(1, "2024-01-20", "away"),
            visit(2, "2024-01-01", "away"),  # on the decision day: too late to remind
            visit(3, "2024-01-30", "away"),  # belongs to the next decision day
            visit(4, None, "away"),  # nobody planned it
            visit(5, "2024-01-29", "refused"),
            visit(6, "2024-01-05", "away", kind="facility"),
            visit(0, "2024-06-30", "seen"),
        ],
    )
    missed = load_outcomes()["missed_follow_up"]
    found = label_rows(made, missed, as_of=DAY)
    assert found["label"].to_dict() == {key("f", 0): True, key("f", 1): False, key("f", 5): True}
    assert found["subject_id"].notna().all()


def test_a_visit_that_finds_a_death_or_a_move_is_neither_missed_nor_made():
    made = register(
        [person(0), person(1), person(2)],
        visits=[
            visit(0, "2024-01-05", "died"),
            visit(1, "2024-01-05", "moved"),
            visit(2, "2024-06-30"),
        ],
    )
    missed = load_outcomes()["missed_follow_up"]
    assert states(made, missed) == [("competing", "", "death"), ("competing", "", "moved")]


def test_phone_and_month_are_inputs_where_they_are_asked_for_and_nowhere_else():
    features = build_features(register([person(0)]), as_of=DAY)
    outcomes = load_outcomes()
    asked = select_for_model(features, outcomes["missed_follow_up"]).frame
    assert {"phone_known", "month", "facility_km", "n_missed_visits_365d"} <= set(asked)
    assert asked["month"].tolist() == ["January"]
    others = set(select_for_model(features, outcomes["hospital_admission_180d"]).frame)
    assert not {"phone_known", "month"} & others


@pytest.mark.parametrize("which", ["exclude_features", "include_features"])
def test_a_misspelt_feature_is_refused(which):
    features = build_features(register([person(0)]), as_of=DAY)
    with pytest.raises(ProgrammeFault, match="systolic_mmgh"):
        select_for_model(features, within(**{which: ("systolic_mmgh",)}))


# ------------------------------------------------------------------ births


def carried(at: int, ended: str | None = None, outcome: str | None = None, **more) -> dict:
    return {
        "person_id": key("f", at),
        "last_period_on": "2023-09-01",
        "known_on": "2023-12-20",
        "ended_on": ended,
        "outcome": outcome,
        **more,
    }


def test_births_before_the_weeks_count_and_later_ones_do_not():
    made = register(
        [person(i) for i in range(8)],
        pregnancies=[
            carried(0, "2024-05-16", "live_birth"),  # 258 days
            carried(1, "2024-05-17", "live_birth"),  # 259 days: 37 completed weeks
            carried(2, "2024-03-01", "stillbirth"),
            carried(3),
            carried(4, "2023-12-28", "miscarriage"),  # over before the decision day
            carried(5, "2024-05-16", "live_birth", last_period_on=None),
            carried(6, "2024-05-16", "live_birth", known_on="2023-11-01"),  # known long ago
            carried(7, "2024-05-17", "live_birth", due_on="2024-06-08"),  # two days younger
        ],
    )
    found = label_rows(made, load_outcomes()["preterm_birth"], as_of=DAY)
    told = dict(zip(found.index, zip(found["state"], found["competing"], strict=True), strict=True))
    assert told == {
        key("f", 0): ("positive", ""),
        key("f", 1): ("negative", ""),
        key("f", 2): ("competing", "stillbirth"),
        key("f", 3): ("not_observed", ""),
        key("f", 5): ("excluded", ""),
        key("f", 7): ("positive", ""),
    }
    assert found.loc[key("f", 5), "why"] == "no_dates"


# ------------------------------------------------------------------ counts


def test_the_counts_say_who_was_left_out_and_why():
    made = register(
        [person(0), person(1, born_on="2015-01-01"), person(2, died_on="2024-02-01"), person(3)],
        outcomes=[happened(3, "2024-02-01", "fall")],
    )
    fall = within(recorded=("fall",), min_age_years=18, competing={"death": "negative"})
    told = describe_counts(count_states(label_rows(made, fall, as_of=DAY)))
    assert told == (
        "4 asked about: 1 with the outcome; 2 without (death 1); 1 not of the population (age 1)"
    )
    assert describe_counts(pd.DataFrame()) == "nobody asked about"


# ------------------------------------------------------------------ properties


_NAMES = [
    "hospital_admission_180d",
    "uncontrolled_hypertension_180d",
    "missed_follow_up",
    "preterm_birth",
]
_TABLES = ("visits", "observations", "outcomes", "person_changes", "conditions", "pregnancies")


@pytest.fixture(scope="module")
def labelled(small_register):
    day = pd.Timestamp("2024-07-09").as_unit("s")
    until = pd.Timestamp("2025-12-31").as_unit("s")
    outcomes = load_outcomes()
    return day, {
        name: (outcomes[name], label_rows(small_register, outcomes[name], as_of=day,
                                          known_until=until))
        for name in _NAMES
    }  # fmt: skip


@pytest.mark.parametrize("name", _NAMES)
def test_every_outcome_finds_rows_in_the_simulated_programme(labelled, name):
    _, found = labelled
    assert found[name][1]["label"].notna().any()


@given(name=st.sampled_from(_NAMES), table=st.sampled_from(_TABLES), later=st.integers(1, 400))
@settings(max_examples=25, deadline=None)
def test_what_becomes_known_after_a_row_is_settled_never_changes_it(
    small_register, labelled, name, table, later
):
    day, found = labelled
    definition, before = found[name]
    settled = before["settled_on"].max()
    frame = getattr(small_register, table)
    told = frame.assign(
        id="later-" + frame["id"].astype("str"),
        known_on=(settled + pd.Timedelta(days=later)).as_unit("s"),
        **({"outcome": "away"} if table == "visits" else {}),
        **({"outcome": "hospital_admission", "is_positive": True} if table == "outcomes" else {}),
        **({"value_number": 250.0} if table == "observations" else {}),
    )
    told = told.astype(frame.dtypes.to_dict())
    both = dataclasses.replace(
        small_register, **{table: pd.concat([frame, told], ignore_index=True)}
    )
    again = label_rows(both, definition, as_of=day, known_until=pd.Timestamp("2025-12-31"))
    pd.testing.assert_frame_equal(before, again)


@pytest.mark.parametrize("name", _NAMES)
def test_one_person_is_labelled_as_in_the_crowd(small_register, labelled, name):
    day, found = labelled
    definition, crowd = found[name]
    until = pd.Timestamp("2025-12-31")
    for someone in crowd.index[:: max(1, len(crowd) // 4)][:5]:
        alone = small_register.of_people([someone])
        told = label_rows(alone, definition, as_of=day, known_until=until)
        pd.testing.assert_frame_equal(told, crowd.loc[[someone]])


@pytest.mark.parametrize("name", _NAMES)
def test_before_a_row_is_settled_it_has_no_label(small_register, labelled, name):
    day, found = labelled
    definition, before = found[name]
    first = before["settled_on"].min() - pd.Timedelta(days=1)
    early = label_outcome(small_register, definition, as_of=day, known_until=first)
    assert early.isna().all()
    assert label_outcome(Register.of(), definition, as_of=day).empty
