"""The simulated programme, part by part: from chance to declared tables.

A *part* is a sub-district of up to 20,000 people. Each is drawn from its own streams, so
that one can be made without the others and a million people never lie in memory at once.

>>> len(simulate_programme(people=50, seed=1).register.people) >= 50
True
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.records import Register, Source
from chw_tools.testing.assumptions import Assumptions, load_assumptions
from chw_tools.testing.course import run_course
from chw_tools.testing.findings import draw_findings
from chw_tools.testing.health import draw_health
from chw_tools.testing.names import Drawn
from chw_tools.testing.places import draw_places
from chw_tools.testing.population import draw_infants, draw_people
from chw_tools.testing.pregnancies import draw_pregnancies
from chw_tools.testing.rendering import render_tables, render_truth, trusted_register

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: What the register calls this source; keys are derived from it.
SOURCE = Source("simulated-programme")
DEFAULT_LAST_DAY = date(2025, 12, 31)


@dataclass(frozen=True)
class Simulated:
    """A simulated programme.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Declared tables with the register's own identifiers, as files would hold them.
    truth : mapping of str to DataFrame
        What the register must never hold: true risks, true health, the effect of a visit.
    seed : int
        What it was drawn from.
    """

    tables: Mapping[str, pd.DataFrame]
    truth: Mapping[str, pd.DataFrame]
    seed: int

    @cached_property
    def register(self) -> Register:
        """The register that ingesting the clean tables gives."""
        return trusted_register(self.tables, SOURCE)


def simulate_programme(*, people: int, seed: int, ends_on: date = DEFAULT_LAST_DAY) -> Simulated:
    """A programme of about three years, clean, in memory.

    Parameters
    ----------
    people : int
        People living there at the start; births come on top.
    seed : int
        The same seed gives the same programme, byte for byte.
    ends_on : date
        Last simulated day; also the end of the last window of the truth.
    """
    parts = list(simulate_parts(people=people, seed=seed, ends_on=ends_on))
    return Simulated(
        {name: _joined([part.tables[name] for part in parts]) for name in parts[0].tables},
        {name: _joined([part.truth[name] for part in parts]) for name in parts[0].truth},
        seed,
    )


def simulate_parts(
    *, people: int, seed: int, ends_on: date = DEFAULT_LAST_DAY
) -> Iterator[Simulated]:
    """The same, one part at a time, in order."""
    size = int(load_assumptions().number("programme.part_people"))
    for part in range(max(1, -(-people // size))):
        yield simulate_part(part, people=people, seed=seed, ends_on=ends_on)


def simulate_part(
    part: int, *, people: int, seed: int, ends_on: date = DEFAULT_LAST_DAY
) -> Simulated:
    """One part of the programme of so many people, alone."""
    assumed = load_assumptions()
    size = int(assumed.number("programme.part_people"))
    drawn = _draw(min(size, people - part * size), part, seed, ends_on, assumed)
    return Simulated(render_tables(drawn, n_people=people), render_truth(drawn), seed)


def _draw(n: int, part: int, seed: int, ends_on: date, assumed: Assumptions) -> Drawn:
    days = int(assumed.number("programme.window_days") * assumed.number("programme.windows"))
    places = draw_places(n, part=part, seed=seed, assumed=assumed)
    homes = places.households
    folk = draw_people(n, homes, part=part, seed=seed, assumed=assumed)
    folk = draw_health(folk, part=part, seed=seed, assumed=assumed, subject="health")
    begun = draw_pregnancies(folk, homes, last_day=days, part=part, seed=seed, assumed=assumed)
    births = begun[(begun["outcome"] == 0) & begun["ends"].between(1, days)]
    infants = draw_infants(
        births["person"].to_numpy(),
        births["ends"].to_numpy(),
        folk,
        homes,
        part=part,
        seed=seed,
        assumed=assumed,
    )
    infants = draw_health(infants, part=part, seed=seed, assumed=assumed, subject="infant health")
    folk = pd.concat([folk, infants], ignore_index=True)
    first_day = np.datetime64(ends_on, "s") - np.timedelta64(days, "D")
    course = run_course(
        folk, begun, homes, first_day=first_day, part=part, seed=seed, assumed=assumed
    )
    findings = draw_findings(course.visits, folk, part=part, seed=seed, assumed=assumed)
    return Drawn(part, seed, first_day, days, assumed, places, folk, begun, course, findings)


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
