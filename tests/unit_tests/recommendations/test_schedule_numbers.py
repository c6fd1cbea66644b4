"""Every age and interval of the shipped schedule, written by hand from WHO's rows.

Days are counted from birth on 10 January 2024: 6, 12, 15 and 24 months are 182, 366, 456 and
731 days. No number of ``immunisation.toml`` can move by a day without a row here that fails.
"""

from __future__ import annotations

import copy
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from chw_tools.programme import reading
from chw_tools.programme.immunisation import FILE, VaccineSchedule, schedule_of
from chw_tools.recommendations.immunisation import Given, Person, in_series

if TYPE_CHECKING:
    from collections.abc import Iterator

BORN = date(2024, 1, 10)
GIRL = Person(BORN, "female")
RAW = reading.shipped(FILE)[1]
#: A vaccine of each series.
CVX = {
    "bcg": "19",
    "hepatitis_b": "08",
    "polio_oral": "178",
    "polio_injected": "10",
    "dtp": "20",
    "hib": "17",
    "pneumococcal": "133",
    "rotavirus_three": "116",
    "rotavirus_two": "119",
    "measles": "04",
    "rubella": "06",
    "yellow_fever": "37",
    "hpv": "62",
}


class Due(NamedTuple):
    """The next dose: its number, the day it is due (and first allowed), the first day late."""

    number: int
    on: int
    late: int | None = None


#: Doses given on days, the day asked about, and the next dose, the status, or how the last
#: dose given is judged.
Row = tuple[list[int | tuple[int, str]], int, Due | str]
THREE: list[Row] = [
    ([], 42, Due(1, 42)),
    ([41], 42, "too_young"),
    ([42], 43, Due(2, 70)),
    ([42, 69], 70, "too_soon"),
    ([42, 70], 71, Due(3, 98)),
    ([42, 70, 97], 98, "too_soon"),
    ([42, 70, 98], 99, "complete"),
]


def ending(day: int) -> list[Row]:
    """No dose is given any more from a day on, whichever is next."""
    return [
        row
        for given, due in (([], Due(1, 42)), ([42], Due(2, 70)), ([42, 70], Due(3, 98)))
        for row in ((given, day - 1, due), (given, day, "aged_out"))
    ]


ROWS: dict[str, list[Row]] = {
    "bcg": [([], 0, Due(1, 0, 1)), ([], 28, Due(1, 0, 1)), ([], 29, "aged_out")],
    "hepatitis_b": [
        ([], 41, Due(1, 0, 1)),
        ([], 42, Due(2, 42)),
        ([0], 1, Due(2, 42)),
        ([0, 41], 42, "too_young"),
        ([0, 42], 43, Due(3, 70)),
        ([0, 60], 61, Due(3, 88)),
        ([0, 60, 87], 88, "too_soon"),
        ([0, 42, 70], 71, Due(4, 98)),
        ([0, 42, 80], 81, Due(4, 108)),
        ([0, 42, 80, 107], 108, "too_soon"),
        ([0, 42, 70, 98], 99, "complete"),
        # The first six-week dose is four weeks after a birth dose that came late.
        ([30], 31, Due(2, 58)),
    ],
    "polio_oral": THREE,
    "polio_injected": [
        ([], 98, Due(1, 98)),
        ([97], 98, "too_young"),
        ([98], 99, Due(2, 220)),
        ([98, 219], 220, "too_soon"),
        ([98, 220], 221, "complete"),
    ],
    "dtp": [
        ([], 42, Due(1, 42)),
        ([41], 42, "too_young"),
        ([42], 43, Due(2, 70, 98)),
        ([42, 69], 70, "too_soon"),
        ([42, 70], 71, Due(3, 98, 182)),
        ([42, 70, 97], 98, "too_soon"),
        ([42, 70, 98], 99, Due(4, 366, 731)),
        ([42, 70, 98, 365], 366, "too_young"),
        ([42, 70, 300], 301, Due(4, 481, 731)),
        ([42, 70, 300, 480], 481, "too_soon"),
        ([42, 70, 98], 2556, Due(4, 366, 731)),
        ([42, 70, 98], 2557, "aged_out"),
    ],
    "hib": [*THREE, *ending(2192)],
    "pneumococcal": [*THREE, *ending(1827)],
    "rotavirus_three": [*THREE, *ending(731)],
    "rotavirus_two": [*THREE[:4], ([42, 70], 71, "complete"), *ending(731)[:4]],
    "measles": [
        ([], 274, Due(1, 274)),
        ([273], 274, "too_young"),
        ([274], 275, Due(2, 456)),
        ([274, 304], 305, "too_young"),
        ([274, 305], 306, "complete"),
        ([300, 327], 328, "too_soon"),
        ([300, 328], 329, "complete"),
        ([440], 441, Due(2, 468)),
        # Live vaccines: on one day, or four weeks apart.
        ([(280, "37"), 307], 308, "live_conflict"),
        ([(280, "37"), 308], 309, Due(2, 456)),
        ([(450, "37"), 280], 451, Due(2, 478)),
    ],
    "rubella": [([], 274, Due(1, 274)), ([273], 274, "too_young"), ([274], 275, "complete")],
    "yellow_fever": [([], 274, Due(1, 274, 366)), ([273], 274, "too_young")],
    "hpv": [
        ([], 3288, Due(1, 3288, 5114)),
        ([3287], 3288, "too_young"),
        ([3288], 3289, Due(2, 3469, 5114)),
        ([3288, 3468], 3469, "too_soon"),
        ([3288, 3469], 3470, "complete"),
    ],
}
#: A number that may move and changes nothing: a lowest age that the intervals reach anyway, and
#: a best age a day before the lowest.
WITHOUT_EFFECT = {
    ("hepatitis_b", 3, "minimum_age", "- 1 day"),
    ("hepatitis_b", 4, "minimum_age", "- 1 day"),
}


def all_used() -> dict[str, Any]:
    """The file, with the series that wait for a country in use too."""
    raw = copy.deepcopy(RAW)
    for table in raw["series"].values():
        table["used"] = True
    return raw


def at(day: int) -> date:
    return BORN + timedelta(days=day)


def disagreements(schedule: VaccineSchedule) -> list[str]:
    """Rows that come out otherwise than they say."""
    found = []
    for series in schedule.series:
        for given, as_of, said in ROWS[series.name]:
            doses = [one if isinstance(one, tuple) else (one, CVX[series.name]) for one in given]
            history = sorted(Given(at(day), cvx) for day, cvx in doses)
            got = in_series(series, history, person=GIRL, schedule=schedule, as_of=at(as_of))
            if isinstance(said, str):
                agrees = said in (got.status, *(one.judgement for one in got.judged[-1:]))
            else:
                late = None if said.late is None else at(said.late)
                agrees = (said.number, at(said.on), at(said.on), late) == (
                    got.number,
                    got.earliest_on,
                    got.due_on,
                    got.overdue_on,
                )
            if not agrees:
                found.append(f"{series.name} {given} on {as_of}: {got}")
    return found


def test_every_series_of_the_file_is_as_written_by_hand() -> None:
    assert set(ROWS) == set(RAW["series"]) == set(CVX)
    problems = reading.Problems()
    assert disagreements(schedule_of(all_used(), problems)) == []
    assert problems.found == []


def numbers() -> Iterator[tuple[str, int, str]]:
    """Series, number of the dose and key of every length of time in the file."""
    for name, table in RAW["series"].items():
        for at_dose, dose in enumerate(table["doses"], 1):
            for key in dose:
                if key != "cvx":
                    yield name, at_dose, key


@pytest.mark.parametrize("name", ROWS)
def test_no_age_or_interval_can_move_by_a_day_unnoticed(name: str) -> None:
    survivors = set()
    for series, dose, key in numbers():
        if series != name:
            continue
        for change in ("+ 1 day", "- 1 day"):
            raw = all_used()
            raw["series"] = {name: raw["series"][name]}
            table = raw["series"][name]["doses"][dose - 1]
            is_early = key == "best_age" and change[0] == "-"
            if is_early and table["best_age"] == table.get("minimum_age", "0 days"):
                continue  # a best age before the lowest one changes nothing
            table[key] = f"{table[key]} {change}"
            if not disagreements(schedule_of(raw, reading.Problems())):
                survivors.add((name, dose, key, change))
    assert survivors == {one for one in WITHOUT_EFFECT if one[0] == name}


@pytest.mark.parametrize("change", ["+ 1 day", "- 1 day"])
def test_the_gap_between_live_vaccines_cannot_move_unnoticed(change: str) -> None:
    raw = all_used()
    raw["live"]["gap"] = f"{raw['live']['gap']} {change}"
    assert disagreements(schedule_of(raw, reading.Problems()))
