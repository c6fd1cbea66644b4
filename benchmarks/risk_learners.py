"""Our recipes beside bare learners on the same rows, columns and five folds.

Run ``python benchmarks/risk_learners.py [nhanes_death] [nhanes_diabetes] [brfss] [mozambique]
[opt] [--ours=additive,...] [--bare=xgboost,...] [--keep=FOLDER]`` in the project's folder.
XGBoost and CatBoost are no part of the project: ``pip install --target build/peers xgboost
catboost`` and ``PYTHONPATH=build/peers`` bring them in, else they are skipped. With ``--keep``
the out-of-fold risks are kept in a folder, and what is there is not fitted anew.

Everybody is judged once, by a model of the other four fifths (``StratifiedKFold``, shuffled,
seed 42). Ours calibrate themselves within those four fifths. The 95th percentile of ECE is that
of 1,000 draws in which every risk is true, at the same n and risks.
"""

from __future__ import annotations

import argparse
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from risk_data import AS_THEY_COME, BENCHMARKS, SEED, Task
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, SplineTransformer, StandardScaler

from chw_tools.feature_engineering import Features
from chw_tools.model_evaluation import compute_metrics
from chw_tools.model_evaluation.calibration import assign_bins
from chw_tools.model_training import RECIPES, train

N_DRAWS = 1000
#: A subgroup with fewer events than this says too little to be held against a model.
FEWEST_EVENTS = 20


def make_bare(name: str, inputs: pd.DataFrame) -> Any:
    """A learner as its own library has it, at usual settings; nothing of ours in it."""
    words = list(inputs.select_dtypes(object))
    numbers = [c for c in inputs if c not in words]
    median = SimpleImputer(strategy="median", add_indicator=True)
    level = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    code = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    splines = make_pipeline(
        SimpleImputer(strategy="median"), SplineTransformer(5, degree=3), StandardScaler()
    )
    flat = ColumnTransformer(
        [("n", make_pipeline(median, StandardScaler()), numbers), ("w", level, words)]
    )
    curved = ColumnTransformer(
        [("n", splines, numbers), ("m", median, numbers), ("w", level, words)]
    )
    coded = ColumnTransformer([("n", "passthrough", numbers), ("w", code, words)])
    if name == "logistic":
        return make_pipeline(flat, LogisticRegression(max_iter=2000))
    if name == "splines":
        return make_pipeline(curved, StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    if name == "forest":
        return make_pipeline(
            flat, RandomForestClassifier(300, min_samples_leaf=10, random_state=SEED)
        )
    if name == "boosting":
        return make_pipeline(
            coded, HistGradientBoostingClassifier(learning_rate=0.05, random_state=SEED)
        )
    if name == "ebm":
        from interpret.glassbox import ExplainableBoostingClassifier

        # Pairs of inputs cost hours on the larger file, and boosted trees hold them anyway.
        pairs = {"interactions": 0} if len(inputs) > 20_000 else {}
        return ExplainableBoostingClassifier(random_state=SEED, n_jobs=1, **pairs)
    common = {"n_estimators": 300, "learning_rate": 0.04, "random_state": SEED}
    if name == "lightgbm":
        from lightgbm import LGBMClassifier

        model = LGBMClassifier(
            **common, num_leaves=15, min_child_samples=40, subsample=0.8, subsample_freq=1,
            colsample_bytree=0.6, reg_lambda=5.0, n_jobs=1, verbose=-1,
        )  # fmt: skip
        return make_pipeline(coded.set_output(transform="pandas"), model)
    if name == "xgboost":
        from xgboost import XGBClassifier

        model = XGBClassifier(
            **common, max_depth=4, min_child_weight=10, subsample=0.8, colsample_bytree=0.6,
            reg_lambda=5.0, n_jobs=1,
        )  # fmt: skip
        return make_pipeline(coded, model)
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(
        iterations=400, learning_rate=0.05, depth=5, random_seed=SEED, verbose=False,
        thread_count=1, allow_writing_files=False,
    )  # fmt: skip
    return make_pipeline(coded, model)


BARE = {
    "logistic": "sklearn", "splines": "sklearn", "forest": "sklearn", "boosting": "sklearn",
    "ebm": "interpret", "lightgbm": "lightgbm", "xgboost": "xgboost", "catboost": "catboost",
}  # fmt: skip


def judge_once(task: Task, learner: str, *, is_ours: bool) -> tuple[np.ndarray, float]:
    """Out-of-fold risks, and CPU seconds of one fit on the mean."""
    risks, spent = np.empty(len(task.labels)), 0.0
    features = task.features()
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    for rows, judged in folds.split(task.inputs, task.labels):
        started = time.process_time()
        if is_ours:
            part = Features(features.frame.iloc[rows], features.declaration, features.as_of)
            labels = pd.Series(task.labels[rows] == 1, part.frame.index, dtype="boolean")
            model = train(part, labels, recipe=learner, seed=SEED)
            spent += time.process_time() - started
            risks[judged] = model.predict(features.frame.iloc[judged])
            continue
        model = make_bare(learner, task.inputs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(task.inputs.iloc[rows], task.labels[rows])
            spent += time.process_time() - started
            risks[judged] = model.predict_proba(task.inputs.iloc[judged])[:, 1]
    return risks, spent / 5


def compute_ece_limit(risks: np.ndarray) -> float:
    """The 95th percentile of ECE, were every risk true: chance alone gives this much."""
    generator, bins = np.random.default_rng(SEED), assign_bins(risks)
    expected = np.bincount(bins, risks)
    found = [
        np.abs(np.bincount(bins, generator.random(len(risks)) < risks) - expected).sum()
        for _ in range(N_DRAWS)
    ]
    return float(np.quantile(found, 0.95) / len(risks))


def judge_groups(task: Task, risks: np.ndarray) -> pd.DataFrame:
    """O/E of each subgroup with its 95 % interval, from the variance under true risks."""
    rows = []
    for by, values in task.groups.items():
        for group in values.dropna().unique():
            kept = (values == group).to_numpy()
            events, expected = task.labels[kept].sum(), risks[kept].sum()
            # log O/E: Wald, with the binomial variance of the observed count.
            spread = np.sqrt((1 - task.labels[kept].mean()) / max(events, 1))
            value = events / expected
            rows.append(
                {
                    "by": by, "group": group, "n": kept.sum(), "events": int(events),
                    "oe": value, "low": value * np.exp(-1.96 * spread),
                    "high": value * np.exp(1.96 * spread),
                }
            )  # fmt: skip
    table = pd.DataFrame(rows, columns=["by", "group", "n", "events", "oe", "low", "high"])
    return table.assign(is_off=(table["high"] < 0.9) | (table["low"] > 1.1))


def describe(task: Task, risks: np.ndarray) -> dict[str, Any]:
    """The measures of one learner."""
    found = compute_metrics(task.labels, risks, seed=SEED)
    groups = judge_groups(task, risks)
    judged = groups[groups["events"] >= FEWEST_EVENTS]
    auc = found.loc["auc"]
    off = [f"{r.by} {r.group} {r.oe:.2f}" for r in judged[judged["is_off"]].itertuples()]
    return {
        "auc": auc["value"],
        "AUC (95 %)": f"{auc['value']:.4f} ({auc['low']:.3f} to {auc['high']:.3f})",
        "AP": f"{found.loc['average_precision', 'value']:.3f}",
        "Brier": f"{found.loc['brier', 'value']:.4f}",
        "ECE": f"{found.loc['calibration_error', 'value']:.4f}",
        "95th pct": f"{compute_ece_limit(risks):.4f}",
        "Slope": f"{found.loc['calibration_slope', 'value']:.3f}",
        "O/E": f"{found.loc['observed_to_expected', 'value']:.3f}",
        "Subgroups O/E": f"{judged['oe'].min():.2f} to {judged['oe'].max():.2f}",
        "Wholly off": "; ".join(off) or f"0 of {len(judged)}",
    }


def run(task: Task, *, ours: list[str], bare: list[str], keep: Path | None, key: str) -> None:
    """The table of one question."""
    print(
        f"\n{task.name}: n = {len(task.labels):,}, events = {int(task.labels.sum()):,}; {task.note}"
    )
    rows = []
    for learner, is_ours in [*((b, False) for b in bare), *((o, True) for o in ours)]:
        label = f"**{learner}**" if is_ours else f"{learner} (bare)"
        if not is_ours and find_spec(BARE[learner]) is None:
            print(f"skipped: {learner} is not installed")
            continue
        place = keep / f"{key}-{'ours' if is_ours else 'bare'}-{learner}.npz" if keep else None
        if place and place.exists():
            held = np.load(place)
            risks, spent = held["risks"], float(held["spent"])
        else:
            risks, spent = judge_once(task, learner, is_ours=is_ours)
            if place:
                np.savez(place, risks=risks, spent=spent)
        rows.append({"Learner": label, **describe(task, risks), "CPU s a fit": f"{spent:.1f}"})
        print(f"<!-- {label} {rows[-1]['AUC (95 %)']} {spent:.1f} s -->", flush=True)
    print_table(rows)


def print_table(rows: list[dict[str, Any]]) -> None:
    """Markdown; the gap is to the best bare learner."""
    table = pd.DataFrame(rows)
    is_bare = table["Learner"].str.endswith("(bare)")
    best = table.loc[is_bare, "auc"].max() if is_bare.any() else np.nan
    table.insert(2, "Gap to best bare", [f"{best - auc:+.4f}" for auc in table["auc"]])
    table = table.drop(columns="auc")
    print("| " + " | ".join(table.columns) + " |")
    print("|" + "---|" * table.shape[1])
    for row in table.to_numpy():
        print("| " + " | ".join(map(str, row)) + " |")


def main() -> None:
    """Every question asked for, in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    loaders = {**BENCHMARKS, **AS_THEY_COME}
    parser.add_argument("tasks", nargs="*", choices=[*loaders, []])
    parser.add_argument("--ours", default=",".join(r for r in RECIPES))
    parser.add_argument("--bare", default=",".join(BARE))
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    if chosen.keep:
        chosen.keep.mkdir(parents=True, exist_ok=True)
    for key in chosen.tasks or list(loaders):
        run(
            loaders[key](),
            ours=[name for name in chosen.ours.split(",") if name],
            bare=[name for name in chosen.bare.split(",") if name],
            keep=chosen.keep,
            key=key,
        )


if __name__ == "__main__":
    main()
