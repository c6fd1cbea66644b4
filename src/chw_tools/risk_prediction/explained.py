"""What a model says of each person: state, note, risk, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.risk_prediction.inputs import Columns


@dataclass(frozen=True, eq=False)
class Explained:
    """One estimate a person.

    Parameters
    ----------
    state, note : ndarray of shape (people,)
        ``estimated``, ``not_valid`` or ``not_known``; and why, or what would help.
    risk : ndarray of shape (people,)
        Calibrated probability; to be shown of those with an estimate only.
    effects : ndarray of shape (people, features) or None
        Effect of each input on the log-odds; ``None`` where a model gives no reasons.
    names : tuple of str
        The features of the effects.
    """

    state: NDArray[np.object_]
    note: NDArray[np.object_]
    risk: NDArray[np.float64]
    effects: NDArray[np.float64] | None
    names: tuple[str, ...] = ()


class InParts(Protocol):
    """A model that gives state, risk and reasons one by one."""

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Calibrated probability of each row."""

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame | None:
        """Effect of each input on the log-odds."""

    def judge(self, frame: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """State and note."""


def explain_in_parts(model: InParts, columns: Columns) -> Explained:
    """What such a model says, together."""
    state, note = model.judge(columns.frame)
    effects = model.contributions(columns.frame)
    return Explained(
        state=state,
        note=note,
        risk=model.predict(columns.frame),
        effects=None if effects is None else effects.to_numpy(),
        names=() if effects is None else tuple(map(str, effects.columns)),
    )
