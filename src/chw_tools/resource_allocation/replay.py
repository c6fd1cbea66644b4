"""A time machine: the same people, months and minutes, another rule for whom to visit.

On a simulated programme the true risks and effects are known, so what a rule would have
averted can be counted. On recorded data it cannot: an event was recorded under the visits
that were really made, and who was visited was seen more. There only the recorded events
among those whom a rule would have visited are counted, and the notes say what that means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.resource_allocation.choice import two_state_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

POLICIES = ("random", "overdue", "risk", "benefit", "index")
#: Discount of a period of four weeks (as .95 a week).
_DISCOUNT = 0.95**4
_RESAMPLES = 400
SELECTIVE = (
    "Recorded data: events were recorded under the visits that were really made, and whoever was "
    "visited was seen more (selective labels). Cases reached are recorded events among those a "
    "rule would have visited; what its visits would have averted is not known."
)
SYNTHETIC = (
    "Simulated people: true risks and effects are known because they were made up; this proves "
    "the arithmetic, not that a visit helps anybody."
)


@dataclass(frozen=True)
class Moment:
    """What was known on the first day of a period, and what then came.

    Parameters
    ----------
    on : Timestamp
    people : DataFrame
        Indexed by person: ``worker_id``, ``risk`` (as estimated that day, of the horizon),
        ``effect`` (declared), ``weeks_unseen``; ``cases`` (true chance of an event within
        the period had there been no visit, or 1 where one was recorded); ``true_effect``
        (missing on recorded data); and the columns of groups.
    """

    on: pd.Timestamp
    people: pd.DataFrame


@dataclass(frozen=True)
class Replay:
    """How each rule would have done.

    Parameters
    ----------
    policies : DataFrame
        One row per policy: ``visits``, ``minutes``, ``cases``, ``reached``, ``missed``,
        ``share_reached`` with ``low`` and ``high``, ``averted`` with its interval.
    groups : DataFrame
        One row per policy, group and name: ``people``, ``cases``, ``reached``,
        ``share_reached``, ``low``, ``high``.
    notes : tuple of str
    """

    policies: pd.DataFrame
    groups: pd.DataFrame
    notes: tuple[str, ...]


def replay(
    moments: Sequence[Moment],
    *,
    policies: Iterable[str],
    visits_per_worker: Mapping[str, int] | pd.Series,
    minutes_per_visit: float,
    period_days: float,
    protects_days: float,
    groups: Sequence[str] = (),
    seed: int = 0,
) -> Replay:
    """Live through the periods once for each rule.

    Parameters
    ----------
    moments : sequence of Moment
        In the order of time.
    policies : iterable of str
        Of :data:`POLICIES`.
    visits_per_worker : mapping
        Visits a period by worker.
    minutes_per_visit : float
        With the walk.
    period_days, protects_days : float
        Length of a period, and how long a visit counts.
    groups : sequence of str
        Columns whose groups are told apart.
    seed : int
        For the random rule and the intervals.

    Raises
    ------
    ValueError
        If there is no period or a policy is unknown.
    """
    asked = tuple(dict.fromkeys(policies))
    unknown = sorted(set(asked) - set(POLICIES))
    if unknown:
        raise ValueError(f"no such policy: {', '.join(unknown)}")
    if not moments:
        raise ValueError("there is no period to live through")
    is_known = all(moment.people["true_effect"].notna().all() for moment in moments)
    rows: list[dict[str, Any]] = []
    by_group: list[dict[str, Any]] = []
    for policy in asked:
        lived = _lived(moments, policy, visits_per_worker, period_days, protects_days, groups, seed)
        rows.append({"policy": policy, **_counted(lived, minutes_per_visit, is_known, seed)})
        by_group.extend({"policy": policy, **row} for row in _grouped(lived, groups, seed))
    note = SYNTHETIC if is_known else SELECTIVE
    return Replay(pd.DataFrame(rows), pd.DataFrame(by_group), (note,))


def _lived(
    moments: Sequence[Moment],
    policy: str,
    visits_per_worker: Mapping[str, int] | pd.Series,
    period_days: float,
    protects_days: float,
    groups: Sequence[str],
    seed: int,
) -> pd.DataFrame:
    """Each person's sums over all periods under one rule."""
    last: pd.Series = pd.Series(dtype="float64")
    parts = []
    for number, moment in enumerate(moments):
        people = moment.people
        day = number * period_days
        # Of whoever is new the record knows the last visit; after that the rule does.
        begun = day - people["weeks_unseen"].astype("float64") * 7.0
        last = pd.concat([last, begun[~begun.index.isin(last.index)]])
        since = (day - last.reindex(people.index)).fillna(np.inf).to_numpy()
        rng = np.random.default_rng([seed, number])
        score = _score(policy, people, since, period_days, protects_days, rng)
        visited = _most(score, people["worker_id"], visits_per_worker)
        is_safe = visited | (since < protects_days)
        last[people.index[visited]] = day
        cases = people["cases"].to_numpy(float)
        parts.append(
            people[list(groups)].assign(
                visits=visited.astype(float),
                cases=cases,
                reached=cases * visited,
                averted=cases * people["true_effect"].to_numpy(float) * is_safe,
            )
        )
    whole = pd.concat(parts)
    sums = whole.groupby(level=0)[["visits", "cases", "reached", "averted"]].sum(min_count=1)
    return sums.join(whole.groupby(level=0)[list(groups)].last()) if groups else sums


def _score(
    policy: str,
    people: pd.DataFrame,
    since: Numbers,
    period_days: float,
    protects_days: float,
    rng: np.random.Generator,
) -> Numbers:
    risk = people["risk"].astype("float64")
    known = risk.fillna(risk.mean() if risk.notna().any() else 0.0).to_numpy()
    effect = people["effect"].to_numpy(float)
    chance = rng.random(len(people))
    fresh: Numbers = np.clip(since / protects_days, 0.0, 1.0)
    if policy == "random":
        return chance
    if policy == "overdue":
        return np.asarray(np.where(np.isinf(since), 1e12, since) + chance * 1e-6)
    if policy == "risk":
        return np.asarray(known + chance * 1e-9)
    if policy == "benefit":
        return np.asarray(known * effect * fresh + chance * 1e-12)
    kept = max(0.0, 1.0 - period_days / protects_days)
    p = np.array([[[0.0, 1.0], [kept, 1.0]]])
    index = two_state_index(p, discount=_DISCOUNT)[0]
    return np.asarray(known * effect * (index[0] * fresh + index[1] * (1 - fresh)) + chance * 1e-12)


def _most(
    score: Numbers, worker: pd.Series, visits: Mapping[str, int] | pd.Series
) -> NDArray[np.bool_]:
    """The highest scores of each worker, as many as there are visits."""
    rank = pd.Series(-score).groupby(worker.to_numpy(dtype=object)).rank(method="first")
    room = pd.Series(worker.to_numpy(dtype=object)).map(dict(visits)).fillna(0.0)
    return np.asarray((rank <= room.astype("float64")).fillna(False).to_numpy(dtype=bool))


def _counted(
    lived: pd.DataFrame, minutes_per_visit: float, is_known: bool, seed: int
) -> dict[str, Any]:
    cases, reached = float(lived["cases"].sum()), float(lived["reached"].sum())
    low, high = _interval(lived["reached"], lived["cases"], seed)
    told = {
        "visits": int(lived["visits"].sum()),
        "minutes": float(lived["visits"].sum() * minutes_per_visit),
        "cases": cases,
        "reached": reached,
        "missed": cases - reached,
        "share_reached": reached / cases if cases else 0.0,
        "low": low,
        "high": high,
        "averted": np.nan,
        "averted_low": np.nan,
        "averted_high": np.nan,
    }
    if is_known:
        least, most = _interval(lived["averted"], None, seed)
        averted = float(lived["averted"].sum())
        told |= {"averted": averted, "averted_low": least, "averted_high": most}
    return told


def _grouped(lived: pd.DataFrame, groups: Sequence[str], seed: int) -> list[dict[str, Any]]:
    rows = []
    for group in groups:
        for name, part in lived.groupby(group, dropna=True, sort=True):
            cases, reached = float(part["cases"].sum()), float(part["reached"].sum())
            low, high = _interval(part["reached"], part["cases"], seed)
            rows.append(
                {
                    "group": group,
                    "name": str(name),
                    "people": len(part),
                    "cases": cases,
                    "reached": reached,
                    "share_reached": reached / cases if cases else 0.0,
                    "low": low,
                    "high": high,
                }
            )
    return rows


def _interval(part: pd.Series, whole: pd.Series | None, seed: int) -> tuple[float, float]:
    """95 % interval of a sum, or of a share of sums, by drawing people anew (bootstrap)."""
    rng = np.random.default_rng(seed)
    n = len(part)
    top = part.fillna(0.0).to_numpy()
    bottom = None if whole is None else whole.to_numpy()
    drawn = []
    for _ in range(_RESAMPLES):
        weight = np.bincount(rng.integers(0, n, n), minlength=n)
        total = float(weight @ top)
        below = 1.0 if bottom is None else float(weight @ bottom)
        drawn.append(total / below if below else 0.0)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


#: Rules in colours told apart by the colour-blind (Okabe & Ito 2008).
_COLOURS = ("#777777", "#E69F00", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9")


def plot_replay(found: Replay, *, title: str) -> bytes:
    """A picture of the rules side by side, as SVG: of all, and by group."""
    import io

    from matplotlib.figure import Figure

    table, groups = found.policies, found.groups
    names = list(table["policy"])
    panels = [("share_reached", "low", "high", 100.0, "Cases reached, %")]
    if table["averted"].notna().all():
        panels.append(("averted", "averted_low", "averted_high", 1.0, "Cases averted"))
    by_group = list(groups.groupby("group")) if len(groups) else []
    n_panels = len(panels) + len(by_group)
    n_rows = -(-n_panels // 2)
    figure = Figure(figsize=(9.6, 3.4 * n_rows + 0.4), layout="constrained")
    axes = figure.subplots(n_rows, min(n_panels, 2), squeeze=False).ravel()
    colours = dict(zip(names, _COLOURS, strict=False))
    at = np.arange(len(names))
    for axis, (name, low, high, scale, label) in zip(axes, panels, strict=False):
        value = table[name].to_numpy() * scale
        error = [value - table[low] * scale, table[high] * scale - value]
        shown = [colours.get(one, "#444444") for one in names]
        axis.bar(at, value, yerr=np.maximum(error, 0), color=shown, capsize=4)
        axis.set_xticks(at, names)
        axis.set_title(f"{label} (95 % interval)", fontsize=11)
    for axis, (group, part) in zip(axes[len(panels) :], by_group, strict=False):
        _plot_group(axis, str(group), part, colours)
    for axis in axes[n_panels:]:
        axis.set_axis_off()
    figure.suptitle(title)
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _plot_group(axis: Any, group: str, part: pd.DataFrame, colours: dict[str, str]) -> None:
    """Each rule's dots beside one another: groups have no order that a line could follow."""
    kinds = list(dict.fromkeys(part["name"]))
    rules = list(dict.fromkeys(part["policy"]))
    for number, rule in enumerate(rules):
        own = part[part["policy"] == rule]
        at = own["name"].map(kinds.index).to_numpy(float) + (number - (len(rules) - 1) / 2) * 0.13
        value = own["share_reached"].to_numpy() * 100
        error = [value - own["low"].to_numpy() * 100, own["high"].to_numpy() * 100 - value]
        axis.errorbar(
            at,
            value,
            yerr=np.maximum(error, 0),
            fmt="o",
            markersize=5,
            linewidth=1,
            color=colours.get(rule, "#444444"),
            label=rule,
        )
    axis.set_xticks(range(len(kinds)), kinds)
    axis.set_title(f"Cases reached, %, by {group.replace('_', ' ')}", fontsize=11)
    axis.set_ylim(bottom=0)
    axis.legend(fontsize=8, frameon=False, ncols=3)
