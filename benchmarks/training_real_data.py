"""Train on the public data beside the project and print the table of docs/model_evaluation.md.

Run ``python benchmarks/training_real_data.py [nhanes] [brfss] [--recipes=additive,logistic]
[--folds]`` in the project's folder. With ``--folds`` everybody is judged once, by a model of
the other four fifths, as in published comparisons; else a quarter of the households is held
out. The files go through the same reader, feature builder, split, training and judgement as a
programme's own register.
"""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path

import numpy as np

from chw_tools.exchange import load_mapping, open_intake
from chw_tools.feature_engineering import Features
from chw_tools.model_evaluation import Evaluation, evaluate, write_report
from chw_tools.model_training import (
    Cohorts,
    choose_index_days,
    make_cohorts,
    run_training,
    train,
)
from chw_tools.model_training.split import find_groups
from chw_tools.model_training.tuning import make_folds
from chw_tools.programme.outcomes import load_outcomes
from chw_tools.records import load_catalogue
from chw_tools.workflows.ingest import read_register

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SETS = {
    "nhanes": (
        "nhanes_2009_2012_mortality2019.csv.gz",
        "nhanes_2009_2012.toml",
        ("death_5y", "diabetes"),
    ),
    "brfss": ("brfss2015_health_indicators.csv.gz", "brfss2015.toml", ("diabetes",)),
}
SHOWN = ("auc", "average_precision", "brier", "calibration_slope", "observed_to_expected")
REPORTS = Path("models/model_evaluation")


def main(arguments: list[str]) -> None:
    """Each data set, outcome and recipe in turn."""
    recipes = ["additive", "logistic", "gradient_boosting"]
    for argument in arguments:
        if argument.startswith("--recipes="):
            recipes = argument.removeprefix("--recipes=").split(",")
    chosen = [name for name in SETS if name in arguments] or list(SETS)
    print("| Data | Outcome | Model | n judged (events) | " + " | ".join(SHOWN) + " | CPU s |")
    print("|---" * (5 + len(SHOWN)) + "|")
    for name in chosen:
        run_set(name, recipes, in_folds="--folds" in arguments)


def run_set(name: str, recipes: list[str], *, in_folds: bool) -> None:
    """Read one file, then train each recipe for each of its outcomes."""
    file, mapping, outcomes = SETS[name]
    started = time.process_time()
    records = open_intake(SHARED / file, mapping=load_mapping(EXAMPLES / mapping))
    register, _ = read_register(
        records=[records], catalogue=load_catalogue(), today=date(2026, 1, 1)
    )
    print(f"<!-- {name}: read in {time.process_time() - started:.1f} CPU s -->", flush=True)
    last = max(frame["known_on"].max() for _, frame in register.tables() if len(frame))
    for outcome in outcomes:
        definition = load_outcomes()[outcome]
        cohorts = make_cohorts(register, definition, index_days=choose_index_days(last, definition))
        for recipe in recipes:
            started = time.process_time()
            if in_folds:
                judged = cross_validate(cohorts, recipe)
                spent = time.process_time() - started
                print_rows(name, outcome, judged, spent, with_baselines=False)
                continue
            run = run_training(
                cohorts,
                definition=definition,
                recipe=recipe,
                seed=42,
                population="real",
                source=name,
            )
            spent = time.process_time() - started
            report = write_report(run.evaluation, run.about("benchmark"))
            folder = REPORTS / f"{outcome}_{name}" / recipe
            folder.mkdir(parents=True, exist_ok=True)
            for file_name, content in report.items():
                (folder / file_name).write_bytes(content)
            print_rows(name, outcome, run.evaluation, spent, with_baselines=recipe == recipes[0])


def cross_validate(cohorts: Cohorts, recipe: str) -> Evaluation:
    """Everybody judged once, by a model that saw neither her household nor her like."""
    labels = cohorts.labels.astype(float).to_numpy()
    groups, _ = find_groups(cohorts)
    held = cohorts.features
    risks = np.empty(len(labels))
    for rows, judged in make_folds(held.frame, labels, groups, seed=42):
        part = Features(held.frame.iloc[rows], held.declaration, held.as_of)
        model = train(part, cohorts.labels.iloc[rows], recipe=recipe, seed=42, groups=groups[rows])
        risks[judged] = model.predict(held.frame.iloc[judged])
    return evaluate(labels, risks, seed=42, name=f"{recipe}, 5 folds")


def print_rows(
    name: str, outcome: str, evaluation: Evaluation, spent: float, *, with_baselines: bool
) -> None:
    """The model's row, and once for each outcome the baselines' rows."""
    for position, (model, row) in enumerate(evaluation.comparisons.iterrows()):
        if position and not with_baselines:
            break
        cells = [
            f"{row[metric]:.4f} ({row[metric + '_low']:.3f} to {row[metric + '_high']:.3f})"
            for metric in SHOWN
        ]
        who = f"{evaluation.n:,} ({evaluation.n_events:,})"
        seconds = f"{spent:.0f}" if position == 0 else ""
        print(
            "| " + " | ".join([name, outcome, str(model), who, *cells, seconds]) + " |", flush=True
        )


if __name__ == "__main__":
    main(sys.argv[1:])
