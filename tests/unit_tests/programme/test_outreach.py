"""Decisions about writing to people: read with every fault, changed by a folder."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import pytest

from chw_tools.programme import load_programme
from chw_tools.programme.outreach import load_outreach, read_outreach
from chw_tools.programme.programme import read_programme
from chw_tools.programme.reading import Problems

if TYPE_CHECKING:
    from pathlib import Path


def test_the_shipped_decisions_are_those_of_the_specification() -> None:
    outreach = load_outreach()
    hours, caps = outreach.quiet_hours, outreach.caps
    assert (hours.opens, hours.closes, hours.closed_weekdays) == (time(9), time(18), {6})
    assert (caps.per_day, caps.per_week, caps.replies_per_day, caps.max_segments) == (1, 3, 3, 2)
    assert outreach.retries.wait_seconds == (60, 300, 1800, 7200, 21600)
    assert outreach.leases.unknown_wait_minutes == 15
    assert set(outreach.channels) == {"sms", "whatsapp", "email"}


def test_every_section_is_a_figure_with_a_source() -> None:
    found = {f.key: f for f in load_programme().figures if f.key.startswith("outreach.")}
    assert "opens 09:00" in found["outreach.quiet_hours"].value
    assert all(figure.source for figure in found.values())


def test_a_folder_changes_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "outreach.toml").write_text(
        '[quiet_hours]\nopens = "08:00"\nholidays = ["12-25"]\nsource = "Ministry, 2026"\n'
        '[time_zones]\n"+1" = "America/New_York"\n"+1684" = "Pacific/Pago_Pago"\n',
        encoding="utf-8",
    )
    problems = Problems()
    outreach = read_outreach(tmp_path, problems)
    assert problems.found == []
    assert outreach.quiet_hours.opens == time(8)
    assert outreach.quiet_hours.closes == time(18)
    assert outreach.quiet_hours.holidays == {"12-25"}
    assert [prefix for prefix, _ in outreach.quiet_hours.zones] == ["+1684", "+1"]
    own = next(s for s in outreach.figures() if s[0] == "quiet_hours")
    assert own[2:] == ("Ministry, 2026", False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[quiet_hours]\nopens = "19:00"\nsource = "x"', "must be later than opens"),
        ('[quiet_hours]\nopens = "nine"\nsource = "x"', "must be a time of day"),
        ('[quiet_hours]\nclosed_weekdays = ["sonntag"]\nsource = "x"', "must be of monday"),
        ('[quiet_hours]\nclosed_weekdays = "sunday"\nsource = "x"', "must be a list of texts"),
        ('[quiet_hours]\ntime_zone = "Nairobi"\nsource = "x"', "is no time zone"),
        ('[time_zones]\n"+1" = "../etc"', "is no time zone"),
        ('[time_zones]\n"250" = "Africa/Kigali"', "toml:2, time_zones.250: must be the beginning"),
        ('[quiet_hours]\nholidays = ["2026-02-30"]', "2026-02-30 is no day"),
        ('[quiet_hours]\nholidays = ["Christmas"]', "Christmas is no day"),
        ('[quiet_hours]\nholidays = ["31-12"]', "31-12 is no day"),
        ('[languages]\nfallback = ["xx"]', "toml:2, languages.fallback: no template has a text"),
        ('[languages]\nfalback = ["en"]', "languages.falback: is not a key"),
        ("[caps]\nper_day = 0\nsource = 'x'", "must be a number from 1"),
        ("[caps]\nper_day = 1.5\nsource = 'x'", "must be a whole number"),
        ("[caps]\nper_month = 1\nsource = 'x'", "is not a key"),
        ("[retries]\nwait_seconds = [0]\nsource = 'x'", "must be a list of seconds"),
        ("[caps]\nper_day = 2", "needs its own `source`"),
        ("[channels.pigeon]\nper_minute = 1", "is not a key"),
        ("caps = 1", "must be a table"),
        ("[channels]\nsms = 1", "must be a table"),
        ("[leases]\nhand_over_seconds = 0\nsource = 'x'", "must be a number from 0.1"),
        ("[nights]\nopens = 1", "is not a key"),
    ],
)
def test_faults_are_told_by_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "outreach.toml").write_text(text, encoding="utf-8")
    _, problems = read_programme(tmp_path)
    assert any(says in one and one.startswith("outreach.toml") for one in problems.found), (
        problems.found
    )
