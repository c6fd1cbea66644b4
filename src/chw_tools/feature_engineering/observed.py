"""Features of what was measured and asked: the latest answer, its age, and the trend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.feature_engineering.declaration import Built, Feature, FeatureGroup
from chw_tools.feature_engineering.doubtful import doubtful, spreads
from chw_tools.feature_engineering.lookup import positions_among
from chw_tools.records.condition_groups import distinct_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from chw_tools.records.catalogue import Catalogue, Observable

#: A trend looks back three years: long enough for yearly check-ups, short enough to be now.
#: A decision of this project.
TREND_YEARS = 3.0
DAYS_PER_YEAR = 365.25
#: Height is taken as final from 20 years on, the age from which WHO's adult BMI classes hold
#: (WHO Technical Report Series 894, 2000; the growth reference ends at 19 years).
ADULT_YEARS = 20.0

_LABORATORY = {
    "glucose_mmol_l",
    "fasting_glucose_mmol_l",
    "hba1c_percent",
    "haemoglobin_g_dl",
    "cholesterol_mmol_l",
    "hdl_mmol_l",
    "ldl_mmol_l",
    "triglycerides_mmol_l",
    "creatinine_umol_l",
    "urine_protein",
    "malaria_rapid_test",
}
_LIFESTYLE = {
    "tobacco",
    "ever_smoked",
    "physical_activity",
    "alcohol",
    "heavy_alcohol",
    "drinking_days_per_year",
    "drinks_per_drinking_day",
    "fruit_vegetables_daily",
    "fruit_daily",
    "vegetables_daily",
    "sleep_hours",
    "sleep_trouble",
}
_HISTORY = {
    "medicine_adherence",
    "cholesterol_checked",
    "no_doctor_because_of_cost",
    "health_insurance",
    "general_health",
    "poor_physical_health_days",
    "poor_mental_health_days",
    "difficulty_walking",
    "phq2_points",
    "phq9_points",
}
_HOUSEHOLD = {"income_band", "poverty_ratio"}
_PREGNANCY = {"fundal_height_cm"}


@dataclass(frozen=True)
class _Latest:
    """Latest usable value of each (person, observable), as matrices person by observable."""

    value: NDArray[np.float64]
    days: NDArray[np.float64]


@dataclass(frozen=True)
class _Readings:
    """Usable observations in canonical order: by person, observable, day, value."""

    row: NDArray[np.intp]  # position in the table
    cell: NDArray[np.int64]  # person * n_entries + entry
    day: NDArray[np.float64]  # days before as_of
    value: NDArray[np.float64]  # the number, or the position among the allowed answers


def observed(
    observations: pd.DataFrame,
    people: pd.Index,
    as_of: pd.Timestamp,
    catalogue: Catalogue,
    adult: NDArray[np.bool_],
) -> Iterator[Built]:
    """For each catalogue entry its latest value, the days since, and the change a year.

    Parameters
    ----------
    observations : DataFrame
        As known on the day; later rows must not be in it.
    people : Index
        The people in question, in order.
    as_of : Timestamp
        The day.
    catalogue : Catalogue
        What can be observed.
    adult : ndarray of bool
        Whose BMI may be computed from weight and height.

    Notes
    -----
    Of two values on one day the one with the later ``id`` counts; of blood pressures the
    highest upper and the highest lower one, of two answers about a danger sign the ``yes``, so
    that nothing urgent depends on what was entered first. An answer that is
    not among the allowed ones counts as not given. Values are never filled in.
    """
    entries = list(catalogue.entries.values())
    rows = _usable(observations, people, as_of, catalogue, entries)
    shape = (len(people), len(entries))
    highest = np.array([entry.is_highest_of_day for entry in entries], dtype=bool)
    latest = _latest(rows, observations["id"], shape, highest)
    slopes = trends(rows, shape)
    names = [entry.name for entry in entries]
    _add_bmi(latest, names, adult, catalogue)
    for at, entry in enumerate(entries):
        yield from _of_entry(entry, at, latest, slopes)
    yield from _danger(entries, latest)
    spread = spreads(rows.cell, rows.day, rows.value, shape)
    yield from doubtful(spread, latest.value, latest.days, entries)


def _usable(
    observations: pd.DataFrame,
    people: pd.Index,
    as_of: pd.Timestamp,
    catalogue: Catalogue,
    entries: list[Observable],
) -> _Readings:
    position = {entry.name: at for at, entry in enumerate(entries)}
    by_code = catalogue.by_code()
    number, systems, codes = distinct_codes(observations["system"], observations["code"])
    entry_of = np.array(
        [
            position[by_code[pair].name] if pair in by_code else -1
            for pair in zip(systems, codes, strict=True)
        ],
        dtype="int64",
    )
    entry = entry_of[number] if len(entry_of) else np.empty(0, dtype="int64")
    person = positions_among(observations["person_id"], people)
    value = _values(observations, entry, entries)
    row = np.flatnonzero((person >= 0) & (entry >= 0) & ~np.isnan(value))
    cell = person[row].astype("int64") * len(entries) + entry[row]
    observed_on = observations["observed_on"].to_numpy().astype("datetime64[D]")[row]
    day = (np.datetime64(as_of.date(), "D") - observed_on).astype("float64")
    order = _ordered(cell, day, value[row])
    return _Readings(row[order], cell[order], day[order], value[row][order])


def _ordered(
    cell: NDArray[np.int64], day: NDArray[np.float64], value: NDArray[np.float64]
) -> NDArray[np.intp]:
    # By cell, oldest day first, then value. One sort of whole numbers, and a second one of
    # the few that share a day, is several times quicker than a sort by three keys.
    span = int(day.max(initial=0)) + 1
    key = cell * span + (span - 1 - day.astype("int64"))
    order = np.argsort(key)
    same = key[order][1:] == key[order][:-1]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    some = order[tied]
    order[tied] = some[np.lexsort((value[some], key[some]))]
    return order


def _values(
    observations: pd.DataFrame, entry: NDArray[np.int64], entries: list[Observable]
) -> NDArray[np.float64]:
    # A choice is carried as the position of its answer among the allowed ones.
    value: NDArray[np.float64] = observations["value_number"].to_numpy(dtype="float64", copy=True)
    is_choice = np.array([e.kind == "choice" for e in entries] + [False])
    chosen = np.flatnonzero(is_choice[entry])
    if len(chosen) == 0:
        return value
    answer, answers = pd.factorize(observations["value_code"].iloc[chosen])
    table = np.full((len(entries), len(answers) + 1), np.nan)
    for at, one in enumerate(entries):
        for position, allowed in enumerate(one.allowed):
            table[at, :-1][np.asarray(answers == allowed)] = position
    value[chosen] = table[entry[chosen], answer]
    return value


def _latest(
    rows: _Readings, ids: pd.Series, shape: tuple[int, int], highest: NDArray[np.bool_]
) -> _Latest:
    value, days = np.full(shape, np.nan), np.full(shape, np.nan)
    if len(rows.cell):
        last = np.flatnonzero(np.append(rows.cell[1:] != rows.cell[:-1], True))
        winner = _settle_ties(rows, ids, last, highest)
        value.ravel()[rows.cell[last]] = rows.value[winner]
        days.ravel()[rows.cell[last]] = rows.day[winner]
    return _Latest(value, days)


def _settle_ties(
    rows: _Readings, ids: pd.Series, last: NDArray[np.intp], highest: NDArray[np.bool_]
) -> NDArray[np.intp]:
    # Only values of the same person, observable and last day are compared by id: sorting all
    # ids would cost more than everything else.
    group = np.repeat(np.arange(len(last)), np.diff(last, prepend=-1))
    on_last_day = rows.day == rows.day[last][group]
    several = np.bincount(group, weights=on_last_day) > 1
    tied = np.flatnonzero(on_last_day & several[group])
    winner = last.copy()
    if len(tied):
        by_value = highest[rows.cell[tied] % len(highest)]
        frame = pd.DataFrame(
            {
                "group": group[tied],
                "value": np.where(by_value, rows.value[tied], 0.0),
                "id": ids.to_numpy()[rows.row[tied]],
                "at": tied,
            }
        )
        best = frame.sort_values(["group", "value", "id"]).drop_duplicates("group", keep="last")
        winner[best["group"].to_numpy()] = best["at"].to_numpy()
    return winner


def trends(readings: _Readings, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Least-squares change a year over the last three years, for two distinct days or more."""
    slope = np.full(shape, np.nan)
    recent = readings.day <= TREND_YEARS * DAYS_PER_YEAR
    cell, value = readings.cell[recent], readings.value[recent]
    years = -readings.day[recent] / DAYS_PER_YEAR
    if len(cell) == 0:
        return slope
    first = np.append(True, cell[1:] != cell[:-1])
    group = np.cumsum(first) - 1
    n = np.bincount(group)
    # Centred twice: sums of squares about the mean lose nothing to cancellation.
    x = years - (np.bincount(group, years) / n)[group]
    y = value - (np.bincount(group, value) / n)[group]
    spread = np.bincount(group, x * x)
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(cell)) - 1
    enough = years[starts] != years[ends]
    found = np.bincount(group, x * y)[enough] / spread[enough]
    slope.ravel()[cell[starts[enough]]] = found
    return slope


def _add_bmi(
    latest: _Latest, names: list[str], adult: NDArray[np.bool_], catalogue: Catalogue
) -> None:
    # BMI is weight over height squared by definition: a newer weight makes a newer BMI.
    if not {"bmi", "weight_kg", "height_cm"} <= set(names):
        return
    bmi, weight, height = (names.index(n) for n in ("bmi", "weight_kg", "height_cm"))
    computed = latest.value[:, weight] / (latest.value[:, height] / 100.0) ** 2
    entry = catalogue["bmi"]
    possible = (computed >= (entry.low or 0.0)) & (computed <= (entry.high or np.inf))
    newer = ~(latest.days[:, bmi] <= latest.days[:, weight])
    use = adult & possible & newer
    latest.value[use, bmi] = computed[use]
    latest.days[use, bmi] = latest.days[use, weight]


def _of_entry(
    entry: Observable, at: int, latest: _Latest, slopes: NDArray[np.float64]
) -> Iterator[Built]:
    group = _group(entry)
    model = group not in ("danger_sign", "symptom")
    name, label = entry.name, entry.label
    if entry.kind == "choice":
        codes = np.nan_to_num(latest.value[:, at], nan=-1).astype("int64")
        yield Feature(name, label, "choice", "", entry.allowed, group, model), codes
    else:
        yield (
            Feature(name, label, "number", entry.unit, (), group, model),
            latest.value[:, at].copy(),
        )
    # Rules need it; a model would learn from it how the programme works rather than how people
    # are, and that changes once the model is used (simulated: soft AUC 0.721 without, 0.718 with).
    yield (
        Feature(f"{name}_days_since", f"Days since: {label}", "number", "days", (), group, False),
        latest.days[:, at].copy(),
    )
    if entry.kind == "number" and model:
        unit = f"{entry.unit} a year".strip()
        yield (
            Feature(f"{name}_per_year", f"Change: {label}", "number", unit, (), group, model),
            slopes[:, at].copy(),
        )


def _danger(entries: list[Observable], latest: _Latest) -> Iterator[Built]:
    """Whether the latest answer about any danger sign is yes; not asked is not known."""
    signs = [at for at, entry in enumerate(entries) if entry.is_danger_sign]
    yes = np.array([list(entries[at].allowed).index("yes") for at in signs], dtype="float64")
    answer, days = latest.value[:, signs], latest.days[:, signs]
    present = answer == yes
    asked = ~np.isnan(answer)
    flag = pd.array(present.any(axis=1), dtype="boolean")
    flag[~asked.any(axis=1)] = pd.NA
    about = np.where(present.any(axis=1)[:, None], present, asked)
    since = np.where(about, days, np.inf).min(axis=1, initial=np.inf)
    label = "Days since the danger sign, or since signs were asked about"
    yield Feature("has_danger_sign", "Danger sign", "flag", "", (), "danger_sign", False), flag
    yield (
        Feature("danger_sign_days_since", label, "number", "days", (), "danger_sign", False),
        np.where(np.isinf(since), np.nan, since),
    )


def _group(entry: Observable) -> FeatureGroup:
    groups: tuple[tuple[set[str], FeatureGroup], ...] = (
        (_LABORATORY, "laboratory"),
        (_LIFESTYLE, "lifestyle"),
        (_HISTORY, "history"),
        (_HOUSEHOLD, "household"),
        (_PREGNANCY, "pregnancy"),
    )
    if entry.is_danger_sign:
        return "danger_sign"
    if entry.is_symptom:
        return "symptom"
    for names, group in groups:
        if entry.name in names:
            return group
    return "vitals"
