"""Diagnoses, medicines, vaccines, consents and pregnancies as the register holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.records.codes import ATC, CVX, ICD10
from chw_tools.testing.chance import choose, stream
from chw_tools.testing.health import LONG_TERM
from chw_tools.testing.population import ADULT_YEARS, DAYS_PER_YEAR, NEVER
from chw_tools.testing.pregnancies import OUTCOMES, TERM_DAYS

if TYPE_CHECKING:
    from chw_tools.testing.names import Names

#: CVX codes and dose numbers given at each session (CDC CVX code set): BCG 19, hepatitis B at
#: birth 08, DTP-HepB-Hib 198, oral polio 178, injected polio 10, pneumococcal 133, rotavirus
#: 119, measles and rubella 04.
_SESSIONS = (
    (("19", 1), ("08", 1)),
    (("198", 1), ("178", 1), ("133", 1), ("119", 1)),
    (("198", 2), ("178", 2), ("133", 2), ("119", 2)),
    (("198", 3), ("178", 3), ("133", 3), ("10", 1)),
    (("04", 1), ("10", 2)),
    (("04", 2),),
)
_WEEKS_BETWEEN = 4
_AMLODIPINE, _HYDROCHLOROTHIAZIDE, _METFORMIN = "C08CA01", "C03AA03", "A10BA02"
_ASPIRIN, _SALBUTAMOL, _ANTIRETROVIRALS = "B01AC06", "R03AC02", "J05AR27"


def draw_care(names: Names) -> dict[str, pd.DataFrame]:
    """The tables of care, by name."""
    return {
        "conditions": _conditions(names),
        "medications": _medications(names),
        "pregnancies": _pregnancies(names),
        "immunisations": _immunisations(names),
        "consents": _consents(names),
    }


def _conditions(names: Names) -> pd.DataFrame:
    rng = stream(names.drawn.seed, names.drawn.part, "conditions")
    folk = names.folk
    share = names.drawn.assumed.number("care.condition_known")
    rows = [
        _coded(names, np.flatnonzero(folk[f"{name}_known"]), code, folk[f"{name}_found"])
        for name, code in (("hypertension", "I10"), ("diabetes", "E11"))
    ]
    for name, code in (
        {key: known[0] for key, known in LONG_TERM.items()} | {"hiv": "B20"}
    ).items():
        found = pd.Series(rng.integers(-3000, 1000, len(folk)))
        known = folk[name].to_numpy() & (rng.random(len(folk)) < share)
        rows.append(_coded(names, np.flatnonzero(known), code, found))
    rows.append(_complications(rng, names))
    frame = pd.concat(rows, ignore_index=True)
    frame = _of_the_living(names, frame)
    return pd.DataFrame(
        {
            "id": names.ids("C", len(frame)),
            "person_id": names.person.take(frame["person"]),
            "system": ICD10,
            "code": frame["code"],
            "onset_on": names.date(frame["day"]),
            "known_on": names.date(frame["known"]),
        }
    )


def _coded(names: Names, person: np.ndarray, code: str, day: Any) -> pd.DataFrame:
    # Not before the first birthday, even where the register has the birth half a year late.
    born = names.folk["born"].to_numpy()[person]
    day = np.maximum(np.asarray(day)[person], born + 600)
    # What began before enrolment becomes known with it.
    known = np.maximum(day, names.folk["enrolled"].to_numpy()[person])
    return pd.DataFrame({"person": person, "code": code, "day": day, "known": known})


def _complications(rng: np.random.Generator, names: Names) -> pd.DataFrame:
    # Pre-eclampsia, diagnosed after the 20th week in those under antenatal care.
    ill = names.drawn.pregnancies
    ill = ill[ill["complicated"] & ill["anc"] & (ill["outcome"] < 2)]
    day = np.minimum(ill["last_period"] + rng.integers(150, 230, len(ill)), ill["ends"] - 1)
    day = np.maximum(day, ill["noticed"]).to_numpy()
    return pd.DataFrame(
        {"person": ill["person"].to_numpy(), "code": "O14", "day": day, "known": day}
    )


def _medications(names: Names) -> pd.DataFrame:
    rng = stream(names.drawn.seed, names.drawn.part, "medications")
    folk, n = names.folk, len(names.folk)
    second = rng.random(n) < 0.3
    taken = {
        _AMLODIPINE: (folk["on_bp_medicine"], folk["hypertension_found"]),
        _HYDROCHLOROTHIAZIDE: (folk["on_bp_medicine"] & second, folk["hypertension_found"] + 90),
        _METFORMIN: (folk["on_sugar_medicine"], folk["diabetes_found"]),
        _ASPIRIN: (folk["heart"] & second, rng.integers(-2000, 900, n)),
        _SALBUTAMOL: (folk["asthma"] & ~second, rng.integers(-2000, 900, n)),
        _ANTIRETROVIRALS: (folk["hiv"] & (rng.random(n) < 0.85), rng.integers(-3000, 900, n)),
    }
    rows = [
        _coded(names, np.flatnonzero(who), code, np.asarray(since) + rng.integers(0, 30, n))
        for code, (who, since) in taken.items()
    ]
    frame = _of_the_living(names, pd.concat(rows, ignore_index=True))
    ended = frame["day"] + rng.integers(30, 900, len(frame))
    stops = rng.random(len(frame)) < names.drawn.assumed.number("care.medicine_stopped")
    # A stop is on the row itself, so only what had stopped before the row was known stands.
    stopped = (stops & (ended <= frame["known"])).to_numpy()
    return pd.DataFrame(
        {
            "id": names.ids("M", len(frame)),
            "person_id": names.person.take(frame["person"]),
            "system": ATC,
            "code": frame["code"],
            "started_on": names.date(frame["day"]),
            "ended_on": names.date(np.where(stopped, ended, NEVER)),
            "status": np.where(stopped, "stopped", "active"),
            "known_on": names.date(frame["known"]),
        }
    )


def _of_the_living(names: Names, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of registered people, known while they lived here and before the last day."""
    person, known = frame["person"].to_numpy(), frame["known"].to_numpy()
    kept = names.registered[person] & (known <= names.gone[person])
    kept &= known <= names.drawn.days
    return frame[kept].reset_index(drop=True)


def _pregnancies(names: Names) -> pd.DataFrame:
    begun = names.drawn.pregnancies.rename(columns={"noticed": "known"})
    begun = begun.assign(
        known=np.maximum(begun["known"], names.folk["enrolled"].to_numpy()[begun["person"]])
    )
    begun = _of_the_living(names, begun)
    last = np.minimum(names.gone[begun["person"]], names.drawn.days)
    ended = (begun["ends"] <= last).to_numpy()
    return pd.DataFrame(
        {
            "id": names.ids("G", len(begun)),
            "person_id": names.person.take(begun["person"]),
            "last_period_on": names.date(begun["last_period"]),
            "due_on": names.date(begun["last_period"] + TERM_DAYS),
            "ended_on": names.date(np.where(ended, begun["ends"], NEVER)),
            "outcome": np.where(ended, np.array(OUTCOMES, dtype=object)[begun["outcome"]], None),
            "gravidity": begun["gravidity"],
            "known_on": names.date(begun["known"]),
        }
    )


def _immunisations(names: Names) -> pd.DataFrame:
    rng = stream(names.drawn.seed, names.drawn.part, "immunisations")
    assumed, born = names.drawn.assumed, names.folk["born"].to_numpy()
    child = np.flatnonzero(born > -3 * DAYS_PER_YEAR)
    comes = np.ones(len(child), dtype=bool)
    before = born[child] - _WEEKS_BETWEEN * 7
    rows = []
    for session, week in enumerate(assumed.numbers("care.vaccine_weeks")):
        next_share = assumed.number("care.vaccine_first" if session == 0 else "care.vaccine_next")
        comes &= rng.random(len(child)) < next_share
        late = np.floor(rng.exponential(14, len(child)))
        # No session is held less than four weeks after the one before: doses would not count.
        day = np.maximum(born[child] + 7 * week + late, before + _WEEKS_BETWEEN * 7)
        before = np.where(comes, day, before)
        for code, dose in _SESSIONS[session]:
            rows.append(
                pd.DataFrame(
                    {
                        "person": child[comes],
                        "code": code,
                        "dose": dose,
                        "day": day[comes].astype(np.int64),
                    }
                )
            )
    frame = pd.concat(rows, ignore_index=True)
    enrolled = names.folk["enrolled"].to_numpy()[frame["person"]]
    frame["known"] = np.maximum(frame["day"] + rng.integers(0, 10, len(frame)), enrolled)
    frame = frame[frame["day"] <= names.gone[frame["person"]]]
    frame = _of_the_living(names, frame).sort_values(["person", "day"], kind="stable")
    return pd.DataFrame(
        {
            "id": names.ids("I", len(frame)),
            "person_id": names.person.take(frame["person"]),
            "system": CVX,
            "code": frame["code"].to_numpy(),
            "given_on": names.date(frame["day"]),
            "dose_number": frame["dose"].to_numpy(),
            "known_on": names.date(frame["known"]),
        }
    )


def _consents(names: Names) -> pd.DataFrame:
    rng = stream(names.drawn.seed, names.drawn.part, "consents")
    assumed, folk = names.drawn.assumed, names.folk
    age = (folk["enrolled"] - folk["born"]) / DAYS_PER_YEAR
    adult = (age >= ADULT_YEARS).to_numpy()
    enrolled = folk["enrolled"].to_numpy()
    rows = []
    for purpose, given in assumed.entries["care.consent_given"].value.items():
        asked = adult & (folk["phone"].to_numpy() if purpose == "outreach" else True)
        asked &= rng.random(len(folk)) < (0.5 if purpose == "research" else 1.0)
        person = np.flatnonzero(asked)
        says = np.where(rng.random(len(person)) < given, "given", "refused")
        channel = _channel(rng, purpose, len(person))
        rows.append(
            pd.DataFrame(
                {
                    "person": person,
                    "purpose": purpose,
                    "channel": channel,
                    "decision": says,
                    "known": enrolled[person],
                }
            )
        )
    first = pd.concat(rows, ignore_index=True)
    again = rng.random(len(first)) < assumed.number("care.consent_withdrawn")
    later = first[again & (first["decision"] == "given")]
    later = later.assign(decision="withdrawn", known=rng.integers(30, names.drawn.days, len(later)))
    frame = _of_the_living(names, pd.concat([first, later], ignore_index=True))
    return pd.DataFrame(
        {
            "id": names.ids("K", len(frame)),
            "person_id": names.person.take(frame["person"]),
            "purpose": frame["purpose"],
            "channel": frame["channel"],
            "decision": frame["decision"],
            "decided_on": names.date(frame["known"]),
            "wording_version": "1",
            "known_on": names.date(frame["known"]),
        }
    )


def _channel(rng: np.random.Generator, purpose: str, n: int) -> np.ndarray:
    if purpose != "outreach":
        return np.full(n, "visit", dtype=object)
    means = np.array(["sms", "call", "whatsapp"], dtype=object)
    drawn: np.ndarray = means[choose(rng, np.array([0.6, 0.25, 0.15]), n)]
    return drawn
