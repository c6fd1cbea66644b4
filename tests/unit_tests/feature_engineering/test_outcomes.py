"""Labels: what is known to have happened, known not to have, and not observable."""

from __future__ import annotations

import pandas as pd
import pytest

from chw_tools.feature_engineering import build_features, label_outcome, select_for_model
from chw_tools.programme.outcomes import OutcomeDefinition, load_outcomes
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
        "known_on": "2024-12-31",
    }
    made = register([person(0, died_on="2024-02-02"), person(1), person(2)], visits=[stay])
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


def test_an_event_known_late_still_counts():
    made = register([person(0)], outcomes=[happened(0, "2024-02-01", known_on="2024-11-30")])
    assert labels(made, within()) == [True]


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
    found = label_outcome(made, within(), as_of=DAY)[key("f", 1)]
    assert (None if pd.isna(found) else bool(found)) is label
