"""People, what became of them, visits, observations and outcomes as the register holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.records import load_catalogue
from chw_tools.testing.chance import stream
from chw_tools.testing.contacts import ADMISSION
from chw_tools.testing.life import HOME
from chw_tools.testing.population import NEVER
from chw_tools.testing.words import FAMILY, GIVEN, LANGUAGES

if TYPE_CHECKING:
    from chw_tools.testing.names import Names

_KINDS = np.array(["home", "facility", "inpatient"], dtype=object)
_OUTCOMES = np.array(["seen", "away", "refused", "moved", "died"], dtype=object)
_SCHOOLING = np.array(["none", "primary", "secondary", "higher", None], dtype=object)
_PRECISION = np.array(["day", "month", "year"], dtype=object)


def render_people(names: Names) -> pd.DataFrame:
    folk = names.folk
    home = folk["household"].to_numpy()
    village = names.drawn.places.households["village"].to_numpy()[home]
    given = np.array(GIVEN, dtype=object)[folk["sex"], folk["given"] % 20]
    digits = folk["phone_number"].astype("str").str.zfill(7)
    frame = pd.DataFrame(
        {
            "id": names.person,
            "household_id": names.household.take(home),
            "area_id": names.village.take(village),
            "given_name": given,
            "family_name": np.array(FAMILY, dtype=object)[home * 7 % 20],
            "sex": np.array(["female", "male"], dtype=object)[folk["sex"]],
            "born_on": _as_known(names.date(folk["born"]), folk["precision"].to_numpy()),
            "born_precision": _PRECISION[folk["precision"]],
            # A prefix that no network uses: nobody can be called by mistake.
            "phone": ("+999550" + digits).where(folk["phone"]),
            "language": LANGUAGES[village % 2],
            "education": _SCHOOLING[folk["education"]],
            "known_on": names.date(folk["enrolled"]),
        }
    )
    return frame[names.registered]


def _as_known(born: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """The middle of what is known of a birth: the 15th, or the 1st of July."""
    month = born.astype("datetime64[M]").astype("datetime64[s]") + np.timedelta64(14, "D")
    year = born.astype("datetime64[Y]").astype("datetime64[M]") + np.timedelta64(6, "M")
    return np.select([precision == 0, precision == 1], [born, month], year.astype("datetime64[s]"))


def render_changes(names: Names) -> pd.DataFrame:
    rng = stream(names.drawn.seed, names.drawn.part, "changes")
    frames = []
    for change, days in (("died", names.died), ("moved", names.moved)):
        lag = rng.geometric(1 / (12 if change == "died" else 40), len(days))
        kept = np.flatnonzero((days + lag <= names.drawn.days) & names.registered)
        frames.append(
            pd.DataFrame(
                {
                    "person_id": names.person.take(kept),
                    "change": change,
                    "happened_on": names.date(days[kept]),
                    "known_on": names.date((days + lag)[kept]),
                }
            )
        )
    frame = pd.concat(frames, ignore_index=True)
    return frame.assign(id=names.ids("X", len(frame)))


def render_visits(names: Names) -> pd.DataFrame:
    rng = stream(names.drawn.seed, names.drawn.part, "visit details")
    visits = names.drawn.course.visits
    person = visits["person"].to_numpy()
    home = visits["kind"].to_numpy() == HOME
    households = names.drawn.places.households.iloc[names.folk["household"].to_numpy()[person]]
    minutes = np.rint(
        names.drawn.assumed.number("programme.visit_minutes")
        * np.exp(rng.normal(0, 0.4, len(visits)))
    )
    day = visits["day"].to_numpy()
    frame = pd.DataFrame(
        {
            "id": names.visit,
            "person_id": names.person.take(person),
            "worker_id": names.worker.take(
                np.where(home, households["worker"], -1), allow_fill=True
            ),
            "facility_id": _where_treated(names, home, households["facility"].to_numpy()),
            "visited_on": names.date(day),
            "planned_on": names.date(np.where(visits["planned"] == 1, day, NEVER)),
            "kind": _KINDS[visits["kind"]],
            "outcome": _OUTCOMES[visits["outcome"]],
            "minutes": np.where(home & (visits["outcome"].to_numpy() == 0), minutes, np.nan),
            "known_on": names.date(names.visit_known),
        }
    )
    return frame[names.registered[person]]


def _where_treated(names: Names, home: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    facility = names.facility.take(np.where(home, -1, nearest), allow_fill=True).astype(object)
    admitted = names.drawn.course.visits["reason"].to_numpy() == ADMISSION
    # Every part sends its admissions to the district hospital, the first facility of part 0.
    return np.where(admitted, names.hospital, facility)


def render_observations(names: Names) -> pd.DataFrame:
    found, visits = names.drawn.findings, names.drawn.course.visits
    catalogue = load_catalogue()
    visit = found["visit"].to_numpy()
    person = visits["person"].to_numpy()[visit]
    which, kinds = pd.factorize(found["name"])
    codes = [catalogue[str(name)] for name in kinds]
    answer = found["answer"]
    frame = pd.DataFrame(
        {
            "id": names.ids("O", len(found), width=7),
            "person_id": names.person.take(person),
            "visit_id": names.visit.take(visit),
            "system": pd.array([c.code.system for c in codes], dtype="str").take(which),
            "code": pd.array([c.code.code for c in codes], dtype="str").take(which),
            "value_number": found["value"].to_numpy(),
            "unit": pd.array([c.unit or None for c in codes], dtype="str").take(which),
            "value_code": answer.where(answer != ""),
            "observed_on": names.date(visits["day"].to_numpy()[visit]),
            "known_on": names.date(names.visit_known[visit]),
        }
    )
    return frame[names.registered[person]]


def render_outcomes(names: Names) -> pd.DataFrame:
    rng = stream(names.drawn.seed, names.drawn.part, "outcomes")
    events = names.drawn.course.events
    person, day = events["person"].to_numpy(), events["day"].to_numpy()
    window = int(names.drawn.assumed.number("programme.window_days"))
    window_end = -(-day // window) * window
    known = np.minimum(day + rng.geometric(0.12, len(events)), window_end)
    frame = pd.DataFrame(
        {
            "id": names.ids("E", len(events)),
            "person_id": names.person.take(person),
            "outcome": np.where(events["is_death"], "death", "hospital_admission"),
            "happened_on": names.date(day),
            "is_positive": True,
            # The hospital's list arrives late, yet it is complete at the end of each window:
            # what the truth says happened can be found in the register by then.
            "known_on": names.date(np.maximum(known, names.folk["enrolled"].to_numpy()[person])),
        }
    )
    return frame[names.registered[person]]
