"""Published scores as models: the formula, for whom it holds, what it needs, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from chw_tools.risk_prediction.explained import Explained
from chw_tools.risk_prediction.inputs import Columns, columns_of
from chw_tools.risk_prediction.validity import Limits, judge_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature
    from chw_tools.risk_prediction.plausibility import Range

#: Far outside its limits a formula may reach 0 or 1, whose log-odds are no numbers.
_SUREST = 1e-12
#: Whose reasons are found in one go: each has the formula computed for all groups of inputs.
_PEOPLE_AT_A_TIME = 4_096

Inputs: TypeAlias = "Mapping[str, NDArray[np.float64]]"


@dataclass(frozen=True, eq=False)
class PublishedScore:
    """A published risk formula, used as it was published.

    Parameters
    ----------
    name, version, outcome, digest : str
        As of a trained model; the digest is that of the formula's numbers.
    read : callable
        ``read(frame)`` gives the formula's inputs by feature name, as numbers.
    formula : callable
        ``formula(inputs)`` gives the risk.
    reference : mapping of str to float
        The stated reference person that effects are measured against; inputs that are not
        in it (sex) are kept as they are.
    labels : mapping of str to str
        Names of the inputs, for notes.
    limits : mapping of str to (lowest, highest)
        For whom it holds.
    not_with : mapping of str to str
        Flags with which it does not hold, and why.
    remarks : callable, optional
        ``remarks(frame)`` gives what to say with an estimate, or ``None``, one a row.
    reference_text : str
        The reference person in words.
    """

    name: str
    version: str
    outcome: str
    digest: str
    read: Callable[[pd.DataFrame], dict[str, NDArray[np.float64]]]
    formula: Callable[[Inputs], NDArray[np.float64]]
    reference: Mapping[str, float]
    labels: Mapping[str, str]
    limits: Mapping[str, Limits] = field(default_factory=dict)
    not_with: Mapping[str, str] = field(default_factory=dict)
    remarks: Callable[[pd.DataFrame], NDArray[np.object_]] | None = None
    reference_text: str = ""
    population: str = "real"
    #: A formula reads its inputs by itself, and has limits in place of ranges.
    features: tuple[Feature, ...] = ()
    ranges: Mapping[str, Range] = field(default_factory=dict)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The inputs, with the flags that bar the score."""
        return (*self.labels, *self.not_with)

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """The risk by the formula; missing where an input is."""
        return self.formula(self.read(frame))

    def reference_logit(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Log-odds of the reference person of each row (who shares what is not compared)."""
        logit: NDArray[np.float64] = self._logits(self.read(frame), [frozenset()])[0]
        return logit

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Shapley value of each input on the log-odds against the reference person.

        Formulas have interactions (the effect of smoking shrinks with age); the Shapley
        value is the one fair share of them that sums exactly: reference log-odds and
        contributions together are the log-odds of the risk.
        """
        shares = self._effects(self.read(frame))
        return pd.DataFrame(shares, index=frame.index, columns=list(self.reference))

    def _effects(self, inputs: Inputs) -> NDArray[np.float64]:
        """The Shapley values, people by inputs of the reference person."""
        n_people = len(next(iter(inputs.values())))
        effects = np.empty((n_people, len(self.reference)))
        for first in range(0, n_people, _PEOPLE_AT_A_TIME):
            some = slice(first, first + _PEOPLE_AT_A_TIME)
            effects[some] = self._shares({name: held[some] for name, held in inputs.items()})
        return effects

    def _shares(self, inputs: Inputs) -> NDArray[np.float64]:
        players, n = list(self.reference), len(self.reference)
        groups = [frozenset(some) for size in range(n + 1) for some in combinations(players, size)]
        value = dict(zip(groups, self._logits(inputs, groups), strict=True))
        shares = np.zeros((len(value[frozenset()]), n))
        for at, player in enumerate(players):
            for members in groups:
                if player not in members:
                    weight = factorial(len(members)) * factorial(n - len(members) - 1)
                    gain = value[members | {player}] - value[members]
                    shares[:, at] += weight / factorial(n) * gain
        return shares

    def _logits(self, inputs: Inputs, groups: Sequence[frozenset[str]]) -> NDArray[np.float64]:
        """Log-odds, groups by people, with the inputs of each group as they are.

        The other inputs are those of the reference person. All groups are one call of the
        formula: for one person a call costs more than what it computes.
        """
        mixed = {}
        for name, values in inputs.items():
            if name in self.reference:
                own = np.array([name in members for members in groups])[:, None]
                mixed[name] = np.where(own, values, self.reference[name]).ravel()
            else:
                mixed[name] = np.tile(values, len(groups))
        risk = np.clip(self.formula(mixed), _SUREST, 1 - _SUREST)
        logits: NDArray[np.float64] = np.log(risk) - np.log1p(-risk)
        return logits.reshape(len(groups), -1)

    def judge(self, frame: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """State and note: not valid outside its limits, not known with an input missing."""
        return self._judged(Columns(frame), self.read(frame))

    def _judged(
        self, columns: Columns, inputs: Inputs
    ) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        state, note = judge_rows(
            columns_of(inputs, columns.frame.index),
            limits=self.limits,
            needs=list(self.labels),
            labels=self.labels,
        )
        if self.remarks is not None:
            note = np.where(state == "estimated", self.remarks(columns.frame), note)
        for flag, why in self.not_with.items():
            barred = columns.numbers(flag) == 1
            state[barred], note[barred] = "not_valid", why
        return state, note

    def explain(self, columns: Columns) -> Explained:
        """State, note, risk and effects of each person."""
        inputs = self.read(columns.frame)
        state, note = self._judged(columns, inputs)
        return Explained(
            state=state,
            note=note,
            risk=self.formula(inputs),
            effects=self._effects(inputs),
            names=tuple(self.reference),
        )
