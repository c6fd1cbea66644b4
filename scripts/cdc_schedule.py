"""Reads the CDC's supporting data into the structure of the schedule engine."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from chw_tools.programme.immunisation import (
    DoseInterval,
    DoseVaccine,
    LiveConflict,
    Period,
    Series,
    SeriesDose,
    SkipWhen,
    VaccineSchedule,
)

if TYPE_CHECKING:
    from pathlib import Path

SEXES = {"Female": {"female"}, "Male": {"male"}, "Unknown": {""}}


def text(node, path: str) -> str:
    return (node.findtext(path) or "").strip()


def period(node, path: str) -> Period | None:
    found = text(node, path)
    return None if found in ("", "n/a") else Period.of(found)


def day(node, path: str) -> date | None:
    found = text(node, path)
    return date.fromisoformat(f"{found[:4]}-{found[4:6]}-{found[6:8]}") if found else None


def interval(node) -> DoseInterval:
    target = text(node, "fromTargetDose")
    return DoseInterval(
        from_dose=int(target) if target else None,
        least=period(node, "absMinInt"),
        minimum=period(node, "minInt"),
        best=period(node, "earliestRecInt"),
        latest=period(node, "latestRecInt"),
        overrides_age=text(node, "intervalPriority") == "override",
    )


def vaccine(node) -> DoseVaccine:
    return DoseVaccine(
        text(node, "cvx"), period(node, "beginAge"), period(node, "endAge"), text(node, "mvx")
    )


def skip(node) -> SkipWhen:
    kinds = {"Age": "age", "Interval": "interval"}
    return SkipWhen(
        kind=kinds.get(text(node, "conditionType"), "count"),
        begin=period(node, "beginAge"),
        end=period(node, "endAge"),
        interval=period(node, "interval"),
        cvx=frozenset(re.findall(r"\d+", text(node, "vaccineTypes"))),
        count=int(text(node, "doseCount") or 0),
        logic=text(node, "doseCountLogic") or "greater than",
        only_valid=text(node, "doseType") == "Valid",
        first_day=day(node, "startDate"),
        last_day=day(node, "endDate"),
    )


def dose(node) -> SeriesDose:
    sexes = frozenset().union(
        *(SEXES[(one.text or "").strip()] for one in node.iter("requiredGender") if one.text)
    )
    return SeriesDose(
        least_age=period(node, "age/absMinAge"),
        minimum_age=period(node, "age/minAge"),
        best_age=period(node, "age/earliestRecAge"),
        latest_age=period(node, "age/latestRecAge"),
        end_age=period(node, "age/maxAge"),
        intervals=tuple(interval(one) for one in node.findall("interval") if len(one)),
        also_intervals=tuple(interval(o) for o in node.findall("allowableInterval") if len(o)),
        vaccines=tuple(
            vaccine(one)
            for kind in ("preferableVaccine", "allowableVaccine")
            for one in node.findall(kind)
        ),
        skips=tuple(
            tuple(skip(one) for one in each.findall("condition") if text(one, "conditionType"))
            for each in node.findall("conditionalSkip/set")
        ),
        sexes=sexes,
        not_before=day(node, "seasonalRecommendation/startDate"),
        recurring=text(node, "recurringDose") == "Yes",
    )


def series(node) -> Series:
    best = node.find("selectBest")
    preference = text(best, "seriesPreference")
    return Series(
        name=text(node, "seriesName"),
        antigen=text(node, "targetDisease").replace(" ", ""),
        doses=tuple(dose(one) for one in node.findall("seriesDose")),
        is_default=text(best, "defaultSeries") == "Yes",
        product_path=text(best, "productPath") == "Yes",
        preference=int(preference) if preference.isdigit() else 1,
        start_from=period(best, "minAgeToStart"),
        start_until=period(best, "maxAgeToStart"),
    )


def read_cdc_schedule(folder: Path) -> VaccineSchedule:
    """All antigens of the folder, with the antigens of each vaccine and live conflicts."""
    found = [
        series(node)
        for path in sorted(folder.glob("AntigenSupportingData-*.xml"))
        for node in ElementTree.parse(path).iter("series")  # noqa: S314 (our own test data)
    ]
    common = ElementTree.parse(folder / "ScheduleSupportingData.xml")  # noqa: S314 (as above)
    antigens = {
        text(node, "cvx").zfill(2): tuple(
            (
                text(one, "antigen").replace(" ", ""),
                period(one, "associationBeginAge"),
                period(one, "associationEndAge"),
            )
            for one in node.findall("association")
        )
        for node in common.iter("cvxMap")
    }
    conflicts = tuple(
        LiveConflict(
            text(node, "previous/cvx"),
            text(node, "current/cvx"),
            period(node, "conflictBeginInterval"),
            period(node, "minConflictEndInterval"),
            period(node, "conflictEndInterval"),
        )
        for node in common.iter("liveVirusConflict")
    )
    return VaccineSchedule(tuple(found), antigens, conflicts)


#: The season whose doses the schedule files of 2016 hold, by the year in which it begins.
SEASON_OF_FILES = 2015
_SEASON_BEGINS_MONTH = 7


def season_of(day: date) -> int:
    """The year in which the season of a day begins, on 1 July as in the schedule files."""
    return day.year - (day.month < _SEASON_BEGINS_MONTH)


def in_season(schedule: VaccineSchedule, season: int) -> VaccineSchedule:
    """The schedule with the dates of its seasonal doses moved by whole years to another season."""
    years = season - SEASON_OF_FILES
    moved = tuple(
        replace(s, doses=tuple(_moved(d, years) for d in s.doses)) for s in schedule.series
    )
    return VaccineSchedule(moved, schedule.antigens, schedule.conflicts)


def _moved(dose: SeriesDose, years: int) -> SeriesDose:
    def year_on(day: date | None) -> date | None:
        return day and day.replace(year=day.year + years)

    if dose.not_before is None:
        return dose
    skips = tuple(
        tuple(
            replace(one, first_day=year_on(one.first_day), last_day=year_on(one.last_day))
            for one in each
        )
        for each in dose.skips
    )
    return replace(dose, not_before=year_on(dose.not_before), skips=skips)
