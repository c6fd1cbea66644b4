"""A whole evaluation: every measure, curve and subgroup of one model on held-out people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.errors import NotEnoughData
from chw_tools.model_evaluation.calibration import compute_calibration_curve
from chw_tools.model_evaluation.calibration_shape import (
    ChanceOfError,
    compute_chance_of_error,
    compute_smooth_calibration,
)
from chw_tools.model_evaluation.capacity import compute_at_capacity, find_capacity_threshold
from chw_tools.model_evaluation.comparison import compare_models
from chw_tools.model_evaluation.drift import summarise_inputs
from chw_tools.model_evaluation.metrics import (
    check_judgeable,
    compute_confusion,
    compute_metrics,
    compute_roc,
)
from chw_tools.model_evaluation.net_benefit import draw_net_benefit
from chw_tools.model_evaluation.resampling import Resampling
from chw_tools.model_evaluation.risk_control import RecallThreshold, choose_threshold_for_recall
from chw_tools.model_evaluation.stability import compute_stability
from chw_tools.model_evaluation.subgroups import compute_subgroups
from chw_tools.model_evaluation.truth import compare_with_truth, compute_truth_curve

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from chw_tools.model_evaluation.drift import Drift


@dataclass(frozen=True)
class Evaluation:
    """What is known of a model's risks among people it was not trained on.

    Parameters
    ----------
    n, n_events : int
        People judged by, and events among them.
    threshold : float
        Risk from which a person is called in the measures at capacity.
    capacity_share : float
        Share of the judged people who are called.
    metrics : DataFrame
        See :func:`chw_tools.model_evaluation.metrics.compute_metrics`.
    confusion : mapping
        Counts at the threshold.
    calibration, roc, net_benefit, subgroups : DataFrame
        See the functions of the same names.
    comparisons : DataFrame
        See :func:`chw_tools.model_evaluation.comparison.compare_models`.
    truth : DataFrame or None
        For simulated people: the model against the probabilities the events were drawn
        from.
    risks : array
        The judged risks, for the histogram; without whom they belong to.
    capacity : DataFrame
        Precision and recall of a list of exactly the capacity, with the bounds of ties.
    chance : ChanceOfError
        The calibration error that chance alone would show.
    smooth : DataFrame
        The calibration curve without bins.
    recall_threshold : RecallThreshold or None
        The list that finds 90 % of events with 90 % confidence, where there are enough events.
    truth_curve : DataFrame or None
        For simulated people: truth by risk.
    inputs : list
        Summary of the inputs, by which a later period is compared.
    stability : DataFrame
        Overlap of the lists of consecutive index days; empty with one day.
    drift : Drift or None
        What changed since the model was judged in training.
    draws_households : bool
        Whether the intervals draw groups of people together.
    """

    n: int
    n_events: int
    threshold: float
    capacity_share: float
    metrics: pd.DataFrame
    confusion: Mapping[str, int]
    calibration: pd.DataFrame
    roc: pd.DataFrame
    net_benefit: pd.DataFrame
    subgroups: pd.DataFrame
    comparisons: pd.DataFrame
    truth: pd.DataFrame | None
    risks: NDArray[np.float64]
    capacity: pd.DataFrame
    chance: ChanceOfError
    smooth: pd.DataFrame
    recall_threshold: RecallThreshold | None
    truth_curve: pd.DataFrame | None
    inputs: list[dict[str, Any]]
    stability: pd.DataFrame
    drift: Drift | None
    draws_households: bool


def evaluate(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    *,
    seed: int,
    name: str = "model",
    judged_by: pd.DataFrame | None = None,
    baselines: Mapping[str, NDArray[np.float64]] | None = None,
    only_ordering: Collection[str] = (),
    truth: NDArray[np.float64] | None = None,
    groups: NDArray[Any] | None = None,
    inputs: pd.DataFrame | None = None,
    risks_by_day: Mapping[str, pd.Series] | None = None,
    drift: Drift | None = None,
) -> Evaluation:
    """Judge risks by what happened to the same people.

    Parameters
    ----------
    labels : array of shape (n,)
        1 where the event happened, else 0; people the model was not trained on.
    risks : array of shape (n,)
        Their calibrated probabilities.
    seed : int
        For the intervals.
    name : str
        The model's name in the comparison.
    judged_by : DataFrame, optional
        Row by row, what subgroups are made of.
    baselines : mapping of str to array, optional
        Risks of plain models, or numbers that order the same people.
    only_ordering : collection of str
        Names of baselines whose numbers are no probabilities.
    truth : array of shape (n,), optional
        The probabilities that simulated events were drawn from; missing where unknown. Not
        used where they are known of nobody.
    groups : array of shape (n,), optional
        Whom the bootstrap draws together, such as the household.
    inputs : DataFrame, optional
        The model's inputs, of which a summary is kept for later comparison.
    risks_by_day : mapping of str to Series, optional
        For each index day, earliest first, the risk of each person: how far the list changes.
    drift : Drift, optional
        What changed since an earlier period; see
        :func:`chw_tools.model_evaluation.drift.compute_drift`.

    Raises
    ------
    NotEnoughData
        If nobody or everybody had the event.
    """
    labels, risks = np.asarray(labels, dtype=float), np.asarray(risks, dtype=float)
    check_judgeable(labels)
    threshold = find_capacity_threshold(risks)
    drawn = Resampling(len(labels), seed=seed, groups=groups)
    by = pd.DataFrame(index=range(len(labels))) if judged_by is None else judged_by
    top = min(0.99, max(4 * labels.mean(), 0.1))
    compared = {name: risks} | dict(baselines or {})
    if truth is not None and np.isnan(truth).all():
        truth = None
    return Evaluation(
        n=len(labels),
        n_events=int(labels.sum()),
        threshold=threshold,
        capacity_share=float((risks >= threshold).mean()),
        metrics=compute_metrics(labels, risks, seed=seed, threshold=threshold, groups=groups),
        confusion=compute_confusion(labels, risks, threshold=threshold),
        calibration=compute_calibration_curve(labels, risks),
        roc=compute_roc(labels, risks),
        net_benefit=draw_net_benefit(labels, risks, drawn, thresholds=np.linspace(0.005, top, 100)),
        subgroups=compute_subgroups(
            labels, risks, by, threshold=threshold, seed=seed, groups=groups
        ),
        comparisons=compare_models(labels, compared, drawn, only_ordering=only_ordering),
        truth=None if truth is None else compare_with_truth(labels, risks, truth),
        risks=risks,
        capacity=compute_at_capacity(labels, risks, drawn),
        chance=compute_chance_of_error(labels, risks, seed=seed),
        smooth=compute_smooth_calibration(labels, risks, drawn),
        recall_threshold=_find_recall_threshold(labels, risks),
        truth_curve=None if truth is None else compute_truth_curve(risks, truth),
        inputs=[] if inputs is None else summarise_inputs(inputs),
        stability=compute_stability(risks_by_day or {}),
        drift=drift,
        draws_households=groups is not None,
    )


def _find_recall_threshold(
    labels: NDArray[np.float64], risks: NDArray[np.float64]
) -> RecallThreshold | None:
    try:
        return choose_threshold_for_recall(labels, risks)
    except NotEnoughData:
        return None
