"""From the scope of the work to hours: what the people of each community need in a year.

Each service counts its visits and their minutes. Walking is estimated, not planned: homes of
a community are a cloud of points, visited some at a time, and a round from the post to it and
back is shared by its stops. Before any optimisation this says whether the work fits at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.recommendations.conditions import Columns, holds
from chw_tools.resource_allocation.travel import straight_km

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.programme import Planning, Programme
    from chw_tools.programme.scope import Scope

    Numbers = NDArray[np.float64]

_KM_PER_DEGREE = 111.2
#: Length of a round through n homes at random on an area A: 0.7124 * sqrt(n * A).
#: Source: Beardwood, Halton and Hammersley 1959; constant of Johnson and McGeoch 1996.
_ROUND = 0.7124
#: Standard deviations of a uniform square are its side over the root of 12.
_SPREAD = 12.0


@dataclass(frozen=True)
class Workload:
    """What a year's work takes.

    Parameters
    ----------
    services : DataFrame
        By ``service``: ``label``, ``priority``, ``n_people``, ``visits`` and ``visit_hours``
        a year, and ``n_unknown``: people of whom it is not known whether it is for them.
    communities : DataFrame
        By ``area_id`` (people of no known area under the empty key): ``n_people``,
        ``n_homes``, ``visits``, ``stops``, ``visit_hours``, ``travel_hours``, ``hours``,
        ``travel_minutes`` for each stop, ``latitude``, ``longitude``, ``is_rural``.
    people : DataFrame
        By ``person_id``: ``home``, ``visits`` and ``minutes`` a year, ``skills`` needed.
    is_for : DataFrame of bool
        By ``person_id``, a column for each service: whether it is for them.
    """

    services: pd.DataFrame
    communities: pd.DataFrame
    people: pd.DataFrame
    is_for: pd.DataFrame

    @property
    def visit_hours(self) -> float:
        """Hours at homes in a year."""
        return float(self.communities["visit_hours"].sum())

    @property
    def travel_hours(self) -> float:
        """Hours of walking in a year."""
        return float(self.communities["travel_hours"].sum())

    @property
    def hours(self) -> float:
        """All hours of a year."""
        return self.visit_hours + self.travel_hours


def workload(
    features: pd.DataFrame,
    bands: pd.Series,
    places: pd.DataFrame,
    areas: pd.DataFrame,
    *,
    programme: Programme,
    workers: pd.DataFrame | None = None,
) -> Workload:
    """Visits, minutes and walking that the scope asks for, by service, community and person.

    Parameters
    ----------
    features : DataFrame
        One row per living person, indexed by ``person_id``.
    bands : Series
        Band of risk by ``person_id``; missing where the risk is not known.
    places : DataFrame
        By ``person_id``: ``home``, ``area_id``, ``latitude``, ``longitude``
        (:func:`chw_tools.resource_allocation.assignment.places_of`).
    areas : DataFrame
        As declared.
    programme : Programme
        Its scope and the figures of walking.
    workers : DataFrame, optional
        Where they are known, a round begins at the nearest of them; otherwise in the
        community itself.

    Raises
    ------
    ValueError
        If a service asks for a feature that was not built.
    """
    scope = programme.scope
    columns = Columns(features)
    _check_features(features, scope)
    visits = np.zeros(len(features))
    minutes = np.zeros(len(features))
    skills = np.full(len(features), frozenset(), dtype=object)
    band = bands.reindex(features.index).to_numpy(dtype=object)
    rows, whom = [], {}
    for name, service in scope.services.items():
        is_for, is_unknown = _whom(columns, service, band)
        whom[name] = is_for
        visits += is_for * service.visits_per_year
        minutes += is_for * service.visits_per_year * service.minutes
        if service.skills:
            learnt = frozenset(service.skills)
            skills[is_for] = [held | learnt for held in skills[is_for]]
        n = int(is_for.sum())
        hours = n * service.visits_per_year * service.minutes / 60.0
        said = (name, service.label, service.priority, n, n * service.visits_per_year, hours)
        rows.append((*said, int(is_unknown.sum())))
    names = ["service", "label", "priority", "n_people", "visits", "visit_hours", "n_unknown"]
    people = pd.DataFrame(
        {"visits": visits, "minutes": minutes, "skills": skills}, index=features.index
    )
    table = places.set_index("person_id").reindex(features.index).join(people)
    communities = _communities(table, areas, programme, workers)
    people.insert(0, "home", table["home"])
    is_for_table = pd.DataFrame(whom, index=features.index)
    return Workload(pd.DataFrame(rows, columns=names), communities, people, is_for_table)


def _check_features(features: pd.DataFrame, scope: Scope) -> None:
    wanted = {c.feature for service in scope.services.values() for c in service.who}
    absent = sorted(wanted - set(features.columns))
    if absent:
        raise ValueError(f"services read features that are not built: {', '.join(absent)}")


def _whom(
    columns: Columns, service: Any, band: NDArray[np.object_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whom the service is for, and of whom that is not known."""
    is_for = np.ones(len(columns), dtype=bool)
    may_be = np.ones(len(columns), dtype=bool)
    for condition in service.who:
        meets = holds(columns, condition)
        is_for &= meets
        may_be &= meets | ~_is_known(columns, condition.feature)
    if service.bands:
        meets = np.isin(band.astype(str), service.bands)
        is_for &= meets
        may_be &= meets | pd.isna(band)
    return is_for, may_be & ~is_for


def _is_known(columns: Columns, feature: str) -> NDArray[np.bool_]:
    """Whether a missing feature would mean "not known" and not "is not so".

    Months of age stand only beside children, weeks after a birth only beside mothers; whose
    age is not known may be either.
    """
    if feature.startswith("age_") and "age_years" in columns.frame:
        return columns.known("age_years")
    if feature == "sex":
        return columns.known("sex")
    return np.ones(len(columns), dtype=bool)


def _communities(
    table: pd.DataFrame, areas: pd.DataFrame, programme: Programme, workers: pd.DataFrame | None
) -> pd.DataFrame:
    table = table.assign(area_id=table["area_id"].astype("object").fillna(""))
    # People of one home are seen at one stop; who is seen most often decides how many.
    homes = table.groupby("home", sort=True).agg(
        area_id=("area_id", "first"),
        stops=("visits", "max"),
        latitude=("latitude", "first"),
        longitude=("longitude", "first"),
    )
    found = table.groupby("area_id", sort=True).agg(
        n_people=("home", "size"), visits=("visits", "sum"), minutes=("minutes", "sum")
    )
    of_homes = homes.groupby("area_id", sort=True).agg(
        n_homes=("stops", "size"),
        stops=("stops", "sum"),
        latitude=("latitude", "mean"),
        longitude=("longitude", "mean"),
        spread_north=("latitude", "std"),
        spread_east=("longitude", "std"),
    )
    found = found.join(of_homes)
    known = areas.set_index("id")
    rural = known["is_rural"].reindex(found.index)
    found["is_rural"] = rural.astype("boolean")
    found["travel_minutes"] = _walk_per_stop(found, programme, workers)
    found["visit_hours"] = found["minutes"] / 60.0
    found["travel_hours"] = found["stops"] * found["travel_minutes"] / 60.0
    found["hours"] = found["visit_hours"] + found["travel_hours"]
    found.index.name = "area_id"
    dropped = ["minutes", "spread_north", "spread_east"]
    return found.drop(columns=dropped).reset_index()


def _walk_per_stop(
    found: pd.DataFrame, programme: Programme, workers: pd.DataFrame | None
) -> Numbers:
    planning, figures = programme.planning, programme.scope.workload
    narrow = np.cos(np.radians(found["latitude"].to_numpy(dtype=np.float64)))
    north = found["spread_north"].to_numpy(dtype=np.float64) * _KM_PER_DEGREE
    east = found["spread_east"].to_numpy(dtype=np.float64) * _KM_PER_DEGREE * narrow
    area = _SPREAD * north * east
    n = np.minimum(figures.stops_per_day, np.maximum(found["n_homes"].to_numpy(), 1))
    between = _walked(_ROUND * np.sqrt(area / n), planning)
    is_rural = found["is_rural"].fillna(False).to_numpy(dtype=bool)
    assumed = planning.default_travel_minutes * np.where(is_rural, figures.rural_factor, 1.0)
    # Without two homes with a position nothing is known of the walk between them.
    is_known = np.isfinite(between) & (area > 0)
    out = _from_post(found, planning, workers)
    return np.where(is_known, between, assumed) + 2 * out / figures.stops_per_day


def _walked(km: Numbers, planning: Planning) -> Numbers:
    return km * planning.detour / planning.walking_km_per_h * 60.0


def _from_post(found: pd.DataFrame, planning: Planning, workers: pd.DataFrame | None) -> Numbers:
    """Minutes from the nearest worker to the middle of each community."""
    if workers is None:
        return np.zeros(len(found))
    placed = workers.dropna(subset=["latitude", "longitude"])
    if not len(placed):
        return np.zeros(len(found))
    km = straight_km(
        found["latitude"].to_numpy(dtype=np.float64)[:, None],
        found["longitude"].to_numpy(dtype=np.float64)[:, None],
        (placed["latitude"].to_numpy()[None, :], placed["longitude"].to_numpy()[None, :]),
    )
    return np.nan_to_num(_walked(km.min(axis=1), planning))


@dataclass(frozen=True)
class RealityCheck:
    """Whether the work fits into the hours there are, and what would make it fit.

    Parameters
    ----------
    hours_needed, hours_there : float
        In a year.
    n_workers : int
        At work.
    said : str
        The answer in one sentence.
    cures : DataFrame
        ``cure``, ``change`` in words, and ``hours`` needed after it; each alone is enough.
        Empty where the work fits.
    notes : tuple of str
        What a reader must know.
    """

    hours_needed: float
    hours_there: float
    n_workers: int
    said: str
    cures: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """Hours needed for each hour there is; infinite where there is none."""
        return self.hours_needed / self.hours_there if self.hours_there > 0 else np.inf

    @property
    def fits(self) -> bool:
        """Whether it fits."""
        return self.hours_needed <= self.hours_there


def check_reality(work: Workload, workers: pd.DataFrame, *, programme: Programme) -> RealityCheck:
    """Hours needed against hours there, with cures where they do not fit.

    Parameters
    ----------
    work : Workload
        What the scope asks for.
    workers : DataFrame
        Those at work; ``capacity_minutes`` a day, the programme's where missing.
    programme : Programme
        Working days and capacity.
    """
    each = _hours_each(programme)
    capacity = workers["capacity_minutes"].fillna(programme.planning.capacity_minutes)
    there = float(capacity.sum()) * programme.scope.workload.working_days / 60.0
    n, needed = len(workers), work.hours
    who = "1 worker has" if n == 1 else f"{n:,} workers have"
    if not there:
        said = f"This scope needs {needed:,.0f} hours a year, and nobody is there to work them."
    else:
        said = f"This scope needs {needed / there:.2f} times the hours that {who}."
    cures = _cures(work, there, n, each, programme.scope) if needed > there else []
    notes = (*_unknown_notes(work), *_cap_notes(work, n, programme))
    frame = pd.DataFrame(cures, columns=["cure", "change", "hours"])
    return RealityCheck(needed, there, n, said, frame, notes)


def _hours_each(programme: Programme) -> float:
    return programme.planning.capacity_minutes * programme.scope.workload.working_days / 60.0


def _cures(
    work: Workload, there: float, n: int, each: float, scope: Scope
) -> list[tuple[str, str, float]]:
    more = ceil((work.hours - there) / each - 1e-9) if each > 0 else 0
    cures = [("more workers", f"{more:,} more, {n + more:,} in all", work.hours)] if more else []
    if there > 0:
        cures.append(_less_scope(work, there, scope))
        share = there / work.hours
        cures.append(("fewer visits", f"{share:.0%} of the visits of each service", there))
    room = there - work.travel_hours
    if room > 0:
        share = room / work.visit_hours
        cures.append(("fewer minutes", f"{share:.0%} of the minutes of each visit", there))
    else:
        said = "not enough: walking alone takes more hours than there are"
        cures.append(("fewer minutes", said, work.travel_hours))
    return cures


def _less_scope(work: Workload, there: float, scope: Scope) -> tuple[str, str, float]:
    """Services given up, the last in priority first, until the rest fits.

    Walking is taken to fall as visits do.
    """
    services = work.services.sort_values(["priority", "service"], ascending=[False, True])
    total = max(float(work.services["visits"].sum()), 1e-12)
    left, given_up = work.hours, []
    for row in services.itertuples():
        if left <= there:
            break
        left -= row.visit_hours + work.travel_hours * row.visits / total
        given_up.append(scope.services[str(row.service)].label)
    return "less scope", f"without: {'; '.join(given_up)}", max(left, 0.0)


def _unknown_notes(work: Workload) -> list[str]:
    unknown = work.services[work.services["n_unknown"] > 0]
    return [
        f"{row.label}: of {row.n_unknown:,} people it is not known whether it is for them; "
        "they are not counted."
        for row in unknown.itertuples()
    ]


def _cap_notes(work: Workload, n: int, programme: Programme) -> list[str]:
    """Whether caseloads would be larger than any national plan has them."""
    figures = programme.scope.workload
    is_rural = work.communities["is_rural"].fillna(False).to_numpy(dtype=bool)
    people = work.communities["n_people"].to_numpy()
    rural = people[is_rural].sum() / figures.most_people_rural
    least = ceil(rural + people[~is_rural].sum() / figures.most_people_urban)
    if n >= least:
        return []
    return [
        f"Caps of {figures.most_people_rural:,.0f} rural and {figures.most_people_urban:,.0f} "
        f"urban people for each worker ask for at least {least:,} workers."
    ]
