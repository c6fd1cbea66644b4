"""Exact reasons of trees: their TreeSHAP values, on the log-odds.

For sums of trees (boosting) the values are of the log-odds themselves. A forest averages
probabilities: there the distance in log-odds from the average person is shared out in
proportion to the values on the probability, so that the shares add up as exactly.

Source: Lundberg SM et al., Nat Mach Intell 2020;2:56-67.
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chw_tools.errors import ModelRefused
from chw_tools.model_evaluation.calibration import PROBABILITY_MARGIN, compute_logit

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What a model file says of its reasons where they are these.
TREE_SHAP = "tree_shap"
_OF_LOG_ODDS = ("HistGradientBoostingClassifier", "GradientBoostingClassifier", "LGBMClassifier")
_OF_PROBABILITY = ("RandomForestClassifier", "ExtraTreesClassifier")
#: Values that do not add up to what the model says within this are not shown. They are
#: computed in double precision: a decision of this project, far below what anybody reads.
ADDITIVE_WITHIN = 1e-6
#: Nearer to the average person than this, a difference quotient is noise.
_SAME_RISK = 1e-9


class TreeShares(NamedTuple):
    """Share of each prepared column in the log-odds (rows by columns), and what they add to."""

    shares: NDArray[np.float64]
    base: float


def is_of_trees(classifier: Any) -> bool:
    """Whether a classifier is made of trees of a kind that can be taken apart exactly."""
    return type(classifier).__name__ in (*_OF_LOG_ODDS, *_OF_PROBABILITY)


def can_explain_trees() -> bool:
    """Whether the library is installed (the extra ``explain``)."""
    return find_spec("shap") is not None


def check_can_explain(name: str) -> None:
    """Refuse a model whose reasons could not be computed as they were when it was kept.

    Raises
    ------
    ModelRefused
        If the library is not installed: the same people would get other reasons than before.
    """
    if not can_explain_trees():
        raise ModelRefused(
            "its reasons are computed by SHAP, which is not installed",
            where=name,
            cure='Install it: pip install "chw-tools[explain]", or train the model again.',
        )


def compute_tree_shares(classifier: Any, prepared: NDArray[np.float64]) -> TreeShares:
    """The TreeSHAP values of prepared rows, on the classifier's log-odds.

    Raises
    ------
    ModelRefused
        If they do not add up to what the classifier says.
    """
    with warnings.catch_warnings():
        # Libraries speak to their developers here: of forms to come, of columns without names.
        warnings.simplefilter("ignore")
        values, base = _shapley(classifier, prepared)
        risk = classifier.predict_proba(prepared)[:, 1]
    if type(classifier).__name__ in _OF_PROBABILITY:
        _check(base + values.sum(axis=1), risk)
        return _on_log_odds(values, base, risk)
    # Nearer to 0 and 1 the log-odds are held, and shares need not add up to them.
    free = (risk > PROBABILITY_MARGIN) & (risk < 1 - PROBABILITY_MARGIN)
    _check((base + values.sum(axis=1))[free], compute_logit(risk)[free])
    return TreeShares(values, base)


def _shapley(classifier: Any, prepared: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    import shap

    explainer = shap.TreeExplainer(classifier)
    found = explainer.shap_values(prepared, check_additivity=False)
    values = np.asarray(found[-1] if isinstance(found, list) else found, dtype=float)
    values = values[..., 1] if values.ndim == 3 else values
    return values, float(np.ravel(explainer.expected_value)[-1])


def _on_log_odds(values: NDArray[np.float64], base: float, risk: NDArray[np.float64]) -> TreeShares:
    start = float(compute_logit([base])[0])
    away = risk - base
    near = np.abs(away) < _SAME_RISK
    rate = (compute_logit(risk) - start) / np.where(near, 1.0, away)
    rate[near] = 1.0 / (base * (1.0 - base))  # there the slope of the log-odds itself
    return TreeShares(values * rate[:, None], start)


def _check(found: NDArray[np.float64], said: NDArray[np.float64]) -> None:
    if len(said) and float(np.abs(found - said).max()) > ADDITIVE_WITHIN:
        raise ModelRefused(
            "the shares of its trees do not add up to what it says",
            cure="Report this; train an additive model, which needs no such library.",
        )
