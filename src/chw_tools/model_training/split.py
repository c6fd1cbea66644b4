"""Who is learnt from and who judges: split by person and by time, before anything is fitted.

A share is drawn for each *group*: people of one household, every row of one person (who may
have changed house between index days), and people whose inputs are all equal (who may be one
person registered twice). The draw is a hash of the group's key and the
seed, so that a person stays on the same side whoever else is in the register.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.errors import NotEnoughData
from chw_tools.model_training.inputs import hash_rows, read_inputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.model_training.cohorts import Cohorts

#: Share of the groups held out for judging.
TEST_SHARE = 0.25
#: Where joining people who look alike would make one group of more than this share of all
#: rows, so little is known of people that alike is no sign of the same.
_LARGEST_GROUP_SHARE = 0.05


@dataclass(frozen=True)
class Split:
    """Rows to train on and rows to judge by, as positions in the cohorts' table.

    Parameters
    ----------
    train, test : array of int
        Positions of rows.
    groups : array
        The group of each row of the whole table, for the folds of training.
    is_temporal : bool
        Whether the judged rows lie later than the training rows.
    notes : tuple of str
        What the report must say about it.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    groups: NDArray[Any]
    is_temporal: bool
    notes: tuple[str, ...]


def split_cohorts(cohorts: Cohorts, *, seed: int, test_share: float = TEST_SHARE) -> Split:
    """Held-out people on the last index day; the others on the days before.

    With one index day the split is by person only, and the notes say that validation over
    time was impossible.

    Raises
    ------
    NotEnoughData
        If a side is empty.
    ValueError
        If an outcome of a training row became known only after the judging day, or a group
        stands on both sides; either would be a fault of the caller or of this module.
    """
    groups, notes = find_groups(cohorts)
    is_test = draw_shares(groups, seed=seed) < test_share
    days = sorted(cohorts.as_of.unique())
    is_temporal = len(days) > 1
    last = (cohorts.as_of == days[-1]).to_numpy() if is_temporal else np.ones(len(groups), bool)
    known = cohorts.labels.notna().to_numpy()
    test = np.flatnonzero(is_test & last & known)
    train = np.flatnonzero(~is_test & known & (~last if is_temporal else True))
    if not (len(test) and len(train)):
        raise NotEnoughData(
            "there is nobody to train on or nobody to judge by after the split",
            where=cohorts.outcome,
            cure="Give more people, or earlier index days.",
        )
    check_known_before(cohorts, train, judged_from=days[-1] if is_temporal else None)
    check_apart(groups, train, test)
    if not is_temporal:
        notes += (
            "Split by person only: the data carry one index day, so validation over time was "
            "impossible.",
        )
    return Split(train, test, groups, is_temporal, notes)


def draw_shares(keys: NDArray[Any], *, seed: int) -> NDArray[np.float64]:
    """A number from 0 to 1 for each key, always the same for the same key and seed."""
    hashed = pd.util.hash_array(
        np.asarray(keys).astype(str).astype(object), hash_key=f"{seed % 10**16:016d}"
    )
    return np.asarray(hashed / 2.0**64, dtype=float)


def find_groups(cohorts: Cohorts) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The group of each row: a household's people, joined with those of equal inputs.

    Returns
    -------
    groups : array
        A key that stays the same whatever other rows are in the table, as long as the
        group's own rows do.
    notes : tuple of str
        Says so where people who look alike could not be kept together.
    """
    alike = _find_alike(cohorts)
    households = _join(
        cohorts.households.to_numpy(dtype=object), cohorts.features.frame.index.to_numpy()
    )
    joined = _join(households, alike)
    if pd.Series(joined).value_counts().iloc[0] <= max(20, _LARGEST_GROUP_SHARE * len(joined)):
        return joined, ()
    n_alike = int(pd.Series(alike).duplicated(keep=False).sum())
    note = (
        f"{n_alike} rows share all their inputs with another row; too many to keep together, "
        "so identical rows may stand on both sides of the split."
    )
    return households, (note,)


def check_known_before(
    cohorts: Cohorts, train: NDArray[np.int64], *, judged_from: pd.Timestamp | None
) -> None:
    """Refuse training rows whose outcome was not settled before the judging day.

    Raises
    ------
    ValueError
        Then.
    """
    if judged_from is None or not cohorts.horizon_days:
        return
    settled = cohorts.as_of.iloc[train].max() + pd.Timedelta(days=cohorts.horizon_days)
    if settled > judged_from:
        raise ValueError("an outcome of a training row is settled only after the judging day")


def check_apart(groups: NDArray[Any], train: NDArray[np.int64], test: NDArray[np.int64]) -> None:
    """Refuse a split in which a group stands on both sides.

    Raises
    ------
    ValueError
        Then.
    """
    if pd.Index(groups[train]).intersection(pd.Index(groups[test])).size:
        raise ValueError("a household stands on both sides of the split")


def _find_alike(cohorts: Cohorts) -> NDArray[np.uint64]:
    declaration = cohorts.features.declaration
    inputs = read_inputs(cohorts.features.frame, declaration)
    return hash_rows(inputs)


def _join(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Connected components of rows that share either key, each named by its least first key."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, _ = pd.factorize(first)
    right, _ = pd.factorize(second)
    n_left, n = int(left.max()) + 1, int(left.max()) + int(right.max()) + 2
    graph = coo_array((np.ones(len(left), dtype=np.int32), (left, right + n_left)), shape=(n, n))
    component = connected_components(graph, directed=False)[1][left]
    names = pd.Series(first, dtype="str").groupby(component).transform("min")
    return np.asarray(names, dtype=object)
