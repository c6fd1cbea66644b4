"""Write docs/model_vectors/: two portable models of simulated people, and golden vectors.

The models prove plumbing, not medicine. The vectors are what the Python evaluator says of
people made up to stand at and beside every border, with values missing, unheard of and not
plausible; other evaluators are held to them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chw_tools.feature_engineering import Features, build_features
from chw_tools.model_training import FittedModel, export_model, train
from chw_tools.programme import RiskBands
from chw_tools.risk_prediction import PortableModel, estimate_risk, read_portable, sign_model
from chw_tools.testing import simulate_programme

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "model_vectors"
RECIPES = ("additive", "logistic_splines")
NAMES = ("age_years", "systolic_mmhg", "bmi", "glucose_mmol_l", "has_diabetes", "sex", "tobacco")
BANDS = RiskBands(0.05, 0.1, 0.2)
#: A key that everybody knows: the signature shows the form, and vouches for nothing.
KNOWN_KEY = bytes(range(32))
N_PEOPLE = 60


def main() -> None:
    """Write the folder anew."""
    FOLDER.mkdir(exist_ok=True)
    features, labels = simulated()
    for recipe in RECIPES:
        model = train(
            features,
            labels,
            recipe=recipe,
            seed=1,
            outcome="made_up",
            name=f"Example, {recipe}",
            limits={"age_years": (18, 95)},
        )
        bands = {"moderate": BANDS.moderate, "high": BANDS.high, "very_high": BANDS.very_high}
        text = export_model(model, version="v1", thresholds={"bands": bands, "capacity": 0.15})
        signed = sign_model(text, KNOWN_KEY)
        people = make_people(model)
        vectors = write_vectors(read_portable(signed), people, features)
        (FOLDER / f"{recipe}.json").write_text(signed, encoding="utf-8")
        written = json.dumps(vectors, indent=1, ensure_ascii=False) + "\n"
        (FOLDER / f"{recipe}_vectors.json").write_text(written, encoding="utf-8")


def simulated() -> tuple[Features, pd.Series]:
    """Features of simulated people, and an outcome drawn from them by a formula."""
    register = simulate_programme(people=2500, seed=11).register
    built = build_features(register, as_of=pd.Timestamp("2025-06-30"))
    features = built.only(NAMES)
    frame = features.frame
    score = (frame["age_years"].fillna(30) - 50) / 15
    score += ((frame["systolic_mmhg"].fillna(125) - 125) / 30) ** 2
    score += (frame["tobacco"] == "current") * 0.7 - 1.5
    chance = np.random.default_rng(5).random(len(frame))
    return features, pd.Series(chance < 1 / (1 + np.exp(-score)), frame.index, dtype="boolean")


def make_people(model: FittedModel) -> pd.DataFrame:
    """People at and beside borders, with gaps, unheard-of answers and impossible values."""
    from chw_tools.model_training.export import make_probes
    from chw_tools.model_training.portable_terms import find_terms

    found = find_terms(model.estimator, model.features)
    if found is None:
        raise SystemExit("the recipe is not portable")
    people = make_probes(found, model.features).iloc[:N_PEOPLE].reset_index(drop=True)
    declared = {feature.name: feature for feature in model.features}
    at_random = np.random.default_rng(2)
    for at, name in enumerate(people):
        if declared[name].kind == "flag":
            people[name] = at_random.choice(np.array([True, False, None], dtype=object), N_PEOPLE)
        elif declared[name].kind == "number" and at % 2 == 0:
            half = at_random.random(N_PEOPLE) < 0.5
            usual = at_random.normal(*USUAL[name], N_PEOPLE)
            people[name] = people[name].astype(float).mask(half, usual)
    people.loc[0] = pd.Series(EVERYTHING, dtype=object)
    people.loc[1] = pd.Series(dict.fromkeys(people.columns), dtype=object)
    people.loc[2] = pd.Series(EVERYTHING | {"glucose_mmol_l": 99.0}, dtype=object)
    people.loc[3] = pd.Series(EVERYTHING | {"bmi": 305.0}, dtype=object)
    people.loc[4] = pd.Series(EVERYTHING | {"tobacco": "snuff"}, dtype=object)
    people.loc[5] = pd.Series(EVERYTHING | {"age_years": 95.99}, dtype=object)
    people.loc[6] = pd.Series(EVERYTHING | {"age_years": 17.99}, dtype=object)
    people.loc[7] = pd.Series(EVERYTHING | {"age_years": None}, dtype=object)
    return people


USUAL = {
    "age_years": (55, 15),
    "systolic_mmhg": (135, 20),
    "bmi": (25, 4),
    "glucose_mmol_l": (7, 2),
}
EVERYTHING: dict[str, Any] = {
    "age_years": 61.4,
    "systolic_mmhg": 152.0,
    "bmi": 27.25,
    "glucose_mmol_l": 6.1,
    "has_diabetes": False,
    "sex": "female",
    "tobacco": "current",
}


def as_features(people: pd.DataFrame, features: Features) -> Features:
    """The made-up people as a feature table."""
    columns: dict[str, Any] = {}
    for feature in features.declaration:
        values = people[feature.name]
        if feature.kind == "number":
            columns[feature.name] = values.astype("float64")
        elif feature.kind == "flag":
            columns[feature.name] = pd.array(values, dtype="boolean")
        else:
            columns[feature.name] = values.astype("object")
    index = pd.Index([f"made-up-{at}" for at in range(len(people))], name="person_id")
    frame = pd.DataFrame(columns).set_index(index)
    return Features(frame, features.declaration, features.as_of)


def write_vectors(model: PortableModel, people: pd.DataFrame, features: Features) -> list[Any]:
    """What the Python evaluator says of each."""
    table = as_features(people[list(NAMES)], features)
    risks = estimate_risk(model, table, bands=BANDS)
    effects = model.contributions(table.frame)
    vectors = []
    for at, row in enumerate(risks.itertuples()):
        estimated = row.state == "estimated"
        vectors.append(
            {
                "inputs": {name: plain(people[name].iloc[at]) for name in NAMES},
                "state": row.state,
                "note": None if pd.isna(row.note) else row.note,
                "risk": float(row.risk) if estimated else None,
                "band": row.band if estimated else None,
                "contributions": {name: float(effects[name].iloc[at]) for name in effects},
                "reasons": row.reasons,
            }
        )
    return vectors


def plain(value: Any) -> Any:
    """A value as JSON holds it."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return float(value) if isinstance(value, float | np.floating) else value


if __name__ == "__main__":
    main()
