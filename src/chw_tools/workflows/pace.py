"""How fast workers walk here, from stops recorded with positions and times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chw_tools.resource_allocation.travel import ENOUGH_LEGS, fit_pace, legs_from_positions

if TYPE_CHECKING:
    import pandas as pd

    from chw_tools.programme import Programme
    from chw_tools.resource_allocation.travel import Pace


@dataclass(frozen=True)
class MeasuredPace:
    """A pace, the programme with it, and a sentence that says both.

    Parameters
    ----------
    pace : Pace
    programme : Programme
        With the walking speed that was measured; unchanged while walks are too few.
    said : str
    """

    pace: Pace
    programme: Programme
    said: str


def measure_pace(positions: pd.DataFrame, programme: Programme) -> MeasuredPace:
    """The pace of walking from recorded stops, as a programme takes it.

    Parameters
    ----------
    positions : DataFrame
        ``worker_id``, ``arrived_at``, ``left_at``, ``latitude``, ``longitude``, a row a stop.
    programme : Programme
        Its detour stays; its speed is what changes.
    """
    pace = fit_pace(legs_from_positions(positions))
    planning = pace.applied(programme.planning)
    if not pace.is_enough:
        said = (
            f"{pace.n_legs} walks were recorded, {ENOUGH_LEGS} are needed; the speed stays "
            f"{programme.planning.walking_km_per_h:g} km/h."
        )
    else:
        said = (
            f"A straight kilometre takes {pace.minutes_per_km:.1f} minutes here "
            f"({pace.low:.1f} to {pace.high:.1f}, {pace.n_legs:,} walks): "
            f"{planning.walking_km_per_h:.2f} km/h on the path, in place of "
            f"{programme.planning.walking_km_per_h:g}."
        )
    return MeasuredPace(pace, replace(programme, planning=planning), said)
