"""Files that a programme brings: read as meant, or refused with the line."""

from __future__ import annotations

import pandas as pd
import pytest

from chw_tools.errors import FileFault
from chw_tools.exchange.value_files import read_forecast, read_positions, read_states
from chw_tools.programme import load_programme
from chw_tools.workflows.pace import measure_pace

STATES = "person_id,week_on,is_good,is_visited\n"
STOPS = "worker_id,arrived_at,left_at,latitude,longitude\n"


def write(tmp_path, text):
    path = tmp_path / "file.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_states_are_read_by_week(tmp_path):
    text = STATES + "a,2026-01-05,1,0\na,2026-01-14,no,yes\na,2026-01-21,,1\n"
    read = read_states(write(tmp_path, text))

    assert read["week"].diff().dropna().tolist() == [1, 1]
    assert read["is_good"].tolist() == [True, False, pd.NA]
    assert read["is_visited"].tolist() == [False, True, True]
    assert set(read["stratum"]) == {"all"}


def test_a_stratum_of_one_s_own(tmp_path):
    text = STATES.strip() + ",stratum\na,2026-01-05,1,0,old\nb,2026-01-05,1,0,\n"

    assert read_states(write(tmp_path, text))["stratum"].tolist() == ["old", "all"]


@pytest.mark.parametrize(
    ("reader", "text", "said"),
    [
        (read_states, STATES + "a,yesterday,1,0\n", "line 2"),
        (read_states, STATES + "a,2026-01-05,perhaps,0\n", "is_good must be"),
        (read_states, "person_id,is_good\n", "no column week_on, is_visited"),
        (read_states, "", "cannot be read"),
        (read_forecast, "person_id,value\na,-1\n", "none is negative"),
        (read_forecast, "person_id,value\na,1\na,2\n", "one value for each"),
        (read_forecast, "person_id,value\na,much\n", "value must be a number"),
        (read_positions, STOPS + "w,9 o'clock,10,1,1\n", "arrived_at must be"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, reader, text, said):
    with pytest.raises(FileFault) as refused:
        reader(write(tmp_path, text))
    assert said in str(refused.value)


def test_a_forecast_is_by_person(tmp_path):
    assert read_forecast(write(tmp_path, "person_id,value\na,0.5\n")).to_dict() == {"a": 0.5}


@pytest.mark.parametrize(("n", "is_enough"), [(60, True), (5, False)])
def test_the_pace_is_measured_from_stops_where_they_are_enough(tmp_path, n, is_enough):
    rows, at = [], pd.Timestamp("2026-01-05T06:00:00Z")
    for stop in range(n + 1):
        left = at + pd.Timedelta(minutes=5)
        rows.append(f"w,{at.isoformat()},{left.isoformat()},{stop * 0.001:.4f},36.0")
        at = left + pd.Timedelta(minutes=2.5)
    programme = load_programme()
    found = measure_pace(read_positions(write(tmp_path, STOPS + "\n".join(rows))), programme)

    assert found.pace.is_enough is is_enough
    speed = found.programme.planning.walking_km_per_h
    if is_enough:
        # 0.001 degrees are 0.1112 km straight, in 2.5 minutes.
        straight = 0.1112 / 2.5 * 60
        assert speed == pytest.approx(straight * programme.planning.detour, rel=0.01)
        assert "60 walks" in found.said
    else:
        assert speed == programme.planning.walking_km_per_h
        assert "30 are needed" in found.said
