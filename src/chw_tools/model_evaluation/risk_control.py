"""A list long enough to miss few: the threshold that finds a share of events for sure.

"At least 90 % of events, with 90 % confidence" is a promise about the people to come, made
from the people judged. It holds where those to come resemble them and are independent of one
another; a household's people are not quite, and a change of season or of programme breaks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from chw_tools.errors import MissingExtra, NotEnoughData

if TYPE_CHECKING:
    from numpy.typing import NDArray

Method = Literal["exact", "mapie"]


@dataclass(frozen=True)
class RecallThreshold:
    """A threshold, and what it promises.

    Parameters
    ----------
    threshold : float
        Risk from which a person is called.
    target, confidence : float
        The share of events that is found at least, and how surely.
    method : {"exact", "mapie"}
        How it was found.
    n_events : int
        Events that it was found by.
    recall : float
        The share of those events at or above the threshold.
    list_share : float
        Share of the judged people who would be called.
    """

    threshold: float
    target: float
    confidence: float
    method: Method
    n_events: int
    recall: float
    list_share: float


def choose_threshold_for_recall(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    *,
    target: float = 0.9,
    confidence: float = 0.9,
    method: Method = "exact",
) -> RecallThreshold:
    """The highest threshold that finds at least ``target`` of the events, with confidence.

    Parameters
    ----------
    labels : array of shape (n,)
        1 where the event happened; people the model was not trained on.
    risks : array of shape (n,)
        Their risks.
    target, confidence : float
        Between 0 and 1.
    method : {"exact", "mapie"}
        ``exact`` counts: with m events the threshold may miss the most k for which a binomial
        of m and 1 - target is at most k with a probability of 1 - confidence. ``mapie`` is
        the library's risk control (Learn then Test), which needs ``chw-tools[conformal]`` and
        takes a looser bound, so that its list is a little longer.

    Raises
    ------
    NotEnoughData
        If the events are so few that even missing none of them proves nothing.
    MissingExtra
        If MAPIE is asked for and is not installed.

    Source: Clopper CJ, Pearson ES, Biometrika 1934;26:404-413; Angelopoulos AN et al., Learn
    then Test, arXiv:2110.01052.

    Examples
    --------
    >>> risks = np.linspace(0.01, 0.99, 99)
    >>> choose_threshold_for_recall(np.ones(99), risks).threshold
    0.06
    """
    if not (0 < target < 1 and 0 < confidence < 1):
        raise ValueError("target and confidence must lie between 0 and 1")
    found = np.sort(np.asarray(risks, dtype=float)[np.asarray(labels) == 1])
    allowed = _most_missed(len(found), target=target, confidence=confidence)
    if allowed < 0:
        raise NotEnoughData(
            f"{len(found)} events are too few to promise that {target:.0%} are found",
            cure="Judge by more people, or ask for less confidence.",
        )
    threshold = float(found[allowed])
    if method == "mapie":
        threshold = _choose_with_mapie(labels, risks, found, target=target, confidence=confidence)
    return RecallThreshold(
        threshold=threshold,
        target=target,
        confidence=confidence,
        method=method,
        n_events=len(found),
        recall=float((found >= threshold).mean()),
        list_share=float((np.asarray(risks) >= threshold).mean()),
    )


def _most_missed(n_events: int, *, target: float, confidence: float) -> int:
    """Most events that may be missed, -1 where even none is too many."""
    from scipy.stats import binom

    missed = np.arange(n_events)
    proven = binom.cdf(missed, n_events, 1 - target) <= 1 - confidence
    return int(proven.sum()) - 1


def _choose_with_mapie(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    event_risks: NDArray[np.float64],
    *,
    target: float,
    confidence: float,
) -> float:
    try:
        from mapie.risk_control import BinaryClassificationController
    except ImportError as error:
        raise MissingExtra.of("MAPIE", extra="conformal") from error

    controller = BinaryClassificationController(
        predict_function=lambda rows: np.stack([1 - rows, rows], axis=1),
        risk="recall",
        target_level=target,
        confidence_level=confidence,
        # Only the risks of events change the recall. The tests go up from calling everybody
        # and stop at the first that is not proven, so that no share of the error is spent.
        list_predict_params=np.unique(np.append(0.0, event_risks)),
        fwer_method="fixed_sequence",
    )
    controller.calibrate(np.asarray(risks, dtype=float), np.asarray(labels, dtype=int))
    valid = np.asarray(controller.valid_predict_params, dtype=float)
    return float(valid.max()) if valid.size else 0.0
