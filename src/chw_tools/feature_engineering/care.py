"""Features of care: visits, diagnoses on record, medicines, pregnancy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.feature_engineering.declaration import Built, Feature
from chw_tools.feature_engineering.lookup import positions_among
from chw_tools.records.condition_groups import distinct_codes, group_members

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from chw_tools.feature_engineering.declaration import FeatureGroup
    from chw_tools.records.condition_groups import CodeGroup
    from chw_tools.records.register import Register

YEAR_DAYS = 365
#: From the first day of the last period to the expected birth (Naegele; WHO ANC 2016, annex).
PREGNANCY_DAYS = 280
#: A pregnancy still open after 44 weeks is one whose end was not recorded: not known. No
#: pregnancy lasts that long (post-term begins at 42 weeks; ICD-10 O48). Project decision.
LONGEST_PREGNANCY_DAYS = 308
#: An open pregnancy that began so long before a birth ended with that birth: it was recorded
#: twice, or never closed. Twelve weeks leave room for a wrong date. Project decision.
SAME_PREGNANCY_DAYS = 84
#: Contacts of the programme itself, against those at a facility.
_PROGRAMME_KINDS = ("home", "phone", "group")
#: Contacts of the programme at which the person was looked at: a call made does not stand for
#: the visit that is due.
_MET_KINDS = ("home", "group")
_BIRTHS = ("live_birth", "stillbirth")


def visits(known: Register, people: pd.Index, as_of: pd.Timestamp) -> Iterator[Built]:
    """Visits made and missed, facility contacts and admissions in the last year."""
    frame = known.visits
    person = positions_among(frame["person_id"], people)
    days = _days_before(frame["visited_on"], as_of)
    recent = (person >= 0) & (days < YEAR_DAYS)
    ours = frame["kind"].isin(_PROGRAMME_KINDS).to_numpy()
    met = frame["kind"].isin(_MET_KINDS).to_numpy()
    seen = (frame["outcome"] == "seen").to_numpy()
    missed = frame["outcome"].isin(("away", "refused")).to_numpy()
    inpatient = (frame["kind"] == "inpatient").to_numpy() & seen
    at_facility = frame["kind"].isin(("facility", "emergency")).to_numpy() & seen
    for name, label, which in (
        ("n_visits_365d", "Visits in the last year", ours & seen),
        ("n_missed_visits_365d", "Visits missed in the last year", ours & missed),
        ("n_facility_visits_365d", "Facility visits in the last year", at_facility),
        ("n_inpatient_365d", "Hospital stays in the last year", inpatient),
    ):
        count = np.bincount(person[recent & which], minlength=len(people))
        yield Feature(name, label, "number", "", (), "history"), count
    yield (
        Feature("n_admissions_365d", "Admissions in the last year", "number", "", (), "history"),
        _admissions(known, people, as_of, person[recent & inpatient], days[recent & inpatient]),
    )
    yield (
        Feature("days_since_visit", "Days since the last visit", "number", "days", (), "history"),
        _least(person, days, (person >= 0) & met & seen, len(people)),
    )


def _admissions(
    known: Register,
    people: pd.Index,
    as_of: pd.Timestamp,
    person: NDArray[np.intp],
    days: NDArray[np.float64],
) -> NDArray[np.int64]:
    # A stay may be known as a visit, as an outcome, or as both on one day: it counts once.
    rows = known.outcomes
    of = positions_among(rows["person_id"], people)
    before = _days_before(rows["happened_on"], as_of)
    is_admission = (rows["outcome"] == "hospital_admission") & rows["is_positive"].fillna(False)
    use = is_admission.to_numpy(dtype=bool) & (of >= 0) & (before >= 0) & (before < YEAR_DAYS)
    both = pd.DataFrame(
        {"person": np.append(person, of[use]), "day": np.append(days, before[use])}
    ).drop_duplicates()
    return np.bincount(both["person"].to_numpy(), minlength=len(people))


def conditions(
    known: Register,
    people: pd.Index,
    as_of: pd.Timestamp,
    groups: Mapping[str, CodeGroup],
) -> Iterator[Built]:
    """Whether each condition is on record: ``False`` says none is recorded, not that none is."""
    frame = known.conditions
    person = positions_among(frame["person_id"], people)
    over = (frame["resolved_on"] <= as_of).to_numpy(dtype=bool)
    members = group_members(groups.values(), frame["system"], frame["code"])
    for name, group in groups.items():
        counts = members[name] & (person >= 0) & (group.lifelong | ~over)
        feature = Feature(f"has_{name}", f"{group.label} on record", "flag", "", (), _about(group))
        yield feature, _any(person, counts, len(people))


def _about(group: CodeGroup) -> FeatureGroup:
    return "pregnancy" if "pregnancy" in group.label.lower() else "conditions"


def medicines(
    known: Register,
    people: pd.Index,
    as_of: pd.Timestamp,
    groups: Mapping[str, CodeGroup],
) -> Iterator[Built]:
    """How many medicines are taken, and of which kinds, by the record."""
    frame = known.medications
    person = positions_among(frame["person_id"], people)
    ended = (frame["ended_on"] <= as_of).to_numpy(dtype=bool)
    stopped = frame["status"].isin(("stopped", "completed")).to_numpy()
    active = (person >= 0) & ~ended & ~stopped
    number, _, _ = distinct_codes(frame["system"], frame["code"])
    taken = pd.DataFrame({"person": person[active], "code": number[active]}).drop_duplicates()
    yield (
        Feature("n_active_medicines", "Medicines taken now", "number", "", (), "conditions"),
        np.bincount(taken["person"].to_numpy(), minlength=len(people)),
    )
    members = group_members(groups.values(), frame["system"], frame["code"])
    for name, group in groups.items():
        feature = Feature(f"takes_{name}", f"Takes {group.label}", "flag", "", (), "conditions")
        yield feature, _any(person, members[name] & active, len(people))


def pregnancy(known: Register, people: pd.Index, as_of: pd.Timestamp) -> Iterator[Built]:
    """Pregnancy and the weeks of it, or the weeks since the last birth."""
    frame = known.pregnancies
    person = positions_among(frame["person_id"], people)
    ended_days = _days_before(frame["ended_on"], as_of)
    ended = ended_days >= 0
    elapsed = _days_before(frame["last_period_on"], as_of)
    by_due = PREGNANCY_DAYS + _days_before(frame["due_on"], as_of)
    # The expected birth stands for the better estimate, where both are given: it may rest on
    # ultrasound, which WHO ANC 2016 (recommendation B2.4) prefers before 24 weeks.
    elapsed = np.where(np.isnan(by_due), elapsed, by_due)
    began = np.where(np.isnan(elapsed), _days_before(frame["known_on"], as_of), elapsed)
    birth = ended & frame["outcome"].isin(_BIRTHS).to_numpy() & (person >= 0)
    last_birth = np.append(_least(person, ended_days, birth, len(people)), np.nan)[person]
    is_over = began - last_birth >= SAME_PREGNANCY_DAYS
    open_now = (person >= 0) & ~ended & ~is_over & (began >= 0)
    current = open_now & (began <= LONGEST_PREGNANCY_DAYS)
    is_pregnant = pd.array(_any(person, current, len(people)), dtype="boolean")
    is_pregnant[_any(person, open_now, len(people)) & ~is_pregnant.to_numpy(dtype=bool)] = pd.NA
    weeks = np.floor(_least(person, elapsed, current & ~np.isnan(elapsed), len(people)) / 7)
    since = np.floor(_least(person, ended_days, birth, len(people)) / 7)
    in_pregnancy = is_pregnant.fillna(False).to_numpy(dtype=bool)
    yield Feature("is_pregnant", "Pregnant, on record", "flag", "", (), "pregnancy"), is_pregnant
    yield (
        Feature(
            "gestational_weeks", "Completed weeks of pregnancy", "number", "weeks", (), "pregnancy"
        ),
        weeks,
    )
    yield (
        Feature(
            "weeks_postpartum", "Completed weeks since birth", "number", "weeks", (), "pregnancy"
        ),
        np.where(in_pregnancy, np.nan, since),
    )
    yield (
        Feature("gravidity", "Number of pregnancies", "number", "", (), "pregnancy"),
        _greatest(
            person, frame["gravidity"].to_numpy(dtype="float64", na_value=np.nan), len(people)
        ),
    )


def _days_before(days: pd.Series, as_of: pd.Timestamp) -> NDArray[np.float64]:
    passed = np.datetime64(as_of.date(), "D") - days.to_numpy().astype("datetime64[D]")
    number: NDArray[np.float64] = np.where(np.isnat(passed), np.nan, passed.astype("float64"))
    return number


def _any(person: NDArray[np.intp], which: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    flags = np.zeros(n, dtype=bool)
    flags[person[which]] = True
    return flags


def _least(
    person: NDArray[np.intp], values: NDArray[np.float64], which: NDArray[np.bool_], n: int
) -> NDArray[np.float64]:
    least = np.full(n, np.inf)
    np.minimum.at(least, person[which], values[which])
    return np.where(np.isinf(least), np.nan, least)


def _greatest(person: NDArray[np.intp], values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    return -_least(person, -values, (person >= 0) & ~np.isnan(values), n)
