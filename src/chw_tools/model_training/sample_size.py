"""Are there enough people to train on? The criteria of Riley and others for a yes-or-no outcome.

>>> need = compute_sample_size(0.174, n_parameters=24, cox_snell=0.288)
>>> need.n_shrinkage, need.n_optimism, need.n_overall, need.n_people
(623, 662, 221, 662)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chw_tools.model_training.fitting import TrainingRows

#: Asked of a model: its effects shrink by no more than a tenth among new people; its
#: Nagelkerke R2 is too good by no more than 0.05; the overall risk is known to 0.05.
SHRINKAGE, OPTIMISM, MARGIN = 0.9, 0.05, 0.05
#: Share of the greatest possible Cox-Snell R2 that is assumed where nothing is known. A
#: decision of this project, the same as other implementations of the criteria make.
ASSUMED_NAGELKERKE = 0.15


@dataclass(frozen=True)
class SampleSize:
    """How many people, and events among them, a model of so many parameters needs.

    Parameters
    ----------
    n_shrinkage, n_optimism, n_overall : int
        People needed for each of the three criteria.
    n_parameters : int
        Candidate predictor parameters.
    prevalence, cox_snell : float
        Share of people with the event, and the R2 that was assumed.
    """

    n_shrinkage: int
    n_optimism: int
    n_overall: int
    n_parameters: int
    prevalence: float
    cox_snell: float

    @property
    def n_people(self) -> int:
        """People needed for all three."""
        return max(self.n_shrinkage, self.n_optimism, self.n_overall)

    @property
    def n_events(self) -> int:
        """Events that so many people are expected to have."""
        return math.ceil(self.n_people * self.prevalence)

    @property
    def binding(self) -> str:
        """Which criterion asks for most, in words."""
        asked = {
            "effects that shrink by no more than a tenth": self.n_shrinkage,
            "a fit that is too good by no more than 0.05": self.n_optimism,
            "an overall risk known to 0.05": self.n_overall,
        }
        return max(asked, key=lambda words: asked[words])

    def describe(self, n_people: int) -> str:
        """One sentence for the report: enough, or too few with the cure."""
        needed = (
            f"{self.n_people:,} people with {self.n_events:,} events are the least for "
            f"{self.n_parameters} parameters (Riley 2020; {self.binding})"
        )
        if n_people >= self.n_people:
            return f"Trained on {n_people:,} people: enough, {needed}."
        return (
            f"Trained on {n_people:,} people: too few, {needed}. Gather more follow-up, or give "
            "fewer inputs; until then expect the risks to be too extreme among new people."
        )


def compute_sample_size(
    prevalence: float, *, n_parameters: int, cox_snell: float | None = None
) -> SampleSize:
    """The least number of people to develop a model of a yes-or-no outcome on.

    Parameters
    ----------
    prevalence : float
        Expected share of people with the event, above 0 and below 1.
    n_parameters : int
        Candidate predictor parameters: each coefficient that the fit may choose.
    cox_snell : float, optional
        Cox-Snell R2 that the model is expected to reach, from an earlier model (adjusted for
        its optimism); by default that of a Nagelkerke R2 of :data:`ASSUMED_NAGELKERKE`.

    Raises
    ------
    ValueError
        If a number is out of its range, or the R2 is more than the prevalence allows.

    Source: Riley RD et al., Stat Med 2019;38:1276-1296 and BMJ 2020;368:m441.
    """
    if not 0 < prevalence < 1 or n_parameters < 1:
        raise ValueError("the prevalence lies between 0 and 1, and there is a parameter")
    greatest = compute_greatest_cox_snell(prevalence)
    fit = ASSUMED_NAGELKERKE * greatest if cox_snell is None else cox_snell
    if not 0 < fit < min(greatest, SHRINKAGE):
        raise ValueError(f"Cox-Snell R2 lies between 0 and {min(greatest, SHRINKAGE):.3f} here")
    optimism = fit / (fit + OPTIMISM * greatest)
    return SampleSize(
        n_shrinkage=_people_for(SHRINKAGE, fit, n_parameters),
        n_optimism=_people_for(optimism, fit, n_parameters),
        n_overall=math.ceil((1.96 / MARGIN) ** 2 * prevalence * (1 - prevalence)),
        n_parameters=n_parameters,
        prevalence=prevalence,
        cox_snell=fit,
    )


def compute_greatest_cox_snell(prevalence: float) -> float:
    """The most that Cox-Snell R2 can be: that of a model that is always sure and right.

    >>> round(compute_greatest_cox_snell(0.5), 2)
    0.75
    """
    null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    return 1 - math.exp(2 * null)


def count_parameters(rows: TrainingRows, estimator: Any) -> int:
    """Coefficients that the fit may choose: those of the fitted logistic regression.

    Learners without coefficients are counted as the plain logistic regression of the same
    inputs, which is the least: they can bend, and need more people, not fewer.
    """
    steps = getattr(estimator, "steps", None)
    if steps and hasattr(steps[-1][1], "coef_"):
        return int(steps[-1][1].coef_.size)
    gaps = int(rows.inputs.isna().any().sum())
    return gaps + sum(
        max(1, len(f.allowed) - 1) if f.kind == "choice" else 1 for f in rows.declaration
    )


def _people_for(shrinkage: float, cox_snell: float, n_parameters: int) -> int:
    return math.ceil(n_parameters / ((shrinkage - 1) * math.log(1 - cox_snell / shrinkage)))
