"""What holds of all advice, whatever the rules: order, floor, twins, follow-up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chw_tools.feature_engineering import build_features
from chw_tools.programme import load_programme
from chw_tools.recommendations import all_recommendations, follow_up_on, recommend
from chw_tools.records import conform, empty_table
from chw_tools.records.checks import check_table
from chw_tools.records.derived import RECOMMENDATIONS, RISK_BANDS, RISKS, URGENCIES

if TYPE_CHECKING:
    from chw_tools.feature_engineering import Features
    from chw_tools.records import Register

PROGRAMME = load_programme()
AS_OF = pd.Timestamp("2026-03-10").as_unit("s")
NO_RISKS = empty_table(RISKS)


@pytest.fixture(scope="module")
def simulated(small_register: Register) -> Features:
    as_of = small_register.visits["visited_on"].max()
    return build_features(small_register, as_of=as_of)


def risks_for(people: pd.Index, bands: list[str], outcome: str = "hospital_admission_180d"):  # type: ignore[no-untyped-def]
    n = len(people)
    band = np.resize(np.array(bands, dtype=object), n)
    return conform(
        RISKS,
        pd.DataFrame(
            {
                "person_id": people,
                "outcome": outcome,
                "as_of": AS_OF,
                "state": np.where(band == "", "not_known", "estimated"),
                "risk": [None if b == "" else 0.05 + 0.2 * RISK_BANDS.index(b) for b in band],
                "band": [None if b == "" else b for b in band],
                "reasons": [
                    [{"feature": "age_years", "label": "Age", "value": "71 years", "effect": 0.9}]
                ]
                * n,
                "model": "test 1",
                "model_digest": "0",
                "inputs_digest": "0",
            }
        ),
    )


def floors(advice: pd.DataFrame) -> pd.DataFrame:
    """Most urgent level and earliest due day of each rule for each person."""
    level = advice["urgency"].map({u: i for i, u in enumerate(URGENCIES)})
    return advice.assign(level=level).set_index(["person_id", "rule_id"])[["level", "due_on"]]


def test_advice_is_as_declared_and_everybody_has_some(simulated: Features) -> None:
    advice = recommend(simulated, NO_RISKS, programme=PROGRAMME, as_of=simulated.as_of)

    check_table(RECOMMENDATIONS, advice)
    assert set(advice["person_id"]) == set(simulated.frame.index)
    assert advice["reason"].str.endswith(".").all()
    assert not advice["reason"].str.contains(r"[{}]|\bnan\b|None", regex=True).any()


def test_no_text_shows_a_placeholder_and_an_action_names_its_contact(simulated: Features) -> None:
    advice = all_recommendations(simulated, NO_RISKS, programme=PROGRAMME, as_of=AS_OF)
    for text in ("action", "reason", "source"):
        assert not advice[text].str.contains(r"[{}]").any()
    contacts = advice.loc[advice["rule_id"] == "antenatal_contact", "action"]
    assert len(contacts)
    assert contacts.str.contains(r"contact [1-8]\.").all()


def test_danger_signs_come_first_then_urgency_then_due_day(simulated: Features) -> None:
    advice = all_recommendations(
        simulated,
        risks_for(simulated.frame.index, ["very_high", "low"]),
        programme=PROGRAMME,
        as_of=simulated.as_of,
    )
    key = pd.DataFrame(
        {
            "calm": advice["kind"] != "danger_sign",
            "level": advice["urgency"].map({u: i for i, u in enumerate(URGENCIES)}),
            "due": advice["due_on"],
        }
    )
    keys = list(key.itertuples(index=False, name=None))
    same = (advice["person_id"] == advice["person_id"].shift()).tolist()

    assert all(keys[i - 1] <= keys[i] for i in range(1, len(keys)) if same[i])
    assert (advice.groupby("person_id")["rank"].max() == advice.groupby("person_id").size()).all()


def test_one_person_alone_gets_the_same_advice_as_in_the_crowd(simulated: Features) -> None:
    risks = risks_for(simulated.frame.index, ["high", "low", ""])
    batch = recommend(simulated, risks, programme=PROGRAMME, as_of=simulated.as_of)

    for person in simulated.frame.index[:25]:
        alone = recommend(
            simulated.of_people([person]), risks, programme=PROGRAMME, as_of=simulated.as_of
        )
        expected = batch[batch["person_id"] == person].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, expected)


def test_the_order_of_rows_does_not_matter(simulated: Features) -> None:
    ids = list(simulated.frame.index)
    shuffled = simulated.of_people([ids[i] for i in np.random.default_rng(1).permutation(len(ids))])
    risks = risks_for(simulated.frame.index, ["high", "low"])

    given_order = recommend(simulated, risks, programme=PROGRAMME, as_of=simulated.as_of)
    other_order = recommend(shuffled, risks.iloc[::-1], programme=PROGRAMME, as_of=simulated.as_of)

    columns = ["person_id", "rank"]
    pd.testing.assert_frame_equal(
        given_order.sort_values(columns, ignore_index=True),
        other_order.sort_values(columns, ignore_index=True),
    )


@given(bands=st.lists(st.sampled_from(["", *RISK_BANDS]), min_size=1, max_size=9))
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_risk_makes_any_advice_less_urgent_or_later(
    simulated: Features, bands: list[str]
) -> None:
    floor = floors(
        all_recommendations(simulated, NO_RISKS, programme=PROGRAMME, as_of=simulated.as_of)
    )
    risks = risks_for(simulated.frame.index, bands)
    with_risk = floors(
        all_recommendations(simulated, risks, programme=PROGRAMME, as_of=simulated.as_of)
    ).reindex(floor.index)

    assert with_risk["level"].notna().all()
    assert (with_risk["level"] <= floor["level"]).all()
    assert (with_risk["due_on"] <= floor["due_on"]).all()


def test_a_high_risk_adds_advice_with_its_reason_and_brings_routine_forward(features_of) -> None:  # type: ignore[no-untyped-def]
    features = features_of(p={"age_years": 71.0, "days_since_visit": 58})
    risks = risks_for(features.frame.index, ["high"])

    advice = recommend(features, risks, programme=PROGRAMME, as_of=AS_OF).set_index("rule_id")

    assert advice.loc["risk_high", "reason"] == (
        "The risk of hospital admission or death within six months is high, "
        "mostly because of age 71 years."
    )
    assert not advice.loc["risk_high", "is_verified"]
    assert (advice.loc["risk_high", "due_on"] - AS_OF).days == 2
    assert (advice.loc["visit_older", "due_on"] - AS_OF).days == 2
    assert advice.loc["visit_older", "urgency"] == "within_days"


@pytest.mark.parametrize("band", ["", "low", "moderate"])
def test_a_risk_that_is_low_or_not_known_changes_nothing(band: str, features_of) -> None:  # type: ignore[no-untyped-def]
    features = features_of(p={"age_years": 71.0, "days_since_visit": 58})
    risks = risks_for(features.frame.index, [band])

    pd.testing.assert_frame_equal(
        recommend(features, risks, programme=PROGRAMME, as_of=AS_OF),
        recommend(features, NO_RISKS, programme=PROGRAMME, as_of=AS_OF),
    )


def test_someone_of_high_risk_just_visited_is_not_asked_for_again_at_once(features_of) -> None:  # type: ignore[no-untyped-def]
    features = features_of(p={"age_years": 71.0, "days_since_visit": 0})
    risks = risks_for(features.frame.index, ["very_high"])

    advice = recommend(features, risks, programme=PROGRAMME, as_of=AS_OF)

    assert "risk_high" not in set(advice["rule_id"])
    assert follow_up_on(advice, as_of=AS_OF).item() == AS_OF + pd.Timedelta(days=30)


def test_of_several_outcomes_the_highest_band_speaks(features_of) -> None:  # type: ignore[no-untyped-def]
    features = features_of(p={"age_years": 71.0})
    people = features.frame.index
    risks = pd.concat(
        [risks_for(people, ["high"], "cvd_10y"), risks_for(people, ["very_high"], "diabetes")]
    )

    advice = recommend(features, risks, programme=PROGRAMME, as_of=AS_OF).set_index("rule_id")

    assert advice.loc["risk_high", "reason"].startswith("The risk of diabetes is very high")


def test_at_most_four_are_shown_and_what_is_due_first_is_among_them(simulated: Features) -> None:
    everything = all_recommendations(
        simulated, NO_RISKS, programme=PROGRAMME, as_of=simulated.as_of
    )
    few = recommend(simulated, NO_RISKS, programme=PROGRAMME, as_of=simulated.as_of)

    assert few.groupby("person_id").size().max() <= 4
    pd.testing.assert_series_equal(
        follow_up_on(few, as_of=simulated.as_of), follow_up_on(everything, as_of=simulated.as_of)
    )


def test_the_fifth_gives_way_only_if_it_is_not_due_first(features_of) -> None:  # type: ignore[no-untyped-def]
    busy = {
        "age_years": 25.0,
        "is_pregnant": True,
        "gestational_weeks": 24.0,
        "days_since_visit": 400,
        "haemoglobin_g_dl": 9.0,
        "haemoglobin_g_dl_days_since": 3,
        "phq9_points": 12,
        "phq9_points_days_since": 3,
        "medicine_adherence": "no",
        "medicine_adherence_days_since": 3,
        "systolic_mmhg": 118,
        "diastolic_mmhg": 70,
        "systolic_mmhg_days_since": 61,
        "tobacco": "current",
        "tobacco_days_since": 300,
        "has_hiv": True,
    }
    features = features_of(p=busy)

    everything = all_recommendations(features, NO_RISKS, programme=PROGRAMME, as_of=AS_OF)
    few = recommend(features, NO_RISKS, programme=PROGRAMME, as_of=AS_OF)

    assert len(everything) > 4
    assert len(few) == 4
    assert few["due_on"].min() == everything["due_on"].min()
    assert few["rank"].tolist() == [1, 2, 3, 4]


def test_the_follow_up_day_is_no_later_than_any_advice_and_not_in_the_past(
    simulated: Features,
) -> None:
    advice = recommend(simulated, NO_RISKS, programme=PROGRAMME, as_of=simulated.as_of)
    day = follow_up_on(advice, as_of=simulated.as_of)
    per_row = advice["person_id"].map(day)

    assert (day >= simulated.as_of).all()
    assert ((per_row <= advice["due_on"]) | (per_row == simulated.as_of)).all()


def test_a_firmer_rule_replaces_a_weaker_only_if_it_is_no_later(features_of) -> None:  # type: ignore[no-untyped-def]
    pregnant = {"is_pregnant": True, "gestational_weeks": 24.9, "age_years": 25.0}
    advice = (
        all_recommendations(
            features_of(
                coming=pregnant | {"days_since_visit": 34},
                due=pregnant | {"gestational_weeks": 27.0, "days_since_visit": 34},
            ),
            NO_RISKS,
            programme=PROGRAMME,
            as_of=AS_OF,
        )
        .groupby("person_id")["rule_id"]
        .agg(set)
    )

    # The next contact is a week off, the monthly visit is due now: both stand.
    assert {"antenatal_contact", "visit_pregnant"} <= advice["coming"]
    assert "antenatal_contact" in advice["due"]
    assert "visit_pregnant" not in advice["due"]
    assert "visit_anyone" not in advice["due"]


def test_a_feature_that_is_not_built_is_refused_not_passed_over(simulated: Features) -> None:
    without = replace(simulated, frame=simulated.frame.drop(columns="danger_stroke_signs"))

    with pytest.raises(ValueError, match="danger_stroke_signs"):
        recommend(without, NO_RISKS, programme=PROGRAMME, as_of=simulated.as_of)


def test_nobody_gives_an_empty_table(features_of) -> None:  # type: ignore[no-untyped-def]
    advice = recommend(features_of(), NO_RISKS, programme=PROGRAMME, as_of=AS_OF)

    assert len(advice) == 0
    assert advice.columns.tolist() == RECOMMENDATIONS.column_names
    assert len(follow_up_on(advice, as_of=AS_OF)) == 0


def test_a_replaced_rule_that_is_switched_off_is_not_missed(features_of) -> None:  # type: ignore[no-untyped-def]
    kept = tuple(rule for rule in PROGRAMME.rules if rule.id != "visit_anyone")
    features = features_of(p={"age_years": 71.0, "days_since_visit": 130})

    advice = recommend(features, NO_RISKS, programme=replace(PROGRAMME, rules=kept), as_of=AS_OF)

    assert "visit_older" in set(advice["rule_id"])
    assert "visit_anyone" not in set(advice["rule_id"])


def test_a_risk_without_reasons_still_says_what_is_high(features_of) -> None:  # type: ignore[no-untyped-def]
    features = features_of(p={"age_years": 71.0})
    risks = risks_for(features.frame.index, ["high"], "falls")
    risks["reasons"] = None

    advice = recommend(features, risks, programme=PROGRAMME, as_of=AS_OF).set_index("rule_id")

    assert advice.loc["risk_high", "reason"] == "The risk of falls is high."


NOT_MEASURED = {
    "blood pressure from 40 years": ({"age_years": 50.0}, "Measure blood pressure."),
    "the arm of a child": ({"age_months": 20.0, "age_years": 1.7}, "Measure the child's arm."),
    "breaths of a child who coughs": (
        {"age_months": 20.0, "age_years": 1.7, "cough_days": 2.0, "cough_days_days_since": 0.0},
        "Count the breaths",
    ),
    "blood pressure in pregnancy": (
        {"age_years": 25.0, "is_pregnant": True, "gestational_weeks": 20.0},
        "Measure her blood pressure.",
    ),
    "urine in pregnancy": (
        {"age_years": 25.0, "is_pregnant": True, "gestational_weeks": 20.0},
        "Test her urine",
    ),
    "glucose of known diabetes": (
        {"age_years": 50.0, "has_diabetes": True},
        "Measure blood glucose.",
    ),
    "the age": ({}, "Ask the day, month or year of birth."),
}
MEASURED = {
    "systolic_mmhg": 118.0,
    "diastolic_mmhg": 74.0,
    "muac_cm": 14.0,
    "respiratory_rate_per_min": 30.0,
    "urine_protein": "negative",
    "glucose_mmol_l": 5.5,
}


@pytest.mark.parametrize("title", NOT_MEASURED)
def test_what_was_not_measured_is_not_normal_but_something_to_measure(
    title: str, features_of
) -> None:  # type: ignore[no-untyped-def]
    known, action = NOT_MEASURED[title]
    since = {f"{name}_days_since": 0.0 for name in MEASURED}
    people = features_of(asked=known, measured={"age_years": 50.0, **known, **MEASURED, **since})

    advice = all_recommendations(people, NO_RISKS, programme=PROGRAMME, as_of=AS_OF)

    said = advice[advice["action"].str.startswith(action)]
    assert said["person_id"].tolist() == ["asked"]
    assert set(said["kind"]) == {"measure"}


@pytest.mark.parametrize("band", ["high", "very_high"])
def test_at_a_high_risk_of_the_heart_the_step_of_the_guideline_is_told(
    band: str, features_of
) -> None:  # type: ignore[no-untyped-def]
    features = features_of(p={"age_years": 60.0})
    risks = risks_for(features.frame.index, [band], "cvd_10y")

    advice = all_recommendations(features, risks, programme=PROGRAMME, as_of=AS_OF)

    step = advice.set_index("rule_id").loc["risk_high"]
    assert "heart medicines" in step["action"]
    assert "HEARTS" in step["source"]
    assert not step["is_verified"]
    assert step["urgency"] == "within_days"
