"""Scoring: our portable model against scikit-learn, EBM, ONNX Runtime and a numpy limit.

CPU time, as ratios within one run (a shared machine's clock tells little). Simulated numbers:
this measures plumbing. Run: python benchmarks/risk_scoring.py [rows]
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.feature_engineering import Feature, Features
from chw_tools.model_training import FittedModel, export_model, train
from chw_tools.model_training.inputs import read_inputs
from chw_tools.programme import RiskBands
from chw_tools.risk_prediction import PortableModel, estimate_risk, read_portable

if TYPE_CHECKING:
    from collections.abc import Callable

N_FEATURES = 20
N_LEARNT = 20_000
REPEATS = 3
ONE_ROW = 300
BANDS = RiskBands(0.05, 0.1, 0.2)


def make_features(n_people: int, seed: int) -> Features:
    """Sixteen numbers, two flags and two choices; one value in ten is not known."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    declared = []
    for at in range(16):
        values = rng.normal(100, 15, n_people)
        values[rng.random(n_people) < 0.1] = np.nan
        columns[f"number_{at}"] = values
        declared.append(Feature(f"number_{at}", f"Number {at}", "number"))
    for at in range(2):
        columns[f"flag_{at}"] = pd.array(rng.random(n_people) < 0.3, dtype="boolean")
        declared.append(Feature(f"flag_{at}", f"Flag {at}", "flag"))
    for at in range(2):
        codes = rng.integers(-1, 3, n_people)
        columns[f"choice_{at}"] = pd.Categorical.from_codes(codes, ["a", "b", "c"])
        declared.append(Feature(f"choice_{at}", f"Choice {at}", "choice", allowed=("a", "b", "c")))
    index = pd.Index([f"p{at}" for at in range(n_people)], name="person_id", dtype="str")
    return Features(pd.DataFrame(columns, index), tuple(declared), pd.Timestamp("2025-01-01"))


def fit(recipe: str) -> FittedModel:
    """A model of one recipe on simulated numbers."""
    features = make_features(N_LEARNT, seed=1)
    known = features.frame[[f"number_{at}" for at in range(16)]].fillna(100).to_numpy()
    score = (known - 100) @ np.linspace(0.03, -0.02, 16) - 2
    chance = np.random.default_rng(2).random(N_LEARNT)
    labels = pd.Series(chance < 1 / (1 + np.exp(-score)), features.frame.index, dtype="boolean")
    return train(features, labels, recipe=recipe, seed=1)


def cpu(act: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Least CPU seconds of several runs."""
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        act()
        taken.append(time.process_time() - begun)
    return min(taken)


def numpy_limit(encoded: np.ndarray, model: PortableModel) -> tuple[Callable[[], Any], ...]:
    """A look-up and an addition a term: of bins found beforehand, and found by bisection."""
    rng = np.random.default_rng(0)
    tables = rng.normal(0, 1, (len(encoded), 33))
    cuts = [np.sort(rng.normal(100, 15, 31)) for _ in encoded]
    bins = [np.searchsorted(c, v, side="right") for c, v in zip(cuts, encoded, strict=True)]

    def looked_up() -> Any:
        total = np.full(encoded.shape[1], model.intercept)
        for table, places in zip(tables, bins, strict=True):
            total += table[places]
        return 1 / (1 + np.exp(-total))

    def bisected() -> Any:
        total = np.full(encoded.shape[1], model.intercept)
        for table, of_term, values in zip(tables, cuts, encoded, strict=True):
            total += table[np.searchsorted(of_term, values, side="right")]
        return 1 / (1 + np.exp(-total))

    return looked_up, bisected


def onnx_session(inputs: pd.DataFrame) -> Callable[[], Any] | None:
    """Boosting of scikit-learn as ONNX (float32, on the numbers, gaps filled beforehand)."""
    if not all(map(importlib.util.find_spec, ("skl2onnx", "onnxruntime"))):
        return None
    import onnxruntime
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    matrix = np.nan_to_num(inputs.select_dtypes("number").to_numpy("float32"), nan=100.0)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    pipeline.fit(matrix[:2000], np.arange(2000) % 2)
    graph = to_onnx(pipeline, matrix[:1], options={"zipmap": False})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: matrix})


def batch(n_people: int) -> None:
    """A table of ratios for many people."""
    fitted = {name: fit(name) for name in ("additive", "logistic", "gradient_boosting")}
    model = read_portable(export_model(fitted["additive"], version="v1"))
    line = read_portable(export_model(fitted["logistic"], version="v1"))
    features = make_features(n_people, seed=7)
    frame = features.frame
    inputs = read_inputs(frame, model.features)
    rng = np.random.default_rng(0)
    looked_up, bisected = numpy_limit(rng.normal(100, 15, (N_FEATURES, n_people)), model)
    acts: dict[str, Callable[[], Any] | None] = {
        "ours, additive, from the feature table": lambda: model.predict(frame),
        "ours, logistic, from the feature table": lambda: line.predict(frame),
        "numpy limit: look-up and addition, bins given": looked_up,
        "numpy limit: bisection, look-up and addition": bisected,
        "EBM predict_proba": lambda: fitted["additive"].estimator.predict_proba(inputs),
        "scikit-learn logistic pipeline": lambda: fitted["logistic"].estimator.predict_proba(
            inputs
        ),
        "scikit-learn boosting pipeline": lambda: fitted[
            "gradient_boosting"
        ].estimator.predict_proba(inputs),
        "ONNX Runtime, logistic on a float32 matrix": onnx_session(inputs),
    }
    ours = 0.0
    print(f"{n_people:,} rows x {N_FEATURES} features, least CPU seconds of {REPEATS}")
    for name, act in acts.items():
        if act is None:
            print(f"{name:48} needs the extra onnx")
            continue
        taken = cpu(act)
        ours = ours or taken
        print(f"{name:48} {taken:8.3f} s  {taken / ours:7.2f} x ours")


def one_row() -> None:
    """One person through the public function, with state, reasons, band and digests."""
    model = read_portable(export_model(fit("additive"), version="v1"))
    features = make_features(40, seed=9)
    people = [features.of_people([person]) for person in features.frame.index]
    taken = []
    for at in range(ONE_ROW):
        one = people[at % len(people)]
        begun = time.process_time_ns()
        estimate_risk(model, one, bands=BANDS)
        taken.append((time.process_time_ns() - begun) / 1e6)
    warm = sorted(taken[20:])
    print("\none person, estimate_risk, CPU ms")
    print(f"least {warm[0]:.2f}, a tenth {warm[len(warm) // 10]:.2f}", end=", ")
    print(f"median {statistics.median(warm):.2f}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    one_row()
    batch(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
