"""What befell the people of an outcome's rows, as known when the rows were settled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.errors import ProgrammeFault
from chw_tools.feature_engineering.lookup import positions_among
from chw_tools.feature_engineering.outcome_rows import began_on
from chw_tools.records.catalogue import load_catalogue
from chw_tools.records.tables import DEATHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from chw_tools.programme.outcomes import OutcomeDefinition, Threshold
    from chw_tools.records.register import Register

    Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class Asked:
    """The rows asked about, and what is known of them.

    Parameters
    ----------
    rows : DataFrame
        ``person_id``, ``subject_id``, ``ends_on``; one row a person.
    as_of : Timestamp
        The index day.
    known : Register
        As known on the index day.
    later : Register
        As known on the day the rows are settled.
    frame : DataFrame
        Features as of the index day, row by row.
    """

    rows: pd.DataFrame
    as_of: pd.Timestamp
    known: Register
    later: Register
    frame: pd.DataFrame


@dataclass(frozen=True)
class Found:
    """For each row: the first day on which it happened, and whether that could be seen."""

    on: Days
    observed: NDArray[np.bool_]

    @property
    def happened(self) -> NDArray[np.bool_]:
        """Whether it happened within the horizon."""
        return ~np.isnat(self.on)


def find_events(asked: Asked, definition: OutcomeDefinition) -> Found:
    """What the definition calls positive, by its kind."""
    return _FINDERS[definition.kind](asked, definition)


def find_competing(asked: Asked, definition: OutcomeDefinition) -> dict[str, Days]:
    """The first day of each competing event of each row; NaT where there was none."""
    people = asked.later.people
    at = positions_among(asked.rows["person_id"], people["id"])
    ends = _days(asked.rows["ends_on"])
    found = {
        name: _within(_taken(people[column], at), asked.as_of, ends)
        for name, column in (("death", "died_on"), ("moved", "moved_on"))
    }
    if set(definition.recorded) & set(DEATHS):
        del found["death"]
    if definition.kind == "birth_before":
        held = asked.later.pregnancies
        mine = positions_among(asked.rows["subject_id"], held["id"])
        outcome = _words(held["outcome"], mine)
        day = _within(_taken(held["ended_on"], mine), asked.as_of, ends)
        for name in ("stillbirth", "miscarriage", "termination"):
            found[name] = np.where(outcome == name, day, np.datetime64("NaT", "D"))
    return found


def find_gone(asked: Asked) -> dict[str, NDArray[np.bool_]]:
    """Who turned out not to have been there: merged into another entry, or dead by the day."""
    people = asked.later.people
    at = positions_among(asked.rows["person_id"], people["id"])
    died = _taken(people["died_on"], at)
    return {"merged": at < 0, "gone_before": died <= _day(asked.as_of)}


def _within_days(asked: Asked, definition: OutcomeDefinition) -> Found:
    """The first recorded event within the horizon; deaths and stays wherever they are recorded."""
    later = asked.later
    told = later.outcomes
    counts = told["outcome"].isin(definition.recorded) & told["is_positive"].fillna(False)
    parts = [_pairs(told[counts.to_numpy(dtype=bool)], "person_id", "happened_on")]
    if set(definition.recorded) & set(DEATHS):
        parts.append(_pairs(later.people, "id", "died_on"))
    if "hospital_admission" in definition.recorded:
        visits = later.visits
        stays = (visits["kind"] == "inpatient") & (visits["outcome"] == "seen")
        parts.append(_pairs(visits[stays], "person_id", "visited_on"))
    on = _first(pd.concat(parts, ignore_index=True), asked)
    return Found(on, np.ones(len(on), dtype=bool))


def _status(asked: Asked, definition: OutcomeDefinition) -> Found:
    told = asked.known.outcomes
    told = told[told["outcome"].isin(definition.recorded)]
    latest = told.sort_values(["person_id", "happened_on", "known_on", "id"])
    latest = latest.drop_duplicates("person_id", keep="last").set_index("person_id")
    said = latest["is_positive"].reindex(asked.rows["person_id"])
    happened = said.fillna(False).to_numpy(dtype=bool)
    return Found(_on_day(happened, asked.as_of), said.notna().to_numpy(dtype=bool))


def _measured(asked: Asked, definition: OutcomeDefinition) -> Found:
    take = _latest_within if definition.looks_ahead else _value_on_day
    happened = np.zeros(len(asked.rows), dtype=bool)
    observed = np.zeros(len(asked.rows), dtype=bool)
    for threshold in definition.thresholds:
        values = take(asked, threshold)
        observed |= pd.notna(values)
        happened |= _reaches(values, threshold)
    return Found(_on_day(happened, asked.as_of), observed)


def _value_on_day(asked: Asked, threshold: Threshold) -> NDArray[Any]:
    if threshold.name not in asked.frame:
        raise ProgrammeFault(
            f"a threshold names {threshold.name}, which is no feature",
            where="outcomes.toml",
            cure="Name one of the features that `chw features` writes.",
        )
    return np.asarray(asked.frame[threshold.name].astype(object))


def _latest_within(asked: Asked, threshold: Threshold) -> NDArray[Any]:
    """The latest value observed after the index day and up to the row's last day."""
    entry = load_catalogue()[threshold.name]
    rows = asked.later.observations
    rows = rows[rows["code"].isin([code.code for code in entry.codes])]
    systems = {code.system for code in entry.codes}
    at = positions_among(rows["person_id"], asked.rows["person_id"])
    day = _days(rows["observed_on"])
    ends = np.append(_days(asked.rows["ends_on"]), np.datetime64("NaT", "D"))[at]
    value = "value_code" if entry.kind == "choice" else "value_number"
    kept = rows["system"].isin(systems).to_numpy() & rows[value].notna().to_numpy()
    kept &= (at >= 0) & (day > _day(asked.as_of)) & (day <= ends)
    found = pd.DataFrame(
        {"at": at, "day": day.astype("datetime64[s]"), "id": rows["id"], "value": rows[value]}
    )[kept]
    # As among the features: the later entry of a day, of blood pressures the highest.
    highest = ["value"] if entry.same_day == "highest" else []
    found = found.sort_values(["at", "day", *highest, "id"]).drop_duplicates("at", keep="last")
    values = np.full(len(asked.rows), None, dtype=object)
    values[found["at"].to_numpy()] = found["value"].to_numpy(dtype=object)
    return values


def _reaches(values: NDArray[Any], threshold: Threshold) -> NDArray[np.bool_]:
    if threshold.answers:
        return np.isin(values.astype(str), threshold.answers)
    numbers = pd.to_numeric(pd.Series(values, dtype=object)).to_numpy(dtype="float64")
    if threshold.at_least is not None:
        return np.asarray(numbers >= threshold.at_least)
    return np.asarray(numbers < threshold.below)


def _missed_visit(asked: Asked, definition: OutcomeDefinition) -> Found:
    visits = asked.later.visits
    at = positions_among(asked.rows["subject_id"], visits["id"])
    outcome = _words(visits["outcome"], at)
    missed = np.isin(outcome.astype(str), definition.missed_as)
    on = np.where(missed, _taken(visits["visited_on"], at), np.datetime64("NaT", "D"))
    return Found(on, np.isin(outcome.astype(str), (*definition.missed_as, "seen")))


def _birth_before(asked: Asked, definition: OutcomeDefinition) -> Found:
    """Births of the row's pregnancy; one that goes on past the weeks was not early."""
    held = asked.later.pregnancies
    at = positions_among(asked.rows["subject_id"], held["id"])
    ended = _taken(held["ended_on"], at)
    outcome = _words(held["outcome"], at)
    days = 7 * (definition.birth_before_weeks or 0)
    term = _taken(began_on(held) + pd.Timedelta(days=days), at)
    early = (outcome == "live_birth") & (ended < term)
    return Found(np.where(early, ended, np.datetime64("NaT", "D")), early | (ended >= term))


_FINDERS: dict[str, Callable[[Asked, OutcomeDefinition], Found]] = {
    "within_days": _within_days,
    "status": _status,
    "measured": _measured,
    "missed_visit": _missed_visit,
    "birth_before": _birth_before,
}


def _pairs(frame: pd.DataFrame, person: str, day: str) -> pd.DataFrame:
    return frame[[person, day]].set_axis(["person_id", "on"], axis=1)


def _first(told: pd.DataFrame, asked: Asked) -> Days:
    """Each row's first day among those after the index day and up to the row's last day."""
    at = positions_among(told["person_id"], asked.rows["person_id"])
    day = _days(told["on"])
    ends = np.append(_days(asked.rows["ends_on"]), np.datetime64("NaT", "D"))[at]
    kept = (at >= 0) & (day > _day(asked.as_of)) & (day <= ends)
    first = np.full(len(asked.rows), np.iinfo("int64").max)
    np.minimum.at(first, at[kept], day[kept].astype("int64"))
    none = first == np.iinfo("int64").max
    on: Days = np.where(none, 0, first).astype("datetime64[D]")
    on[none] = np.datetime64("NaT", "D")
    return on


def _on_day(happened: NDArray[np.bool_], as_of: pd.Timestamp) -> Days:
    return np.where(happened, _day(as_of), np.datetime64("NaT", "D"))


def _within(day: Days, as_of: pd.Timestamp, ends: Days) -> Days:
    inside = (day > _day(as_of)) & (day <= ends)
    return np.where(inside, day, np.datetime64("NaT", "D"))


def _taken(days: pd.Series, at: NDArray[np.int64]) -> Days:
    return np.append(_days(days), np.datetime64("NaT", "D"))[at]


def _words(words: pd.Series, at: NDArray[np.int64]) -> NDArray[np.object_]:
    values: NDArray[np.object_] = words.reset_index(drop=True).reindex(at).to_numpy(dtype=object)
    return values


def _days(days: pd.Series) -> Days:
    found: Days = days.to_numpy().astype("datetime64[D]")
    return found


def _day(as_of: pd.Timestamp) -> np.datetime64:
    return np.datetime64(as_of.date(), "D")
