"""From what was drawn to declared tables, and from these to a trusted register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.records import TABLES, Register, derived_ids
from chw_tools.testing import care, people_tables, place_tables
from chw_tools.testing.life import AWAY, REFUSED
from chw_tools.testing.names import Names
from chw_tools.testing.population import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chw_tools.records import Source
    from chw_tools.testing.names import Drawn


def render_tables(drawn: Drawn, *, n_people: int) -> dict[str, pd.DataFrame]:
    """Every declared table of the part, rows sound and identifiers those of the register."""
    names = Names(drawn)
    tables = {
        "areas": place_tables.render_areas(names, n_people),
        "facilities": place_tables.render_facilities(names),
        "workers": place_tables.render_workers(names),
        "households": place_tables.render_households(names),
        "people": people_tables.render_people(names),
        "person_changes": people_tables.render_changes(names),
        "visits": people_tables.render_visits(names),
        "observations": people_tables.render_observations(names),
        "outcomes": people_tables.render_outcomes(names),
    }
    tables.update(care.draw_care(names))
    return {name: _finished(name, tables[name]) for name in TABLES}


def render_truth(drawn: Drawn) -> dict[str, pd.DataFrame]:
    """What truly was: risks by index day, and people's true state."""
    names = Names(drawn)
    risks = drawn.course.risks
    risks = risks[names.registered[risks["person"]]]
    happened = risks["day"].notna()
    return {
        "risks": pd.DataFrame(
            {
                "person_id": names.person.take(risks["person"]),
                "as_of": names.date(risks["index_day"]),
                "horizon_days": risks["horizon_days"].to_numpy(),
                "probability": risks["probability"].to_numpy(),
                "probability_unvisited": risks["probability_unvisited"].to_numpy(),
                "visit_effect": risks["visit_effect"].to_numpy(),
                "admitted_before": risks["admitted_before"].to_numpy(),
                "pregnant": risks["pregnant"].to_numpy(),
                "happened": happened.to_numpy(),
                "happened_on": names.date(risks["day"].fillna(NEVER).astype(np.int64)),
                "died": risks["is_death"].eq(True).to_numpy(),
            }
        ),
        "people": _true_people(names),
        "visits": _true_visits(names),
        "pregnancies": _true_pregnancies(names),
    }


def _true_visits(names: Names) -> pd.DataFrame:
    """The probability that each planned home visit is missed."""
    visits = names.drawn.course.visits
    person = visits["person"].to_numpy()
    kept = np.flatnonzero(visits["missing"].notna() & names.registered[person])
    mine = visits.iloc[kept]
    return pd.DataFrame(
        {
            "id": names.visit.take(kept),
            "person_id": names.person.take(mine["person"]),
            "planned_on": names.date(mine["day"]),
            "probability": mine["missing"].to_numpy(),
            "happened": mine["outcome"].isin([AWAY, REFUSED]).to_numpy(),
        }
    )


def _true_pregnancies(names: Names) -> pd.DataFrame:
    """The probability that each birth comes before 37 completed weeks."""
    begun = names.drawn.pregnancies
    begun = begun[(begun["outcome"] < 2) & names.registered[begun["person"]]]
    days = (begun["ends"] - begun["last_period"]).to_numpy()
    return pd.DataFrame(
        {
            "person_id": names.person.take(begun["person"]),
            "last_period_on": names.date(begun["last_period"]),
            "probability": begun["preterm"].to_numpy(),
            "happened": days < 37 * 7,
        }
    )


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


def _true_people(names: Names) -> pd.DataFrame:
    kept = [
        "sbp",
        "dbp",
        "bmi",
        "smoking",
        "diabetes",
        "hypertension",
        "adherence",
        "frailty",
        "whz",
        "haz",
    ]
    frame = names.folk[kept].assign(person_id=names.person, died_on=names.date(names.died))
    return frame[["person_id", "died_on", *kept]][names.registered].reset_index(drop=True)
