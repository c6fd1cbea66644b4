"""Every number of the effects, written by hand: how much, for whom, and how much together.

No number of ``effects.toml`` can move, and no condition can go, without a line here that fails.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from chw_tools.programme import reading
from chw_tools.programme.effects import FILE, Effects, Interval, effects_of
from chw_tools.recommendations.cases import features_of_cases
from chw_tools.recommendations.what_if import TOGETHER, what_would_change
from chw_tools.records import conform
from chw_tools.records.derived import RISKS

if TYPE_CHECKING:
    from collections.abc import Iterator

RAW = reading.shipped(FILE)[1]
RISK = 0.2
#: What is left of a risk: of the estimate, of the greatest and of the least effect.
LEFT = {
    "stop_tobacco": (0.64, 0.58, 0.71),
    "treat_pressure": (0.80, 0.77**1.2, 0.83**0.8),
    "less_salt": (0.80**0.110, 0.77**0.154, 0.83**0.066),
    "salt_substitute": (0.87, 0.80, 0.94),
    "lose_weight": (0.80**0.45, 0.77**0.57, 0.83**0.26),
    "walk": (0.80**0.25, 0.77**0.5, 1.0),
    "glucose_control": (0.85, 0.77, 0.93),
    "diabetes_programme": (0.42, 0.34, 0.52),
}
#: People whom an effect is for, and people just beside them whom it is not for.
FOR = {
    "stop_tobacco": (
        ["age_years=18; tobacco=current"],
        ["age_years=17.9; tobacco=current", "age_years=18; tobacco=former", "tobacco=current"],
    ),
    "treat_pressure": (
        ["age_years=18; systolic_mmhg=140"],
        [
            "age_years=17.9; systolic_mmhg=140",
            "age_years=18; systolic_mmhg=139",
            "age_years=18; systolic_mmhg=140; is_pregnant=yes",
        ],
    ),
    "less_salt": (["age_years=18"], ["age_years=17.9", "age_years=18; is_pregnant=yes"]),
    "salt_substitute": (
        ["age_years=60; has_hypertension=yes"],
        [
            "age_years=59.9; has_hypertension=yes",
            "age_years=60",
            "age_years=60; has_hypertension=yes; has_chronic_kidney_disease=yes",
            "age_years=60; has_hypertension=yes; is_pregnant=yes",
        ],
    ),
    "lose_weight": (
        ["age_years=18; bmi=25"],
        [
            "age_years=17.9; bmi=25",
            "age_years=18; bmi=24.9",
            "age_years=18; bmi=25; is_pregnant=yes",
        ],
    ),
    "walk": (
        ["age_years=18; physical_activity=no"],
        [
            "age_years=17.9; physical_activity=no",
            "age_years=18; physical_activity=yes",
            "age_years=18; physical_activity=no; danger_chest_pain=yes",
        ],
    ),
    "glucose_control": (
        ["has_diabetes=yes; hba1c_percent=8"],
        ["has_diabetes=yes; hba1c_percent=7.9", "has_diabetes=no; hba1c_percent=8"],
    ),
    "diabetes_programme": (
        ["age_years=25; bmi=24"],
        [
            "age_years=24.9; bmi=24",
            "age_years=25; bmi=23.9",
            "age_years=25; bmi=24; has_diabetes=yes",
            "age_years=25; bmi=24; is_pregnant=yes",
        ],
    ),
}
#: The next value of a number, by its key or feature.
STEPS = {"age_years": 0.1, "bmi": 0.1, "hba1c_percent": 0.1, "systolic_mmhg": 1}


def known(text: str) -> dict[str, object]:
    answers: dict[str, object] = {}
    for part in text.split("; "):
        name, _, value = part.partition("=")
        answers[name] = float(value) if value[0].isdigit() else value
        if name in ("physical_activity", "danger_chest_pain"):
            answers[f"{name}_days_since"] = 0.0
    return answers


PEOPLE = sorted({one for pair in FOR.values() for some in pair for one in some})
FEATURES = features_of_cases([known(one) for one in PEOPLE])
PERSON = dict(zip(PEOPLE, FEATURES.frame.index, strict=True))


def risks(outcome: str) -> pd.DataFrame:
    rows = pd.DataFrame({"person_id": list(FEATURES.frame.index)})
    rows = rows.assign(outcome=outcome, as_of=FEATURES.as_of, state="estimated", risk=RISK)
    rows = rows.assign(model="published", model_digest="0", inputs_digest="0")
    rows["reasons"] = [[] for _ in range(len(rows))]
    return conform(RISKS, rows)


RISKS_OF = {outcome: risks(outcome) for outcome in ("cvd_10y", "diabetes")}


def of(effects: Effects, outcome: str = "cvd_10y") -> pd.DataFrame:
    return what_would_change(FEATURES, RISKS_OF[outcome], effects=effects)


def disagreements(effects: Effects) -> list[str]:
    """What comes out otherwise than written above."""
    found = []
    for effect in effects.effects:
        table = of(replace(effects, effects=(effect,)), effect.outcome)
        told = set(table["person_id"])
        yes, no = ({PERSON[one] for one in some} for some in FOR[effect.id])
        if not (yes <= told and not no & told):
            found.append(f"{effect.id}: for others")
        left = table[["risk_after", "risk_after_low", "risk_after_high"]].iloc[:1] / RISK
        if left.to_numpy().ravel().tolist() != pytest.approx(LEFT[effect.id], abs=1e-6):
            found.append(f"{effect.id}: {left.to_numpy()}")
    return found + caps(effects)


def caps(effects: Effects) -> list[str]:
    """Habits together lower by 11 mmHg at most, all together by 20."""
    found = []
    for kind, n, most in (("habit", 2, 11), ("medicine", 3, 20)):
        one = replace(
            effects.effects[0], kind=kind, who=(), not_for=(), relative_risk=None,
            lowers_mmhg=Interval(9, 9, 9), outcome="cvd_10y",
        )  # fmt: skip
        several = tuple(replace(one, id=f"e{place}") for place in range(n))
        table = of(replace(effects, effects=several)).set_index("effect_id")
        after = table.loc[TOGETHER, ["risk_after", "risk_after_low", "risk_after_high"]].iloc[0]
        wanted = [RISK * base ** (most / 10) for base in (0.80, 0.77, 0.83)]
        if after.tolist() != pytest.approx(wanted, abs=1e-6):
            found.append(f"{n} of {kind}: {after.tolist()}")
    return found


def test_every_effect_is_as_written_by_hand() -> None:
    assert set(LEFT) == set(FOR) == set(RAW) - {"systolic"}
    problems = reading.Problems()
    assert disagreements(effects_of(RAW, problems)) == []
    assert problems.found == []


def mutants(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The table with one number moved by a step, or one condition left out."""
    table = RAW[name]
    for key, value in table.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            step = 0.01 if value < 1 else 0.1
            for sign in (-1, 1):
                if value + sign * step >= 0:
                    yield f"{key} {sign * step:+}", table | {key: value + sign * step}
    for key in ("who", "not_for"):
        conditions = table.get(key, [])
        for at, (feature, op, value) in enumerate(conditions):
            left = conditions[:at] + conditions[at + 1 :]
            yield f"{key} without {feature}", table | {key: left}
            if feature in STEPS:
                for sign in (-1, 1):
                    moved = [feature, op, round(value + sign * STEPS[feature], 4)]
                    put = [*conditions[:at], moved, *conditions[at + 1 :]]
                    yield f"{feature} {sign * STEPS[feature]:+}", table | {key: put}


@pytest.mark.parametrize("name", RAW)
def test_no_number_of_an_effect_can_move_and_no_condition_can_go(name: str) -> None:
    survivors = []
    for what, table in mutants(name):
        raw = copy.deepcopy(RAW) if name == "systolic" else {"systolic": RAW["systolic"]}
        effects = effects_of(raw | {name: table}, reading.Problems())
        if not disagreements(effects):
            survivors.append(what)
    assert survivors == []
