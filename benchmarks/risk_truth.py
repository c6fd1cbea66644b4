"""Models of the simulated programme against the true risks, which they never saw.

Run ``OMP_NUM_THREADS=1 python benchmarks/risk_truth.py [--people=12000] [--seed=1]
[--recipes=...]`` in the project's folder. Simulated people prove the plumbing, not medicine.
The truth stands in for the event, so that no chance in who fell ill is judged with. *Reached*:
net benefit of acting on the model over that of acting on the true risks. *Gained*: the same
above the better of calling everybody and calling nobody.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.feature_engineering.outcomes import last_known_day
from chw_tools.model_evaluation.metrics import compute_metrics
from chw_tools.model_evaluation.net_benefit import compute_net_benefit
from chw_tools.model_evaluation.truth import compute_truth_curve
from chw_tools.model_training import Cohorts, choose_index_days, make_cohorts, run_training
from chw_tools.model_training.run import align_truth
from chw_tools.programme.outcomes import load_outcomes
from chw_tools.testing import simulate_programme

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from chw_tools.testing import Simulated

OUTCOME = "hospital_admission_180d"
THRESHOLDS = (0.02, 0.05, 0.1, 0.15, 0.2)


def name_as_register(programme: Simulated) -> pd.DataFrame:
    """The true risks under the register's own keys."""
    keys = programme.register.people.set_index("source_id")["id"]
    risks = programme.truth["risks"]
    return risks.assign(person_id=risks["person_id"].map(keys).astype("str"))


def make_table(cohorts: Cohorts, truth: pd.DataFrame, recipe: str) -> list[str]:
    """One row of the table."""
    run = run_training(
        cohorts,
        definition=load_outcomes()[OUTCOME],
        recipe=recipe,
        seed=1,
        population="simulated",
        truth=truth,
    )
    rows = run.split.test
    risks = run.model.predict(cohorts.features.frame.iloc[rows])
    true = align_truth(truth, cohorts)[rows]
    known = ~np.isnan(true)
    risks, true = risks[known], true[known]
    events = cohorts.labels.iloc[rows].astype(float).to_numpy()[known]
    bins = compute_truth_curve(risks, true, n_bins=10)
    apart = (bins["mean_risk"] - bins["mean_truth"]).abs()
    auc = [
        compute_metrics(events, r, seed=0, n_resamples=0).loc["auc", "value"] for r in (risks, true)
    ]
    return [
        recipe,
        f"{len(risks):,} ({int(events.sum()):,})",
        f"{auc[0]:.3f} of {auc[1]:.3f}",
        f"{true.sum() / risks.sum():.3f}",
        f"{(apart * bins['n']).sum() / len(risks):.4f}",
        f"{bins['mean_risk'].iloc[-1]:.3f} / {bins['mean_truth'].iloc[-1]:.3f}",
        *(f"{reached:.0%} ({gained:.0%})" for reached, gained in find_shares(risks, true)),
    ]


def find_shares(risks: np.ndarray, truth: np.ndarray) -> Iterator[tuple[float, float]]:
    """Reached and gained at each threshold; the truth stands in for the event."""
    found = compute_net_benefit(truth, risks, thresholds=np.array(THRESHOLDS))
    best = compute_net_benefit(truth, truth, thresholds=np.array(THRESHOLDS))["model"]
    without = np.maximum(found["everybody"], 0.0)
    return zip(found["model"] / best, (found["model"] - without) / (best - without), strict=True)


def main() -> None:
    """The table, one row a recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--recipes", default="additive,logistic,logistic_splines,gradient_boosting")
    chosen = parser.parse_args()
    programme = simulate_programme(people=chosen.people, seed=chosen.seed)
    truth = name_as_register(programme)
    definition = load_outcomes()[OUTCOME]
    days = choose_index_days(last_known_day(programme.register), definition)
    cohorts = make_cohorts(programme.register, definition, index_days=days)
    shown = [f"Reached (gained) at {t:.0%}" for t in THRESHOLDS]
    head = ["Recipe", "Judged (events)", "AUC of the most possible", "True / expected",
            "Distance in ten bins", "Top tenth: risk / truth", *shown]  # fmt: skip
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for recipe in chosen.recipes.split(","):
        row = make_table(cohorts, truth, recipe)
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
