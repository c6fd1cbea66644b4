"""The register as it was known on a day: corrections, merges, moves and deaths resolved.

Two days decide. A row counts from ``known_on``, the day the programme knew of it; and only
if what it tells had happened by then. A row known later can therefore never change what
was known earlier, which is what keeps tomorrow out of a model's training data.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.data_processing.parsing import earliest_births
from chw_tools.records.tables import DEATHS, TABLES

if TYPE_CHECKING:
    from chw_tools.records.columns import Table
    from chw_tools.records.register import Register

#: Days that close something, by table: until they come it is still open.
_CLOSING = {
    "people": ("died_on", "moved_on"),
    "conditions": ("resolved_on",),
    "medications": ("ended_on",),
    "pregnancies": ("ended_on",),
}
# Longer chains of "taken back" on one decision are no longer a register's work.
_MOST_UNDONE = 32


def as_known_on(register: Register, as_of: pd.Timestamp) -> Register:
    """The register as it was known at the end of a day.

    Parameters
    ----------
    register : Register
        All that was ever recorded.
    as_of : Timestamp
        The day; a time of day is ignored.

    Returns
    -------
    Register
        Rows known by then of what had happened by then, without those that a correction
        replaced. Merged people are one person, under the survivor's id. ``died_on`` and
        ``moved_on`` of a person hold what the register, the decisions about it, the visits
        and the outcomes say together: of several days of death the first, of several moves
        the last.
        A planned day (``due_on``, ``planned_on``) may lie ahead. Applying it twice gives
        the same register.

    Examples
    --------
    >>> from chw_tools.records import Register
    >>> len(as_known_on(Register.of(), pd.Timestamp("2024-02-01")).people)
    0
    """
    day = pd.Timestamp(as_of).tz_localize(None).normalize()
    known = {name: _known(frame, day) for name, frame in register.tables()}
    known["person_changes"] = _without_undone(known["person_changes"])
    happened = {
        name: _happened(TABLES[name], _without_superseded(frame), day)
        for name, frame in known.items()
    }
    return _with_departures(_merged(replace(register, **happened)))


def _known(frame: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    return _where(frame, frame["known_on"] <= day)


def _happened(table: Table, frame: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Without what lies ahead: whole rows by their event day, closings one by one."""
    if table.event_day:
        days = frame[table.event_day]
        if table.name == "people":
            days = earliest_births(frame).set_axis(frame.index)
        frame = _where(frame, ~(days > day))
    for column in _CLOSING.get(table.name, ()):
        ahead = frame[column] > day
        if ahead.any():
            frame = _reopened(table, frame.assign(**{column: frame[column].mask(ahead)}), ahead)
    return frame


def _reopened(table: Table, frame: pd.DataFrame, ahead: pd.Series) -> pd.DataFrame:
    """What the closing had brought with it is not known yet either."""
    if table.name == "pregnancies":
        return frame.assign(outcome=frame["outcome"].mask(ahead))
    if table.name == "medications":
        was_closed = ahead & frame["status"].isin(["stopped", "completed"])
        return frame.assign(status=frame["status"].mask(was_closed, "active"))
    return frame


def _without_superseded(frame: pd.DataFrame) -> pd.DataFrame:
    """Without the rows that another row corrects, wherever in a chain they stand."""
    if "supersedes_id" not in frame or not frame["supersedes_id"].notna().any():
        return frame
    names_itself = frame["supersedes_id"] == frame["id"]
    superseded = frame.loc[~names_itself, "supersedes_id"].dropna()
    return _where(frame, ~frame["id"].isin(superseded))


def _without_undone(changes: pd.DataFrame) -> pd.DataFrame:
    """Without the decisions that were taken back, nor the taking back.

    To take back a taking back makes the first decision count again.
    """
    undoing = changes.loc[changes["change"] == "undone", ["id", "supersedes_id"]]
    if undoing.empty:
        return changes
    void: set[str] = set()
    for _ in range(_MOST_UNDONE):
        counts = undoing[~undoing["id"].isin(void)]
        found = set(counts["supersedes_id"].dropna())
        if found == void:
            break
        void = found
    return _where(changes, ~changes["id"].isin(void) & (changes["change"] != "undone"))


def _merged(register: Register) -> Register:
    """Merged entries gone, and all that was recorded about them told of the survivor."""
    survivor = _survivors(register)
    if not survivor:
        return register
    tables = {}
    for name, frame in register.tables():
        columns = [c.name for c in TABLES[name].columns if c.refers_to == "people"]
        moved = {column: _renamed(frame[column], survivor) for column in columns}
        tables[name] = frame.assign(**moved) if moved else frame
    people = tables["people"]
    is_gone = people["id"].isin(list(survivor))
    # What the entry itself said of a death or a move is true of the survivor.
    tables["people"] = _dated(
        people[~is_gone].reset_index(drop=True),
        people.loc[is_gone].assign(id=_renamed(people.loc[is_gone, "id"], survivor)),
    )
    changes = tables["person_changes"]
    tables["person_changes"] = _where(changes, changes["change"] != "merged")
    return replace(register, **tables)


def _survivors(register: Register) -> dict[str, str]:
    """The entry that each merged entry became, at the end of its chain of merges."""
    changes = register.person_changes
    merges = changes[(changes["change"] == "merged") & (changes["person_id"].notna())]
    if merges.empty:
        return {}
    # Nobody is merged into an entry that the register does not hold: she would vanish.
    held = _held(register.people, merges["into_person_id"])
    merges = merges[merges["into_person_id"].isin(held["id"])]
    merges = merges[merges["into_person_id"] != merges["person_id"]]
    # Of two decisions about one entry the one known last counts.
    ordered = merges.sort_values(["known_on", "happened_on", "id"])
    into = dict(zip(ordered["person_id"], ordered["into_person_id"], strict=True))
    ends = {person: _end_of_chain(person, into) for person in into}
    return {person: end for person, end in ends.items() if end != person}


def _end_of_chain(person: str, into: dict[str, str]) -> str:
    seen = [person]
    while seen[-1] in into:
        following = into[seen[-1]]
        if following in seen:
            # Merged in a circle: all are one person, who keeps the smallest id.
            return min(seen[seen.index(following) :])
        seen.append(following)
    return seen[-1]


def _held(people: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """The people among some ids. A few are sought in many: the other way round is slow."""
    return people[people["id"].isin(ids.dropna().unique())]


def _renamed(ids: pd.Series, survivor: dict[str, str]) -> pd.Series:
    is_merged = ids.isin(list(survivor))
    return ids.mask(is_merged, ids[is_merged].map(survivor)) if is_merged.any() else ids


def _with_departures(register: Register) -> Register:
    """Deaths and moves that decisions, visits and outcomes tell of, written to the people."""
    changes, visits, outcomes = register.person_changes, register.visits, register.outcomes
    is_death = outcomes["outcome"].isin(DEATHS) & outcomes["is_positive"].fillna(False)
    told = pd.concat(
        [
            changes[["person_id", "change", "happened_on"]].set_axis(["id", "what", "on"], axis=1),
            visits.loc[
                visits["outcome"].isin(["died", "moved"]), ["person_id", "outcome", "visited_on"]
            ].set_axis(["id", "what", "on"], axis=1),
            outcomes.loc[is_death.to_numpy(dtype=bool), ["person_id", "happened_on"]]
            .set_axis(["id", "on"], axis=1)
            .assign(what="died"),
        ],
        ignore_index=True,
    )
    died = told["on"].where(told["what"] == "died")
    moved = told["on"].where(told["what"] == "moved")
    dated = pd.DataFrame({"id": told["id"], "died_on": died, "moved_on": moved})
    return replace(register, people=_dated(register.people, dated))


def _dated(people: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """The people with the first day of death and the last of moving, theirs or as told."""
    columns = ["id", "died_on", "moved_on"]
    told = told.loc[told[["died_on", "moved_on"]].notna().any(axis=1), columns]
    held = _held(people, told["id"])[columns]
    if held.empty:
        return people
    about = pd.Series(people.index.isin(held.index), index=people.index)
    together = pd.concat([held, told[told["id"].isin(held["id"])]]).groupby("id")
    dates = {"died_on": together["died_on"].min(), "moved_on": together["moved_on"].max()}
    ids = people.loc[about, "id"]
    return people.assign(
        **{
            column: people[column].mask(about, ids.map(days).astype(people[column].dtype))
            for column, days in dates.items()
        }
    )


def _where(frame: pd.DataFrame, keep: pd.Series) -> pd.DataFrame:
    # A copy only where something goes: whole tables of millions pass through here daily.
    return frame if keep.all() else frame[keep].reset_index(drop=True)
