"""Who is learnt from and who judges: split by person and by time, before anything is fitted.

A share is drawn for each *group*: people of one household, every row of one person (who may
have changed house between index days), and people whose inputs are all equal (who may be one
person registered twice). The draw is a hash of the group's key and the
seed, so that a person stays on the same side whoever else is in the register. On request whole
areas are held out instead, to see how a model does where nobody was learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from chw_tools.errors import LeakFound, NotEnoughData
from chw_tools.model_training.inputs import hash_rows, read_inputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.model_training.cohorts import Cohorts

#: Share of the groups held out for judging.
TEST_SHARE = 0.25
#: Whether households are held out, or whole areas.
SplitBy = Literal["household", "area"]
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
    held_out_areas : tuple of str
        The areas that nobody was learnt from, where the split is by area.
    has_twin : array of bool
        For each row of ``test``, whether a training row has the same inputs.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    groups: NDArray[Any]
    is_temporal: bool
    notes: tuple[str, ...]
    held_out_areas: tuple[str, ...] = ()
    has_twin: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))


def split_cohorts(
    cohorts: Cohorts,
    *,
    seed: int,
    test_share: float = TEST_SHARE,
    split_by: SplitBy = "household",
) -> Split:
    """Held-out people on the last index day (or in the last period); the others before.

    With one index day the split is by person only, and the notes say that validation over
    time was impossible.

    Parameters
    ----------
    cohorts : Cohorts
        All rows.
    seed : int
        For the draw.
    test_share : float
        Share of the groups, or of the rows by whole areas, that is held out.
    split_by : {"household", "area"}
        With ``area`` whole areas are held out; training rows of somebody whose household or
        like lives in one of them are left out, and the notes say how many.

    Raises
    ------
    NotEnoughData
        If a side is empty, or there are fewer than two areas to split by.
    LeakFound
        If people who look alike were to be kept together and are not.
    ValueError
        If an outcome of a training row became known only after the judging day, or a group
        stands on both sides; either would be a fault of the caller or of this module.
    """
    groups, n_alike, is_together = _join_alike(cohorts)
    notes = _said_of_alike(n_alike, is_together)
    held_out: tuple[str, ...] = ()
    if split_by == "area":
        held_out = draw_areas(cohorts, seed=seed, test_share=test_share)
        is_test = _areas_of(cohorts).isin(held_out).to_numpy()
        notes += (_said_of_areas(held_out),)
    else:
        is_test = draw_shares(groups, seed=seed) < test_share
    periods = cohorts.as_of if cohorts.periods is None else cohorts.periods
    days = sorted(periods.unique())
    is_temporal = len(days) > 1
    last = (periods == days[-1]).to_numpy() if is_temporal else np.ones(len(groups), bool)
    known = cohorts.labels.notna().to_numpy()
    test = np.flatnonzero(is_test & last & known)
    train = np.flatnonzero(~is_test & known & (~last if is_temporal else True))
    if split_by == "area":
        train, left_out = _leave_out_kin(groups, train, test)
        notes += left_out
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
    inputs = _read(cohorts)
    if is_together:
        check_no_twins(inputs, train, test)
    has_twin = find_twins(inputs, train, test)
    notes += _said_of_twins(has_twin)
    return Split(train, test, groups, is_temporal, notes, held_out, has_twin)


def draw_areas(cohorts: Cohorts, *, seed: int, test_share: float) -> tuple[str, ...]:
    """Whole areas, in an order drawn with the seed, until they hold the share of the rows.

    Raises
    ------
    NotEnoughData
        If the rows name fewer than two areas.
    """
    rows = _areas_of(cohorts).dropna().value_counts()
    if len(rows) < 2:
        raise NotEnoughData(
            "a split by area needs people of two areas at least",
            where=cohorts.outcome,
            cure="Import areas, or split by household.",
        )
    drawn = rows.iloc[np.argsort(draw_shares(rows.index.to_numpy(), seed=seed))]
    before = (drawn.cumsum() - drawn) / drawn.sum()
    chosen = drawn.index[(before < test_share).to_numpy()][: len(rows) - 1]
    return tuple(sorted(str(area) for area in chosen))


def find_twins(
    inputs: pd.DataFrame, train: NDArray[np.int64], test: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """For each judged row, whether a training row has exactly the same inputs."""
    hashed = hash_rows(inputs)
    return np.asarray(np.isin(hashed[test], hashed[train]))


def check_no_twins(inputs: pd.DataFrame, train: NDArray[np.int64], test: NDArray[np.int64]) -> None:
    """Refuse a split in which rows with the same inputs stand on both sides.

    Raises
    ------
    LeakFound
        With how many of the judged rows have a twin.
    """
    n_twins = int(find_twins(inputs, train, test).sum())
    if n_twins:
        raise LeakFound(
            f"{n_twins} of {len(test)} judged rows have the same inputs as a training row",
            where="split",
            cure="Split by groups that keep equal rows together (split_cohorts does).",
        )


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
    groups, n_alike, is_together = _join_alike(cohorts)
    return groups, _said_of_alike(n_alike, is_together)


_ALIKE = "rows share all their inputs with another row"


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
    if cohorts.settled_on is None:
        settled = cohorts.as_of.iloc[train].max() + pd.Timedelta(days=cohorts.horizon_days)
    else:
        settled = cohorts.settled_on.iloc[train].max()
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


def _join_alike(cohorts: Cohorts) -> tuple[NDArray[Any], int, bool]:
    """The groups, how many rows look like another, and whether those are kept together."""
    alike = hash_rows(_read(cohorts))
    households = _join(
        cohorts.households.to_numpy(dtype=object), cohorts.features.frame.index.to_numpy()
    )
    joined = _join(households, alike)
    n_alike = int(pd.Series(alike).duplicated(keep=False).sum())
    largest = pd.Series(joined).value_counts().iloc[0]
    is_together = bool(largest <= max(20, _LARGEST_GROUP_SHARE * len(joined)))
    return (joined if is_together else households), n_alike, is_together


def _said_of_alike(n_alike: int, is_together: bool) -> tuple[str, ...]:
    if not n_alike:
        return ()
    if is_together:
        return (f"{n_alike:,} {_ALIKE}; they are kept on one side.",)
    note = (
        f"{n_alike:,} {_ALIKE}; too many to keep together, so identical rows may stand on both "
        "sides of the split."
    )
    return (note,)


def _read(cohorts: Cohorts) -> pd.DataFrame:
    return read_inputs(cohorts.features.frame, cohorts.features.declaration)


def _areas_of(cohorts: Cohorts) -> pd.Series:
    if cohorts.areas is None:
        return pd.Series(pd.NA, cohorts.labels.index, dtype="str")
    return cohorts.areas


def _said_of_areas(held_out: tuple[str, ...]) -> str:
    return f"Judged by people of {len(held_out)} areas of whom nobody was learnt from."


def _leave_out_kin(
    groups: NDArray[Any], train: NDArray[np.int64], test: NDArray[np.int64]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    is_kin = np.isin(groups[train], groups[test])
    if not is_kin.any():
        return train, ()
    note = (
        f"{int(is_kin.sum()):,} training rows were left out: their household, or somebody with "
        "the same inputs, is among the judged."
    )
    return train[~is_kin], (note,)


def _said_of_twins(has_twin: NDArray[np.bool_]) -> tuple[str, ...]:
    if not has_twin.any():
        return ()
    return (
        f"{int(has_twin.sum()):,} of {len(has_twin):,} judged people have the same inputs as "
        "somebody who was learnt from.",
    )


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
