"""How long features and risks take, for many people and for one.

::

    python benchmarks/features.py                 20,000 people with 300,000 observations
    python benchmarks/features.py --people 200000 --observations 3000000

Times are wall clock and CPU of this process, best of three; memory is the peak resident set.
All people are made up here, at random: nothing but the clock is measured.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.feature_engineering import build_features, features_as_known, people_needed
from chw_tools.programme import RiskBands
from chw_tools.records import Register, load_catalogue
from chw_tools.risk_prediction import estimate_risk, read_portable, who_cvd_score

if TYPE_CHECKING:
    from collections.abc import Callable

AS_OF = pd.Timestamp("2024-05-01")
BANDS = RiskBands(0.1, 0.2, 0.3)


def make_register(n_people: int, n_observations: int, seed: int = 0) -> Register:
    """A register at random, as large as asked."""
    rng = np.random.default_rng(seed)
    person, home = _ids("1", n_people), _ids("2", n_people // 4 + 1)
    people = pd.DataFrame(
        {
            "id": person,
            "household_id": home[np.arange(n_people) // 4],
            "sex": rng.choice(["female", "male"], n_people),
            "born_on": _days(rng, 30_000, n_people),
        }
    )
    entries = list(load_catalogue().entries.values())
    of = rng.integers(0, len(entries), n_observations)
    is_number = np.array([entry.kind == "number" for entry in entries])[of]
    answers = np.array([entry.allowed[-1] if entry.allowed else None for entry in entries])
    observations = pd.DataFrame(
        {
            "id": _ids("3", n_observations),
            "person_id": person[rng.integers(0, n_people, n_observations)],
            "system": np.array([entry.code.system for entry in entries])[of],
            "code": np.array([entry.code.code for entry in entries])[of],
            "value_number": np.where(is_number, rng.normal(100, 10, n_observations), np.nan),
            "value_code": answers[of],
            "observed_on": _days(rng, 1500, n_observations),
        }
    )
    n_visits = n_observations // 5
    visits = pd.DataFrame(
        {
            "id": _ids("4", n_visits),
            "person_id": person[rng.integers(0, n_people, n_visits)],
            "visited_on": _days(rng, 1500, n_visits),
            "kind": rng.choice(["home", "facility", "inpatient"], n_visits),
            "outcome": rng.choice(["seen", "away"], n_visits),
        }
    )
    n_conditions = n_people // 2
    conditions = pd.DataFrame(
        {
            "id": _ids("5", n_conditions),
            "person_id": person[rng.integers(0, n_people, n_conditions)],
            "system": "http://hl7.org/fhir/sid/icd-10",
            "code": rng.choice(["I10", "E11.9", "B54", "J45"], n_conditions),
        }
    )
    tables = {
        "households": pd.DataFrame({"id": home, "wealth_fifth": 1, "facility_km": 2.0}),
        "people": people,
        "visits": visits,
        "observations": observations,
        "conditions": conditions,
    }
    event_day = {"visits": "visited_on", "observations": "observed_on"}
    for name, frame in tables.items():
        known = frame[event_day[name]] if name in event_day else pd.Timestamp("2020-01-01")
        tables[name] = frame.assign(source="benchmark", known_on=known)
    return Register.of(tables)


def make_model(frame: pd.DataFrame, n_terms: int = 60) -> str:
    """An additive model file over the first number features, with 32 bins each."""
    import json

    names = [n for n in frame.columns if frame[n].dtype == np.float64][:n_terms]
    rng = np.random.default_rng(1)
    terms = [
        {
            "feature": name,
            "kind": "number",
            "cuts": np.linspace(0, 200, 31).tolist(),
            "scores": rng.normal(0, 0.1, 33).tolist(),
        }
        for name in names
    ]
    return json.dumps(
        {
            "format": "chw-additive/1",
            "name": "benchmark",
            "version": "1",
            "outcome": "benchmark",
            "population": "simulated",
            "intercept": -2.0,
            "terms": terms,
            "calibration": {"slope": 1.0, "intercept": 0.0},
            "features": [{"name": n, "label": n, "kind": "number"} for n in names],
        }
    )


def _ids(kind: str, n: int) -> np.ndarray:
    return np.array([f"0189000{kind}-0000-7000-8000-{i:012x}" for i in range(n)])


def _days(rng: np.random.Generator, back: int, n: int) -> pd.Series:
    return pd.Series(AS_OF - pd.to_timedelta(rng.integers(0, back, n), unit="D")).astype(
        "datetime64[s]"
    )


def best(what: str, act: Callable[[], Any], times: int = 3) -> Any:
    """Do it a few times and write the best wall clock and CPU seconds."""
    walls, cpus = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = act()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    sys.stdout.write(f"{what:<52}{min(walls):>10.4f} s wall{min(cpus):>10.4f} s CPU\n")
    return answer


def main() -> None:
    """Measure, and write a line for each thing measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--observations", type=int, default=300_000)
    asked = parser.parse_args()
    register = make_register(asked.people, asked.observations)
    best("features of a register as known", lambda: features_as_known(register, as_of=AS_OF))
    features = best("build_features", lambda: build_features(register, as_of=AS_OF))
    megabytes = features.frame.memory_usage(deep=True).sum() / 1e6
    sys.stdout.write(f"feature table: {features.frame.shape}, {megabytes:.0f} MB\n")
    model = read_portable(make_model(features.frame))
    score = who_cvd_score("South Asia")
    best("additive model, 60 terms: risks alone", lambda: model.predict(features.frame))
    best("  with reasons, notes and digests", lambda: estimate_risk(model, features, bands=BANDS))
    best("WHO score with reasons", lambda: estimate_risk(score, features, bands=BANDS))
    who = list(features.frame.index[:1])
    part = register.of_people(people_needed(register, who))
    best(
        "one person: build_features", lambda: build_features(part, as_of=AS_OF, person_ids=who), 20
    )
    one = features.of_people(who)
    encoded = model.encode(one.frame)
    best("one person: additive model, from numbers", lambda: model.predict_encoded(encoded), 200)
    best("one person: additive model, from the table", lambda: model.predict(one.frame), 50)
    best("one person: risk with reasons", lambda: estimate_risk(model, one, bands=BANDS), 20)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    sys.stdout.write(f"peak resident memory: {peak:.0f} MB\n")


if __name__ == "__main__":
    main()
