"""A plan's files: readable by others, without a name unless asked, nothing torn."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring as read_xml

import numpy as np
import pandas as pd
import pytest

from chw_tools.exchange.plan_files import calendar, clock, supervisor_csv, write_plan_files
from chw_tools.exchange.plan_map import draw_map

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = pd.Timestamp("2026-01-04")
WORKERS = pd.DataFrame(
    {"id": ["w1", "w2"], "latitude": [-1.0, np.nan], "longitude": [36.0, np.nan]}
)


def visits() -> pd.DataFrame:
    n = 4
    return pd.DataFrame(
        {
            "person_id": ["p1", "p2", "p3", "p4"],
            "household_id": ["h1", "h1", None, "h4"],
            "worker_id": ["w1", "w1", "w1", "w2"],
            "visit_on": pd.to_datetime(["2026-01-05", "2026-01-05", "2026-01-06", "2026-01-05"]),
            "position": [1, 2, 1, 1],
            "begins_minute": [490.4, 524.4, 500.0, 480.0],
            "urgency": ["same_day", "routine", "routine", "within_days"],
            "is_must": [True, False, False, False],
            "because": ["required", "together", "benefit", "benefit"],
            "reason": ["Fever; cough, 3 days\nagain", "=1+1", "é" * 90, "Due."],
            "due_on": pd.to_datetime(["2026-01-05"] * n),
            "benefit": [0.1] * n,
            "minutes": [34.0, 10.0, 34.0, 34.0],
            "travel_minutes": [10.4, 0.0, 20.0, 8.0],
            "latitude": [-1.01, -1.01, -1.02, np.nan],
            "longitude": [36.01, 36.01, 36.0, np.nan],
        }
    )


def unvisited() -> pd.DataFrame:
    return pd.DataFrame({"person_id": ["p9"], "worker_id": ["w1"], "reason": ["-5 no minutes"]})


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def test_all_files_are_written_and_read_back(tmp_path: Path) -> None:
    files = write_plan_files(
        tmp_path, visits=visits(), unvisited=unvisited(), workers=WORKERS, as_of=AS_OF
    )

    assert sorted(files) == sorted(
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
    )
    assert {"visits.csv", "map.svg", "calendars/w2.ics", "maps/w1.svg"} <= set(files)
    shapes = json.loads((tmp_path / "routes.geojson").read_text())["features"]
    lines = [f for f in shapes if f["geometry"]["type"] == "LineString"]
    points = [f for f in shapes if f["geometry"]["type"] == "Point"]
    # Who has no position is not on the map; longitude comes first.
    assert len(points) == 3
    assert lines[0]["geometry"]["coordinates"] == [[36.0, -1.0], [36.01, -1.01]]
    assert lines[0]["properties"]["walk_minutes"] == 10.4
    waiting = pd.read_csv(tmp_path / "waiting.csv")
    assert waiting["reason"].tolist() == ["'-5 no minutes"]


def test_a_table_for_a_supervisor_runs_no_formula_and_holds_no_name_unasked() -> None:
    plain = pd.read_csv(io.StringIO(supervisor_csv(visits(), names={})))
    named = supervisor_csv(visits(), names={"p1": "Ada Example", "w1": "Worker One"})

    assert plain["person"].tolist() == ["p1", "p2", "p3", "p4"]
    assert plain["reason"].tolist()[1] == "'=1+1"
    assert plain["begins"].tolist() == ["08:10", "08:44", "08:20", "08:00"]
    assert "Ada Example" in named
    assert "Ada Example" not in supervisor_csv(visits(), names={})


def test_a_calendar_has_an_event_per_home_in_short_lines() -> None:
    own = visits()[visits()["worker_id"] == "w1"]
    text = calendar(own, name="Worker; One", as_of=AS_OF, is_simulated=True)
    lines = unfolded(text)

    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == 2
    assert "X-WR-CALNAME:Visits of Worker\\; One (simulated people)" in lines
    assert "DTSTART:20260105T081000" in lines
    assert "DTEND:20260105T085400" in lines
    assert "SUMMARY:Visit p1\\, p2" in lines
    assert "DESCRIPTION:Fever\\; cough\\, 3 days\\nagain / =1+1" in lines
    assert "DESCRIPTION:" + "é" * 90 in lines
    assert "GEO:-1.01000;36.01000" in lines
    assert not any(
        line.startswith("GEO")
        for line in unfolded(
            calendar(visits()[visits()["worker_id"] == "w2"], name="w2", as_of=AS_OF)
        )
    )


@pytest.mark.parametrize("n", [0, 1, 4])
def test_a_map_is_well_formed_and_says_what_it_leaves_out(n: int) -> None:
    drawn = draw_map(visits().tail(n) if n else visits().iloc[:0], WORKERS, is_simulated=True)
    root = read_xml(drawn)  # noqa: S314  (our own text)
    text = " ".join(root.itertext())

    assert "simulated people" in text
    assert ("1 without position" in text) == bool(n)
    assert "NaN" not in drawn
    assert "nan" not in drawn


def test_a_map_keeps_north_up_and_names_safe() -> None:
    drawn = draw_map(visits(), WORKERS, title="Routes of <A & B>")
    marks = [m for m in read_xml(drawn).iter() if m.tag.endswith("circle")]  # noqa: S314
    circles = [mark for mark in marks if mark.get("r") == "3.4"]
    south = [float(c.get("cy") or 0) for c in circles]

    assert "&lt;A &amp; B&gt;" in drawn
    assert max(south) == float(circles[-1].get("cy") or 0)


def test_a_clock_goes_round_at_midnight() -> None:
    assert [clock(m) for m in (0, 719.6, 1440)] == ["00:00", "12:00", "00:00"]
