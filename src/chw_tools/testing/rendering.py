"""From positions and day numbers to declared tables with the register's own identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.records import TABLES, Register, derived_ids, load_catalogue
from chw_tools.testing import care
from chw_tools.testing.chance import stream
from chw_tools.testing.course import ADMISSION, HOME
from chw_tools.testing.names import Names
from chw_tools.testing.population import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chw_tools.records import Source
    from chw_tools.testing.names import Drawn

_KINDS = np.array(["home", "facility", "inpatient"], dtype=object)
_OUTCOMES = np.array(["seen", "away", "refused", "moved", "died"], dtype=object)
_SCHOOLING = np.array(["none", "primary", "secondary", "higher", None], dtype=object)
_PRECISION = np.array(["day", "month", "year"], dtype=object)
_LANGUAGES = np.array(["sw", "ny", "en"], dtype=object)
_GIVEN = (
    ("Amina", "Bahati", "Chiku", "Dalia", "Esi", "Furaha", "Grace", "Halima", "Imani", "Jamila",
     "Kesi", "Lulu", "Mariam", "Neema", "Oda", "Pendo", "Rehema", "Subira", "Tatu", "Zuri"),
    ("Abasi", "Bakari", "Chacha", "Daudi", "Elia", "Faraji", "Gabriel", "Hamisi", "Issa", "Juma",
     "Kito", "Luka", "Musa", "Noah", "Omari", "Petro", "Rashidi", "Simba", "Tumo", "Yona"),
)
_FAMILY = ("Achterra", "Bandawi", "Chirombe", "Dakalo", "Gondwari", "Hamwela", "Jumbero", "Kalondo",
           "Lungari", "Mbalewa", "Ndalore", "Nyakusa", "Okwiri", "Phirela", "Sakondo", "Tembora",
           "Ulanda", "Wachiru", "Yambora", "Zulamo")


def render_tables(drawn: Drawn, *, n_people: int) -> dict[str, pd.DataFrame]:
    """Every declared table of the part, rows sound and identifiers those of the register."""
    names = Names(drawn)
    tables = {
        "areas": _areas(names, n_people),
        "facilities": _facilities(names),
        "workers": _workers(names),
        "households": _households(names),
        "people": _people(names),
        "person_changes": _changes(names),
        "visits": _visits(names),
        "observations": _observations(names),
        "outcomes": _outcomes(names),
    }
    tables.update(care.draw_care(names))
    return {name: _finished(name, tables[name]) for name in TABLES}


def render_truth(drawn: Drawn) -> dict[str, pd.DataFrame]:
    """What truly was: risks by index day, and people's true state."""
    names = Names(drawn)
    risks = drawn.course.risks
    risks = risks[names.exists[risks["person"]]]
    happened = risks["day"].notna()
    return {
        "risks": pd.DataFrame(
            {
                "person_id": names.person.take(risks["person"]),
                "as_of": names.date(risks["index_day"]),
                "horizon_days": risks["horizon_days"].to_numpy(),
                "probability": risks["probability"].to_numpy(),
                "visit_effect": risks["visit_effect"].to_numpy(),
                "happened": happened.to_numpy(),
                "happened_on": names.date(risks["day"].fillna(NEVER).astype(np.int64)),
                "died": risks["is_death"].eq(True).to_numpy(),
            }
        ),
        "people": _true_people(names),
    }


def trusted_register(tables: Mapping[str, pd.DataFrame], source: Source) -> Register:
    """The register with derived keys that ingesting these tables gives."""
    trusted = {}
    for name, frame in tables.items():
        columns: dict[str, Any] = {"source": source.name, "source_id": frame["id"]}
        for column in TABLES[name].columns:
            if column.name in frame and column.kind == "id":
                about = column.refers_to or name
                columns[column.name] = _keys(frame[column.name], about, source)
        trusted[name] = frame.assign(**columns)
    return Register.of(trusted)


def _keys(ids: pd.Series, table: str, source: Source) -> pd.Series:
    positions, known = pd.factorize(ids)
    keys = pd.array(derived_ids(source, table, list(known)), dtype="str")
    return pd.Series(keys.take(positions, allow_fill=True), index=ids.index, dtype="str")


def _finished(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """In the declared order and dtypes, without the provenance that import adds."""
    declared = [c for c in TABLES[name].columns if c.name not in ("source", "source_id")]
    absent = {c.name: None for c in declared if c.name not in frame}
    frame = frame.assign(**absent)[[c.name for c in declared]].reset_index(drop=True)
    return frame.astype({c.name: c.dtype for c in declared})


def _areas(names: Names, n_people: int) -> pd.DataFrame:
    drawn, villages = names.drawn, names.drawn.places.villages
    lived_in = drawn.places.households["village"].to_numpy()[drawn.folk["household"]]
    there = np.bincount(lived_in[names.exists & (drawn.folk["mother"].to_numpy() < 0)],
                        minlength=len(villages))
    rows = villages.assign(id=names.village, parent_id=names.subdistrict, level="village",
                           population=there)
    latitude, longitude = drawn.places.centre
    above = [{"id": names.subdistrict, "parent_id": "D-01", "name": f"Sub-district {drawn.part}",
              "level": "subdistrict", "population": there.sum(),
              "latitude": latitude, "longitude": longitude}]
    if drawn.part == 0:
        above.insert(0, {"id": "D-01", "name": "Simulated district", "level": "district",
                         "population": n_people, "latitude": latitude, "longitude": longitude})
    frame = pd.concat([pd.DataFrame(above), rows.astype({"is_rural": object})], ignore_index=True)
    return frame.assign(known_on=names.beginning)


def _facilities(names: Names) -> pd.DataFrame:
    frame = names.drawn.places.facilities
    village = names.village.take(frame["village"], allow_fill=True)
    area = np.where(frame["village"] >= 0, village.astype(object), names.subdistrict)
    return frame.assign(id=names.facility, area_id=area, known_on=names.beginning)


def _workers(names: Names) -> pd.DataFrame:
    frame = names.drawn.places.workers
    given = np.array(_GIVEN[0] + _GIVEN[1], dtype=object)[frame["name"] % 40]
    family = np.array(_FAMILY, dtype=object)[frame["name"] // 40 % 20]
    return frame.assign(
        id=names.worker,
        name=given + " " + family,
        area_id=names.village.take(frame["village"]),
        facility_id=names.facility.take(frame["facility"]),
        language=_LANGUAGES[frame["village"] % 2],
        started_on=names.beginning,
        known_on=names.beginning,
    )


def _households(names: Names) -> pd.DataFrame:
    frame = names.drawn.places.households
    return frame.assign(
        id=names.household,
        area_id=names.village.take(frame["village"]),
        worker_id=names.worker.take(frame["worker"]),
        wealth_fifth=frame["wealth"],
        facility_km=frame["facility_km"].round(2),
        latitude=frame["latitude"].round(5),
        longitude=frame["longitude"].round(5),
        has_safe_water=frame["safe_water"],
        has_clean_fuel=frame["clean_fuel"],
        known_on=names.beginning,
    )


def _people(names: Names) -> pd.DataFrame:
    folk = names.folk
    home = folk["household"].to_numpy()
    village = names.drawn.places.households["village"].to_numpy()[home]
    given = np.array(_GIVEN, dtype=object)[folk["sex"], folk["given"] % 20]
    digits = folk["phone_number"].astype("str").str.zfill(7)
    frame = pd.DataFrame(
        {
            "id": names.person,
            "household_id": names.household.take(home),
            "area_id": names.village.take(village),
            "given_name": given,
            "family_name": np.array(_FAMILY, dtype=object)[home * 7 % 20],
            "sex": np.array(["female", "male"], dtype=object)[folk["sex"]],
            "born_on": _as_known(names.date(folk["born"]), folk["precision"].to_numpy()),
            "born_precision": _PRECISION[folk["precision"]],
            # A prefix that no network uses: nobody can be called by mistake.
            "phone": ("+999550" + digits).where(folk["phone"]),
            "language": _LANGUAGES[village % 2],
            "education": _SCHOOLING[folk["education"]],
            "known_on": names.date(folk["enrolled"]),
        }
    )
    known = folk["enrolled"].to_numpy() <= names.drawn.days
    return frame[names.exists & known]


def _as_known(born: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """The middle of what is known of a birth: the 15th, or the 1st of July."""
    month = born.astype("datetime64[M]").astype("datetime64[s]") + np.timedelta64(14, "D")
    year = born.astype("datetime64[Y]").astype("datetime64[M]") + np.timedelta64(6, "M")
    return np.select([precision == 0, precision == 1], [born, month], year.astype("datetime64[s]"))


def _changes(names: Names) -> pd.DataFrame:
    rng = stream(names.drawn.seed, names.drawn.part, "changes")
    frames = []
    for change, days in (("died", names.died), ("moved", names.moved)):
        lag = rng.geometric(1 / (12 if change == "died" else 40), len(days))
        kept = np.flatnonzero((days + lag <= names.drawn.days) & names.exists)
        frames.append(pd.DataFrame({"person_id": names.person.take(kept), "change": change,
                                    "happened_on": names.date(days[kept]),
                                    "known_on": names.date((days + lag)[kept])}))
    frame = pd.concat(frames, ignore_index=True)
    return frame.assign(id=names.ids("X", len(frame)))


def _visits(names: Names) -> pd.DataFrame:
    rng = stream(names.drawn.seed, names.drawn.part, "visit details")
    visits = names.drawn.course.visits
    person = visits["person"].to_numpy()
    home = visits["kind"].to_numpy() == HOME
    households = names.drawn.places.households.iloc[names.folk["household"].to_numpy()[person]]
    minutes = np.rint(names.drawn.assumed.number("programme.visit_minutes")
                      * np.exp(rng.normal(0, 0.4, len(visits))))
    lag = np.where(home, 0, rng.geometric(0.12, len(visits)))
    day = visits["day"].to_numpy()
    frame = pd.DataFrame(
        {
            "id": names.visit,
            "person_id": names.person.take(person),
            "worker_id": names.worker.take(np.where(home, households["worker"], -1),
                                           allow_fill=True),
            "facility_id": names.facility.take(
                np.where(visits["reason"] == ADMISSION, 0,
                         np.where(home, -1, households["facility"])), allow_fill=True),
            "visited_on": names.date(day),
            "kind": _KINDS[visits["kind"]],
            "outcome": _OUTCOMES[visits["outcome"]],
            "minutes": np.where(home & (visits["outcome"].to_numpy() == 0), minutes, np.nan),
            "known_on": names.date(np.minimum(day + lag, names.drawn.days)),
        }
    )
    return frame[names.exists[person]]


def _observations(names: Names) -> pd.DataFrame:
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
            "known_on": names.date(visits["day"].to_numpy()[visit]),
        }
    )
    return frame[names.exists[person]]


def _outcomes(names: Names) -> pd.DataFrame:
    rng = stream(names.drawn.seed, names.drawn.part, "outcomes")
    events = names.drawn.course.events
    person, day = events["person"].to_numpy(), events["day"].to_numpy()
    lag = rng.geometric(0.12, len(events))
    frame = pd.DataFrame(
        {
            "id": names.ids("E", len(events)),
            "person_id": names.person.take(person),
            "outcome": np.where(events["is_death"], "death", "hospital_admission"),
            "happened_on": names.date(day),
            "is_positive": True,
            # The hospital's list arrives late, yet by the last day it is complete: what the
            # truth says happened can be found in the register.
            "known_on": names.date(np.minimum(day + lag, names.drawn.days)),
        }
    )
    return frame[names.exists[person]]


def _true_people(names: Names) -> pd.DataFrame:
    kept = ["sbp", "dbp", "bmi", "smoking", "diabetes", "hypertension", "adherence", "frailty",
            "whz", "haz"]
    frame = names.folk[kept].assign(person_id=names.person, died_on=names.date(names.died))
    return frame[["person_id", "died_on", *kept]][names.exists].reset_index(drop=True)
