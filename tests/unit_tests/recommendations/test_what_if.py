"""What would change a risk: from trials, absolute, with an interval, capped, three at most."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chw_tools.programme import load_programme
from chw_tools.programme.effects import Effects, Interval, load_effects
from chw_tools.recommendations.what_if import MOST, TOGETHER, what_would_change
from chw_tools.records import conform
from chw_tools.records.derived import RISKS

EFFECTS = load_effects()
BY_ID = {effect.id: effect for effect in EFFECTS.effects}
AS_OF = pd.Timestamp("2026-03-10").as_unit("s")
SMOKER = {"age_years": 55.0, "tobacco": "current"}


def risk_of(risk: float | None, state: str = "estimated", outcome: str = "cvd_10y") -> pd.DataFrame:
    return conform(
        RISKS,
        pd.DataFrame(
            [
                {
                    "person_id": "p",
                    "outcome": outcome,
                    "as_of": AS_OF,
                    "state": state,
                    "risk": risk,
                    "reasons": [],
                    "model": "published",
                    "model_digest": "0",
                    "inputs_digest": "0",
                }
            ]
        ),
    )


def changes(
    features_of: Any, known: dict[str, Any], risk: float = 0.2, **more: Any
) -> pd.DataFrame:
    effects = more.get("effects", EFFECTS)
    table = what_would_change(features_of(p=known), risk_of(risk), effects=effects)
    return table.set_index("effect_id")


def test_a_relative_risk_becomes_an_absolute_change_with_its_interval(features_of: Any) -> None:
    row = changes(features_of, SMOKER).loc["stop_tobacco"]

    assert row["risk_after"] == pytest.approx(0.2 * 0.64)
    assert row["change"] == pytest.approx(0.2 * 0.36)
    assert (row["change_low"], row["change_high"]) == pytest.approx((0.2 * 0.29, 0.2 * 0.42))


def test_ten_mmhg_lower_are_the_relative_risk_of_ten_mmhg(features_of: Any) -> None:
    row = changes(features_of, {"age_years": 55.0, "systolic_mmhg": 150}).loc["treat_pressure"]

    assert row["risk_after"] == pytest.approx(0.2 * 0.80)
    assert row["risk_after_low"] == pytest.approx(0.2 * 0.77 ** (12 / 10))
    assert row["risk_after_high"] == pytest.approx(0.2 * 0.83 ** (8 / 10))


def test_what_somebody_does_not_do_is_not_offered_to_stop(features_of: Any) -> None:
    assert (
        "stop_tobacco" not in changes(features_of, {"age_years": 55.0, "tobacco": "former"}).index
    )
    assert "stop_tobacco" not in changes(features_of, {"age_years": 55.0}).index
    assert "treat_pressure" not in changes(features_of, SMOKER | {"systolic_mmhg": 139}).index


def test_a_contraindication_takes_an_effect_away(features_of: Any) -> None:
    known = {"age_years": 70.0, "has_hypertension": True}

    assert "salt_substitute" in changes(features_of, known).index
    kidney = known | {"has_chronic_kidney_disease": True}
    assert "salt_substitute" not in changes(features_of, kidney).index


EVERYTHING = {
    "age_years": 65.0,
    "tobacco": "current",
    "systolic_mmhg": 165,
    "bmi": 33.0,
    "physical_activity": "no",
    "has_hypertension": True,
    "has_diabetes": True,
    "hba1c_percent": 9.0,
}


def test_at_most_three_are_told_largest_first(features_of: Any) -> None:
    table = changes(features_of, EVERYTHING)
    alone = table.drop(TOGETHER)

    assert len(alone) == MOST
    assert alone["rank"].tolist() == [1, 2, 3]
    assert alone["change"].is_monotonic_decreasing
    assert alone.index[0] == "stop_tobacco"


def test_habits_together_lower_pressure_no_more_than_the_cap(features_of: Any) -> None:
    habits = [
        replace(BY_ID["lose_weight"], id=f"h{n}", lowers_mmhg=Interval(8, 6, 10)) for n in range(3)
    ]
    effects = Effects(EFFECTS.systolic, tuple(habits))
    table = changes(features_of, {"age_years": 55.0, "bmi": 33.0}, effects=effects)

    assert table.loc[TOGETHER, "risk_after"] == pytest.approx(0.2 * 0.80 ** (11 / 10))
    assert table.loc[TOGETHER, "risk_after_low"] == pytest.approx(0.2 * 0.77 ** (11 / 10))
    assert table.loc[TOGETHER, "risk_after_high"] == pytest.approx(0.2 * 0.83 ** (11 / 10))


def test_habits_and_medicine_together_are_capped_too(features_of: Any) -> None:
    tablets = replace(BY_ID["treat_pressure"], lowers_mmhg=Interval(15, 12, 18))
    effects = Effects(
        EFFECTS.systolic,
        (tablets, replace(BY_ID["lose_weight"], lowers_mmhg=Interval(9, 8, 10))),
    )
    table = changes(features_of, EVERYTHING, effects=effects)

    assert table.loc[TOGETHER, "risk_after"] == pytest.approx(0.2 * 0.80 ** (20 / 10))


@pytest.mark.parametrize(
    "risks",
    [
        risk_of(None, "not_known"),
        risk_of(None, "not_valid"),
        risk_of(None),
        risk_of(0.2, outcome="falls"),
    ],
)
def test_without_a_baseline_that_may_be_shown_nothing_is_said(
    risks: pd.DataFrame, features_of: Any
) -> None:
    assert len(what_would_change(features_of(p=EVERYTHING), risks, effects=EFFECTS)) == 0


def test_people_who_are_not_asked_about_are_left_out(features_of: Any) -> None:
    table = what_would_change(features_of(q=SMOKER), risk_of(0.2), effects=EFFECTS)

    assert len(table) == 0


known_people = st.fixed_dictionaries(
    {"age_years": st.floats(18, 90)},
    optional={
        "tobacco": st.sampled_from(["never", "former", "current"]),
        "systolic_mmhg": st.floats(90, 220),
        "bmi": st.floats(16, 50),
        "physical_activity": st.sampled_from(["no", "yes"]),
        "has_hypertension": st.booleans(),
        "has_diabetes": st.booleans(),
        "has_chronic_kidney_disease": st.booleans(),
        "hba1c_percent": st.floats(4, 14),
    },
)


@given(known=known_people, risk=st.floats(0, 1))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_change_lies_within_its_interval_and_never_exceeds_the_risk(
    known: dict[str, Any], risk: float, features_of: Any
) -> None:
    table = changes(features_of, known, risk)

    assert (table["risk_after"] >= 0).all()
    assert (table["change_low"] <= table["change"] + 1e-12).all()
    assert (table["change"] <= table["change_high"] + 1e-12).all()
    assert (table["change_high"] <= risk + 1e-12).all()
    assert table.drop(TOGETHER, errors="ignore")["rank"].max() <= MOST if len(table) else True
    if TOGETHER in table.index:
        alone = table.drop(TOGETHER)
        assert table.loc[TOGETHER, "change"] >= alone["change"].max() - 1e-12
        assert table.loc[TOGETHER, "change"] <= alone["change"].sum() + 1e-12


def test_the_numbers_of_the_effects_are_among_those_to_be_confirmed_or_read() -> None:
    keys = {figure.key: figure.verified for figure in load_programme().figures}

    assert keys["effects.less_salt"]
    assert not keys["effects.stop_tobacco"]
    assert "effects.systolic" in keys
