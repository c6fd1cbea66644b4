"""Published scores as models: the formula, for whom it holds, what it needs, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from chw_tools.risk_prediction.explained import Explained, explain_in_parts
from chw_tools.risk_prediction.inputs import columns_of
from chw_tools.risk_prediction.validity import Limits, judge_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature
    from chw_tools.risk_prediction.inputs import Columns
    from chw_tools.risk_prediction.plausibility import Range

#: Far outside its limits a formula may reach 0 or 1, whose log-odds are no numbers.
_SUREST = 1e-12

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
        return self._logit(self.read(frame), frozenset())

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Shapley value of each input on the log-odds against the reference person.

        Formulas have interactions (the effect of smoking shrinks with age); the Shapley
        value is the one fair share of them that sums exactly: reference log-odds and
        contributions together are the log-odds of the risk.
        """
        inputs, players = self.read(frame), list(self.reference)
        value = {
            members: self._logit(inputs, members)
            for size in range(len(players) + 1)
            for members in map(frozenset, combinations(players, size))
        }
        n = len(players)
        shares = {}
        for player in players:
            total = np.zeros(len(frame))
            for members in value:
                if player not in members:
                    weight = factorial(len(members)) * factorial(n - len(members) - 1)
                    total += weight / factorial(n) * (value[members | {player}] - value[members])
            shares[player] = total
        return pd.DataFrame(shares, index=frame.index)

    def _logit(self, inputs: Inputs, own: frozenset[str]) -> NDArray[np.float64]:
        mixed = {
            name: values
            if name in own or name not in self.reference
            else np.full(len(values), self.reference[name])
            for name, values in inputs.items()
        }
        risk = self.formula(mixed)
        risk = np.clip(risk, _SUREST, 1 - _SUREST)
        logit: NDArray[np.float64] = np.log(risk) - np.log1p(-risk)
        return logit

    def judge(self, frame: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """State and note: not valid outside its limits, not known with an input missing."""
        inputs = columns_of(self.read(frame), frame.index)
        state, note = judge_rows(
            inputs, limits=self.limits, needs=list(self.labels), labels=self.labels
        )
        if self.remarks is not None:
            note = np.where(state == "estimated", self.remarks(frame), note)
        for flag, why in self.not_with.items():
            barred = frame[flag].fillna(False).to_numpy(dtype=bool)
            state[barred], note[barred] = "not_valid", why
        return state, note

    def explain(self, columns: Columns) -> Explained:
        """State, note, risk and effects of each person."""
        return explain_in_parts(self, columns)
