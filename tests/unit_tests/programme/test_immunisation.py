"""Vaccination schedules as data: lengths of time, faults, and a country's own file."""

from __future__ import annotations

from datetime import date

import pytest

from chw_tools.errors import ProgrammeFault
from chw_tools.programme.immunisation import Period, load_schedule


@pytest.mark.parametrize(
    ("text", "day", "expected"),
    [
        ("6 weeks - 4 days", date(2024, 1, 1), date(2024, 2, 8)),
        ("15 months + 4 weeks", date(2023, 11, 30), date(2025, 3, 29)),
        ("1 month", date(2024, 1, 31), date(2024, 3, 1)),  # too short a month: first of the next
        ("1 year", date(2024, 2, 29), date(2025, 3, 1)),
        ("11 Years", date(2000, 5, 1), date(2011, 5, 1)),
        ("0 days", date(2024, 5, 5), date(2024, 5, 5)),
    ],
)
def test_a_length_of_time_is_of_the_calendar(text, day, expected):
    assert Period.of(text).after(day) == expected


@pytest.mark.parametrize("text", ["", "six weeks", "6", "6 weeks or so"])
def test_what_is_no_length_of_time_is_refused(text):
    with pytest.raises(ValueError, match="length of time"):
        Period.of(text)


def test_every_shipped_series_names_the_row_that_was_read():
    for series in load_schedule().series:
        assert series.verified
        assert "IMMZ.D" in series.source
        assert series.label
        assert series.doses


def test_a_country_replaces_the_whole_schedule(tmp_path):
    (tmp_path / "immunisation.toml").write_text(
        '[vaccines]\nBCG = ["19"]\n[series.bcg]\nantigen = "BCG"\nlabel = "BCG"\n'
        'source = "National schedule 2025"\ndoses = [{ best_age = "1 day" }]\n',
        encoding="utf-8",
    )
    schedule = load_schedule(tmp_path)
    assert schedule.names() == ("BCG",)
    assert not schedule.series[0].verified


def test_all_faults_are_told_at_once(tmp_path):
    (tmp_path / "immunisation.toml").write_text(
        '[series.x]\nantigen = "X"\nlabel = "x"\nsource = ""\n'
        'doses = [{ best_age = "soon" }, { bestage = "1 day" }]\n',
        encoding="utf-8",
    )
    with pytest.raises(ProgrammeFault) as caught:
        load_schedule(tmp_path)
    told = str(caught.value)
    for part in ("without a source", "no vaccine holds it", "length of time", "bestage"):
        assert part in told
