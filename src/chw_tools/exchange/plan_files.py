"""A week's plan as files: tables for a supervisor, GeoJSON for maps, a calendar per worker.

Nobody's name is written unless names are given: files leave the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd

from chw_tools.exchange.plan_map import draw_map
from chw_tools.resource_allocation.clock_times import clock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LINE = 75  # octets of a line of a calendar, RFC 5545, section 3.1
_NOT_ON_A_CALENDAR = "\\;,"


def write_plan_files(
    folder: Path,
    *,
    visits: pd.DataFrame,
    unvisited: pd.DataFrame,
    workers: pd.DataFrame,
    as_of: pd.Timestamp,
    names: Mapping[str, str] | None = None,
    is_simulated: bool = False,
) -> list[str]:
    """Write a week's plan to a folder.

    Parameters
    ----------
    folder : Path
        Made where it does not exist; files of an earlier plan are replaced.
    visits, unvisited : DataFrame
        As :class:`chw_tools.resource_allocation.week.WeekPlan` holds them.
    workers : DataFrame
        As declared; their positions are the starts of the routes.
    as_of : Timestamp
        Day whose knowledge the plan rests on; stamps the calendars.
    names : mapping of str to str, optional
        Names by key of person or worker; keys are written where it is not given.
    is_simulated : bool
        Said on every page that a person reads.

    Returns
    -------
    list of str
        Files written, within the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("calendars", "maps"):
        (folder / part).mkdir(exist_ok=True)
    called = names or {}
    files = {
        "visits.csv": supervisor_csv(visits, names=called),
        "waiting.csv": waiting_csv(unvisited, names=called),
        "routes.geojson": routes_geojson(visits, workers),
        "map.svg": draw_map(visits, workers, names=called, is_simulated=is_simulated),
    }
    for worker, own in visits.groupby("worker_id", sort=True):
        name = called.get(str(worker), str(worker))
        files[f"calendars/{worker}.ics"] = calendar(
            own, name=name, as_of=as_of, names=called, is_simulated=is_simulated
        )
        files[f"maps/{worker}.svg"] = draw_map(
            own, workers, title=f"Routes of {name}", is_simulated=is_simulated
        )
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return list(files)


def supervisor_csv(visits: pd.DataFrame, *, names: Mapping[str, str]) -> str:
    """One line per visit in the order of the days, with clock times."""
    frame = pd.DataFrame(
        {
            "worker": _named(visits["worker_id"], names),
            "day": visits["visit_on"].dt.strftime("%Y-%m-%d"),
            "position": visits["position"],
            "begins": visits["begins_minute"].map(clock),
            "minutes": visits["minutes"].round().astype("int64"),
            "walk_minutes": visits["travel_minutes"].round().astype("int64"),
            "person": _named(visits["person_id"], names),
            "urgency": visits["urgency"],
            "because": visits["because"],
            "reason": visits["reason"],
            "due_on": visits["due_on"].dt.strftime("%Y-%m-%d"),
        }
    )
    return _csv(frame)


def waiting_csv(waiting: pd.DataFrame, *, names: Mapping[str, str]) -> str:
    """One line per person who waits, with the reason; who needs a decision first."""
    person, worker = (_named(waiting[key], names) for key in ("person_id", "worker_id"))
    return _csv(waiting.assign(person=person, worker=worker))


def _csv(frame: pd.DataFrame) -> str:
    # A cell that a spreadsheet would run as a formula is written as text.
    text = frame.select_dtypes(include=["object", "str"]).columns
    safe = frame.copy()
    for name in text:
        column = safe[name].astype("object")
        risky = column.astype(str).str.startswith(("=", "+", "-", "@", "\t"))
        safe[name] = column.where(~risky, "'" + column.astype(str))
    return str(safe.to_csv(index=False, lineterminator="\n"))


def _named(keys: pd.Series, names: Mapping[str, str]) -> pd.Series:
    plain = keys.astype("object")
    return plain.map(dict(names)).astype("object").fillna(plain)


def routes_geojson(visits: pd.DataFrame, workers: pd.DataFrame) -> str:
    """Stops as points and each day's walk as a line (RFC 7946: longitude first)."""
    known = visits[visits["latitude"].notna() & visits["longitude"].notna()]
    starts = workers.set_index("id")[["latitude", "longitude"]]
    features: list[dict[str, Any]] = []
    for (worker, on), day in known.groupby(["worker_id", "visit_on"], sort=True):
        stops = day.drop_duplicates(["latitude", "longitude"])
        line = stops[["longitude", "latitude"]].to_numpy().tolist()
        start = starts.loc[worker] if worker in starts.index else None
        if start is not None and start.notna().all():
            line = [[float(start["longitude"]), float(start["latitude"])], *line]
        told = {"worker_id": worker, "visit_on": f"{on:%Y-%m-%d}"}
        if len(line) > 1:
            minutes = {"walk_minutes": round(float(day["travel_minutes"].sum()), 1)}
            features.append(_feature("LineString", line, told | minutes))
        features.extend(_stop_feature(row, told) for row in day.itertuples())
    return orjson.dumps({"type": "FeatureCollection", "features": features}).decode()


def _stop_feature(row: Any, told: dict[str, str]) -> dict[str, Any]:
    about = {
        "person_id": row.person_id,
        "position": int(row.position),
        "begins": clock(row.begins_minute),
        "urgency": row.urgency,
        "because": row.because,
    }
    return _feature("Point", [float(row.longitude), float(row.latitude)], told | about)


def _feature(kind: str, coordinates: Any, properties: dict[str, Any]) -> dict[str, Any]:
    shape = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": shape, "properties": properties}


def calendar(
    visits: pd.DataFrame,
    *,
    name: str,
    as_of: pd.Timestamp,
    names: Mapping[str, str] | None = None,
    is_simulated: bool = False,
) -> str:
    """One worker's week as a calendar, an event per home, in local time (RFC 5545)."""
    title = f"Visits of {name}" + (" (simulated people)" if is_simulated else "")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//CHW Tools//Plan of a week//EN",
        f"X-WR-CALNAME:{_escaped(title)}",
    ]
    home = visits["household_id"].fillna(visits["person_id"])
    for _, stop in visits.groupby([visits["visit_on"], home], sort=False):
        lines.extend(_event(stop, as_of, names or {}))
    lines.append("END:VCALENDAR")
    return "".join(_folded(line) + "\r\n" for line in lines)


def _event(stop: pd.DataFrame, as_of: pd.Timestamp, names: Mapping[str, str]) -> list[str]:
    first = stop.iloc[0]
    begins = first["visit_on"] + pd.Timedelta(minutes=round(float(first["begins_minute"])))
    ends = begins + pd.Timedelta(minutes=round(float(stop["minutes"].sum())))
    who = ", ".join(_named(stop["person_id"], names))
    lines = [
        "BEGIN:VEVENT",
        f"UID:{first['person_id']}-{first['visit_on']:%Y%m%d}@chw-tools",
        f"DTSTAMP:{as_of:%Y%m%dT%H%M%SZ}",
        f"DTSTART:{begins:%Y%m%dT%H%M%S}",
        f"DTEND:{ends:%Y%m%dT%H%M%S}",
        f"SUMMARY:{_escaped(f'Visit {who}')}",
        f"DESCRIPTION:{_escaped(' / '.join(stop['reason'].astype(str)))}",
    ]
    if pd.notna(first["latitude"]) and pd.notna(first["longitude"]):
        lines.append(f"GEO:{first['latitude']:.5f};{first['longitude']:.5f}")
    return [*lines, "END:VEVENT"]


def _escaped(text: str) -> str:
    for sign in _NOT_ON_A_CALENDAR:
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\r\n", "\\n").replace("\n", "\\n")


def _folded(line: str) -> str:
    """A long line in pieces of at most 75 octets, no letter torn."""
    pieces: list[str] = []
    piece = ""
    for letter in line:
        room = _LINE if not pieces else _LINE - 1
        if len((piece + letter).encode()) > room:
            pieces.append(piece)
            piece = ""
        piece += letter
    return "\r\n ".join([*pieces, piece])
