"""Reading an experiment: by intention to treat, in the window declared, with honest intervals.

Everybody counts in the arm drawn, whatever was sent (intention to treat); those who got what
their arm says stand beside it, since they are no longer alike. Nobody counts before the window
is over. A fixed design is read once, at the planned number; a sequential one at any time, its
interval widened so that looking often raises no false alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.outreach.messages import HOLDOUT

if TYPE_CHECKING:
    from collections.abc import Collection

    from chw_tools.outreach.experiments import Experiment

#: Below such a probability the shares of the arms are not those declared: something is wrong
#: with the drawing or the counting, and no result is read (Fabijan et al., KDD 2019, give the
#: idea of a sample ratio mismatch; the value is this project's).
SRM_ALARM = 0.001


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """One arm against another.

    Parameters
    ----------
    arm, against : str
        Names.
    n, n_against : int
        People whose window is over.
    events, events_against : int
        Those of them with the outcome.
    risk_ratio, difference : Interval or None
        Share with the outcome over, and less, that of the other arm; none while too few.
    z, p : float or None
        Two-sided; none in a sequential design, whose interval alone is valid at any time.
    """

    arm: str
    against: str
    n: int
    n_against: int
    events: int
    events_against: int
    risk_ratio: Interval | None = None
    difference: Interval | None = None
    z: float | None = None
    p: float | None = None


@dataclass(frozen=True)
class ArmCount:
    """One arm in figures."""

    arm: str
    n_exposed: int
    n_mature: int
    events: int


@dataclass(frozen=True)
class Reading:
    """What an experiment says as of a day.

    Parameters
    ----------
    arms : tuple of ArmCount
    srm_p : float
        Probability of arms so uneven by chance.
    is_srm : bool
        Whether that is so small that nothing may be read.
    is_final : bool
        Whether the design allows a conclusion now.
    comparisons, per_protocol : tuple of Comparison
        Each arm against the holdout: as drawn, and as received. Empty where nothing may be
        read.
    note : str
        What a reader must know.
    """

    arms: tuple[ArmCount, ...]
    srm_p: float
    is_srm: bool
    is_final: bool
    comparisons: tuple[Comparison, ...]
    per_protocol: tuple[Comparison, ...]
    note: str


def read_results(
    experiment: Experiment,
    exposures: pd.DataFrame,
    events: pd.DataFrame,
    *,
    as_of: pd.Timestamp,
    treated: Collection[str] = (),
) -> Reading:
    """What an experiment says of everybody whose window is over.

    Parameters
    ----------
    experiment : Experiment
        As declared.
    exposures : DataFrame
        As declared; one row a person.
    events : DataFrame
        ``person_id`` and ``on``: days of the declared outcome, known by ``as_of``.
    as_of : Timestamp
        The day.
    treated : collection of str
        People who got a message, for the comparison per protocol.
    """
    rows = _with_outcome(experiment, exposures, events, as_of)
    counts = tuple(_count(rows, arm) for arm in experiment.arm_names)
    srm_p = srm_probability([c.n_exposed for c in counts], [a.share for a in experiment.arms])
    is_srm = srm_p < SRM_ALARM
    n_mature = sum(c.n_mature for c in counts)
    is_final = not is_srm and (
        experiment.design == "sequential" or n_mature >= experiment.n_planned
    )
    mature = rows[rows["is_mature"]]
    got = mature["person_id"].isin(list(treated))
    received = mature[got == (mature["arm"] != HOLDOUT)]
    return Reading(
        counts,
        srm_p,
        is_srm,
        is_final,
        _comparisons(experiment, mature) if is_final else (),
        _comparisons(experiment, received) if is_final else (),
        _note(experiment, is_srm, is_final, n_mature),
    )


def _with_outcome(
    experiment: Experiment, exposures: pd.DataFrame, events: pd.DataFrame, as_of: pd.Timestamp
) -> pd.DataFrame:
    rows = exposures[exposures["experiment"] == experiment.name]
    rows = rows[["person_id", "arm", "exposed_on"]].drop_duplicates("person_id")
    window = pd.Timedelta(days=experiment.window_days)
    both = rows.merge(events[["person_id", "on"]], on="person_id")
    inside = (both["on"] > both["exposed_on"]) & (both["on"] <= both["exposed_on"] + window)
    had = set(both.loc[inside, "person_id"])
    return rows.assign(
        is_mature=rows["exposed_on"] + window <= as_of, has_event=rows["person_id"].isin(had)
    )


def _count(rows: pd.DataFrame, arm: str) -> ArmCount:
    mine = rows[rows["arm"] == arm]
    mature = mine[mine["is_mature"]]
    return ArmCount(arm, len(mine), len(mature), int(mature["has_event"].sum()))


def _note(experiment: Experiment, is_srm: bool, is_final: bool, n_mature: int) -> str:
    if is_srm:
        return "The arms are not of the sizes declared: nothing is read before the reason is found."
    if not is_final:
        return (
            f"{n_mature} of {experiment.n_planned} people are through their "
            f"{experiment.window_days} days. A fixed design is read once, at the end."
        )
    if experiment.design == "sequential":
        return "The intervals hold at every look."
    return "Read at the number planned."


def srm_probability(counts: list[int], shares: list[float]) -> float:
    """Probability of arms at least so uneven if the shares are right (chi-square).

    >>> round(srm_probability([500, 500], [0.5, 0.5]), 3)
    1.0
    """
    from scipy.stats import chisquare

    total = sum(counts)
    if not total:
        return 1.0
    return float(chisquare(counts, [share * total for share in shares]).pvalue)


def _comparisons(experiment: Experiment, rows: pd.DataFrame) -> tuple[Comparison, ...]:
    n = rows.groupby("arm").size()
    events = rows.groupby("arm")["has_event"].sum()

    def counted(arm: str) -> tuple[int, int]:
        return int(events.get(arm, 0)), int(n.get(arm, 0))

    return tuple(
        compare(
            counted(arm),
            counted(HOLDOUT),
            arm=arm,
            design=experiment.design,
            alpha=experiment.alpha,
            n_planned=experiment.n_planned,
        )
        for arm in experiment.arm_names
        if arm != HOLDOUT
    )


def compare(
    counts: tuple[int, int],
    against: tuple[int, int],
    *,
    arm: str = "reminded",
    other: str = HOLDOUT,
    design: str = "fixed",
    alpha: float = 0.05,
    n_planned: int = 1000,
) -> Comparison:
    """Two arms from their counts (events, people).

    Parameters
    ----------
    counts, against : tuple of int
        Events and people of the arm, and of that which it is compared with.
    design : {"fixed", "sequential"}
        Score intervals and a z-test; or intervals that hold at every look.
    alpha : float
        1 less the coverage of the intervals.
    n_planned : int
        Number of people at which a sequential interval is to be narrowest.

    Examples
    --------
    >>> found = compare((1684, 6354), (1315, 6354))
    >>> [round(getattr(found.risk_ratio, name), 2) for name in ("value", "low", "high")]
    [1.28, 1.2, 1.36]
    """
    (events, n), (events_other, n_other) = counts, against
    plain = Comparison(arm, other, n, n_other, events, events_other)
    # A ratio of or to nothing has no interval; neither has an arm without people.
    if not (events and events_other and n and n_other):
        return plain
    if design == "sequential":
        ratio, difference = _at_any_time(counts, against, alpha, n_planned)
        z = p = None
    else:
        ratio, difference, z, p = _at_the_end(counts, against, alpha)
    return Comparison(arm, other, n, n_other, events, events_other, ratio, difference, z, p)


def _at_the_end(
    counts: tuple[int, int], against: tuple[int, int], alpha: float
) -> tuple[Interval, Interval, float, float]:
    """Score intervals (Miettinen and Nurminen; Newcombe for the difference) and the z-test."""
    from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

    (events, n), (events_other, n_other) = counts, against
    share, share_other = events / n, events_other / n_other
    low, high = confint_proportions_2indep(
        events, n, events_other, n_other, compare="ratio", method="score", alpha=alpha
    )
    ratio = Interval(share / share_other, float(low), float(high))
    low, high = confint_proportions_2indep(
        events, n, events_other, n_other, compare="diff", method="newcomb", alpha=alpha
    )
    z, p = proportions_ztest([events, events_other], [n, n_other])
    return ratio, Interval(share - share_other, float(low), float(high)), float(z), float(p)


def _at_any_time(
    counts: tuple[int, int], against: tuple[int, int], alpha: float, n_planned: int
) -> tuple[Interval, Interval]:
    """Asymptotic confidence sequences, for the logarithm of the ratio and the difference.

    Source: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas: Time-uniform central limit theory and
    asymptotic confidence sequences, Annals of Statistics 2024 (theorem 2.2 and its appendix on
    the tuning of rho; from memory, held by simulation in the tests).
    """
    (events, n), (events_other, n_other) = counts, against
    share, share_other = events / n, events_other / n_other
    widen = widening(n + n_other, n_planned=n_planned, alpha=alpha)
    spread = np.sqrt(1 / events - 1 / n + 1 / events_other - 1 / n_other)
    centre = np.log(share / share_other)
    ratio = Interval(
        share / share_other,
        float(np.exp(centre - widen * spread)),
        float(np.exp(centre + widen * spread)),
    )
    spread = np.sqrt(share * (1 - share) / n + share_other * (1 - share_other) / n_other)
    difference = share - share_other
    return ratio, Interval(
        difference, float(difference - widen * spread), float(difference + widen * spread)
    )


def widening(n: int, *, n_planned: int, alpha: float) -> float:
    """Standard errors to either side of an estimate so that the interval holds at every look.

    Against 1.96 at one look; narrowest, relative to that, about ``n_planned``.

    >>> round(widening(1000, n_planned=1000, alpha=0.05), 2)
    3.04
    """
    # The rho that makes the boundary narrowest at n_planned, in its usual approximation.
    rho2 = (-2 * np.log(alpha) + np.log(-2 * np.log(alpha)) + 1) / n_planned
    scaled = n * rho2
    return float(np.sqrt((scaled + 1) / scaled * np.log((scaled + 1) / alpha**2)))
