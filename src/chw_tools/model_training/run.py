"""A whole training: split, fit, baselines, judgement on held-out people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.feature_engineering import Features
from chw_tools.model_evaluation import About, compute_metrics, evaluate
from chw_tools.model_evaluation.report import write_metrics_text
from chw_tools.model_training.baselines import fit_baselines
from chw_tools.model_training.guards import check_no_answer, check_trainable
from chw_tools.model_training.inputs import read_inputs
from chw_tools.model_training.split import split_cohorts
from chw_tools.model_training.train import train
from chw_tools.programme.outcomes_page import list_competing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from chw_tools.model_evaluation import Evaluation
    from chw_tools.model_training.cohorts import Cohorts
    from chw_tools.model_training.fitting import ClassWeights, Direction
    from chw_tools.model_training.recipes import Recipe
    from chw_tools.model_training.split import Split, SplitBy
    from chw_tools.model_training.train import FittedModel
    from chw_tools.model_training.tuning import Search
    from chw_tools.programme.outcomes import OutcomeDefinition


@dataclass(frozen=True)
class TrainingRun:
    """What a training gave.

    Parameters
    ----------
    model : FittedModel
        Fitted and calibrated on the training rows.
    evaluation : Evaluation
        On held-out people, at the last index day.
    split : Split
        Which rows were which.
    definition : OutcomeDefinition
        What was to be foreseen.
    source : str
        Where the data came from.
    probe : DataFrame
        A few rows of inputs, by which a saved model is compared with the fitted one; not to
        be kept.
    notes : tuple of str
        What the report must say of the training.
    """

    model: FittedModel
    evaluation: Evaluation
    split: Split
    definition: OutcomeDefinition
    source: str
    probe: pd.DataFrame
    notes: tuple[str, ...] = ()

    def describe(self) -> str:
        """The measures as plain text, for a terminal."""
        return write_metrics_text(self.evaluation, self.about("unsaved"))

    def about(self, version: str) -> About:
        """What the card and the report say of the model."""
        return About(
            outcome=self.model.outcome,
            label=self.definition.label,
            model=self.model.name,
            version=version,
            recipe=self.model.recipe,
            population=self.model.population,
            source=self.source,
            intended_use=self.definition.intended_use,
            not_for=self.definition.not_for,
            caveats=(*self.notes, *self.split.notes, *self.definition.known_caveats),
            features=[feature.as_dict() for feature in self.model.features],
            trained_on=self.model.trained_on,
            competing_events=list_competing(self.definition),
        )


def run_training(
    cohorts: Cohorts,
    *,
    definition: OutcomeDefinition,
    recipe: str | Recipe,
    seed: int,
    population: str,
    source: str = "",
    search: Search | None = None,
    class_weights: ClassWeights = "none",
    monotone: Mapping[str, Direction] | None = None,
    truth: pd.DataFrame | None = None,
    split_by: SplitBy = "household",
) -> TrainingRun:
    """Train on some people and earlier days; judge by other people on the last day.

    Parameters
    ----------
    cohorts : Cohorts
        See :func:`chw_tools.model_training.cohorts.make_cohorts`.
    definition : OutcomeDefinition
        What is foreseen.
    recipe, seed, search, class_weights, monotone
        As in :func:`chw_tools.model_training.train.train`.
    population : {"simulated", "real"}
        Whom the rows are about.
    source : str
        Where they came from, for the card.
    truth : DataFrame, optional
        For simulated people: ``person_id``, ``as_of``, ``probability``.
    split_by : {"household", "area"}
        Whether households are held out, or whole areas.

    Raises
    ------
    NotEnoughData
        If there are too few events to train on, or to judge by.
    NotTrainable
        If a published formula foresees the outcome.
    LeakFound
        If an input by itself gives the outcome away.
    """
    check_trainable(definition)
    split = split_cohorts(cohorts, seed=seed, split_by=split_by)
    learnt, labels, groups = _part(cohorts, split, split.train)
    check_no_answer(learnt, labels, trusted=definition.trusted_features, outcome=definition.name)
    judged, outcomes, _ = _part(cohorts, split, split.test)
    model = train(
        learnt,
        labels,
        recipe=recipe,
        seed=seed,
        groups=groups,
        outcome=definition.name,
        population=population,
        search=search,
        class_weights=class_weights,
        monotone=monotone,
        limits=_limits(definition),
        trained_on=_facts(cohorts, split, source),
    )
    plain = fit_baselines(learnt, labels, seed=seed, groups=groups)
    happened, risks = outcomes.astype(float).to_numpy(), model.predict(judged.frame)
    evaluation = evaluate(
        happened,
        risks,
        seed=seed,
        name=model.name,
        judged_by=cohorts.judged_by.iloc[split.test],
        baselines={name: one.predict(judged.frame) for name, one in plain.items()},
        truth=None if truth is None else align_truth(truth, cohorts)[split.test],
        groups=split.groups[split.test],
        inputs=read_inputs(judged.frame, model.features),
        risks_by_day=_risks_by_day(model, cohorts, split),
    )
    probe = judged.frame.iloc[:500]
    notes = (model.trained_on["sample_size"], *_said_without_twins(split, happened, risks))
    return TrainingRun(model, evaluation, split, definition, source, probe, notes)


def _said_without_twins(
    split: Split, labels: NDArray[np.float64], risks: NDArray[np.float64]
) -> tuple[str, ...]:
    """How well the order holds among people unlike everybody who was learnt from."""
    apart = ~split.has_twin
    if apart.all() or not 0 < labels[apart].sum() < apart.sum():
        return ()
    auc = compute_metrics(labels[apart], risks[apart], seed=0, n_resamples=0).loc["auc", "value"]
    return (f"Among the {int(apart.sum()):,} judged people without a twin the AUC is {auc:.3f}.",)


def _risks_by_day(model: FittedModel, cohorts: Cohorts, split: Split) -> dict[str, pd.Series]:
    """The held-out people's risks on every index day; none of them was trained on."""
    rows = np.flatnonzero(np.isin(split.groups, split.groups[split.test]))
    risks = pd.Series(
        model.predict(cohorts.features.frame.iloc[rows]), cohorts.features.frame.index[rows]
    )
    days = cohorts.as_of.iloc[rows].to_numpy()
    return {f"{day:%Y-%m-%d}": risks[days == day] for day in sorted(cohorts.as_of.unique())}


def align_truth(truth: pd.DataFrame, cohorts: Cohorts) -> NDArray[np.float64]:
    """The true probability of each row of the cohorts; NaN where the truth has none."""
    known = truth.drop_duplicates(["person_id", "as_of"])
    keys = pd.MultiIndex.from_arrays([known["person_id"].astype("str"), _seconds(known["as_of"])])
    wanted = pd.MultiIndex.from_arrays(
        [cohorts.features.frame.index.astype("str"), _seconds(cohorts.as_of)]
    )
    values = pd.Series(known["probability"].to_numpy(dtype=float), index=keys)
    return np.asarray(values.reindex(wanted), dtype=float)


def _seconds(days: pd.Series) -> pd.Series:
    return days.astype("datetime64[s]").reset_index(drop=True)


def _part(
    cohorts: Cohorts, split: Split, rows: NDArray[np.int64]
) -> tuple[Features, pd.Series, NDArray[Any]]:
    held = cohorts.features
    part = Features(held.frame.iloc[rows], held.declaration, held.as_of)
    return part, cohorts.labels.iloc[rows], split.groups[rows]


def _limits(
    definition: OutcomeDefinition,
) -> dict[str, tuple[float | None, float | None]]:
    low, high = definition.min_age_years, definition.max_age_years
    return {"age_years": (low, high)} if low or high is not None else {}


def _facts(cohorts: Cohorts, split: Split, source: str) -> dict[str, Any]:
    days = cohorts.as_of.iloc[split.train]
    judged = cohorts.as_of.iloc[split.test]
    return {
        "source": source,
        "trained_as_of": [f"{day:%Y-%m-%d}" for day in sorted(days.unique())],
        "judged_as_of": f"{judged.max():%Y-%m-%d}",
        "is_temporal_split": split.is_temporal,
        **({"held_out_areas": list(split.held_out_areas)} if split.held_out_areas else {}),
        "n_judged": len(split.test),
        **({"asked": cohorts.describe_counts()} if len(cohorts.counts) else {}),
    }
