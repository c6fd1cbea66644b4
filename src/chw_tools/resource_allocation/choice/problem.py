"""Who could be visited this week, what must be kept, and the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chw_tools.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = ("worker_id", "value", "minutes")
#: Groups that a floor of a register's week may name.
GROUPS = ("area_id", "wealth_fifth", "sex")
REQUIRED, OWED, FLOOR, BENEFIT, EXPLORED = "required", "owed", "floor", "benefit", "explored"


@dataclass(frozen=True)
class Floor:
    """At least so many visits this week to those whose ``group`` is ``name``.

    ``group`` is a column of the people table, such as ``village`` or ``wealth_fifth``.
    """

    group: str
    name: str
    visits: int

    @property
    def label(self) -> str:
        """The floor in a few words."""
        return f"{self.group} {self.name}: at least {self.visits}"


@dataclass(frozen=True)
class ChoiceProblem:
    """Who could be visited this week, and the minutes there are.

    Parameters
    ----------
    people : DataFrame
        Indexed by key, one row per person or home: ``worker_id``, ``value`` (missing counts
        as the average), ``minutes`` (with the walk there); optional ``is_required``,
        ``weeks_unseen``, ``risk``, and the columns that floors name.
    minutes : Series
        Minutes this week by ``worker_id``; a worker not named has none.
    floors : tuple of Floor
        Fewest visits by group.
    most_weeks_unseen : float, optional
        Whoever was not seen for so long is owed a visit.
    risk_floor : float, optional
        Absolute risk from which nobody is left out without being named.
    explore_share : float
        Share of each worker's minutes given to people drawn by chance, so that effects can
        be learnt. It asks for ethics approval, which ``explore_approved`` declares.

    Raises
    ------
    ValueError
        If a column is missing, a share is out of range, or chance is used unapproved.
    """

    people: pd.DataFrame
    minutes: pd.Series
    floors: tuple[Floor, ...] = ()
    most_weeks_unseen: float | None = None
    risk_floor: float | None = None
    explore_share: float = 0.0
    explore_approved: bool = False

    def __post_init__(self) -> None:
        named = {*_NEEDED, *(floor.group for floor in self.floors)}
        missing = sorted(named - set(self.people.columns))
        if missing:
            raise ValueError(f"the people lack {missing}")
        if not 0.0 <= self.explore_share <= 0.2:
            raise ValueError("the share given to chance must lie between 0 and 0.2")
        if self.explore_share and not self.explore_approved:
            raise ValueError("visits drawn by chance need ethics approval (explore_approved)")


@dataclass(frozen=True)
class Choice:
    """Whom to visit this week.

    Parameters
    ----------
    chosen : DataFrame
        By key: ``worker_id``, ``value``, ``minutes``, ``because`` (required, owed, floor,
        benefit, explored).
    left_out : DataFrame
        By key: ``worker_id``, ``value``, ``reason``, ``is_above_risk_floor``,
        ``is_displaced`` (would have been chosen were there no required, owed or floor).
    value, bound, gap : float
        Value of what is chosen, what no choice that keeps the same duties can exceed, and
        the share between.
    is_feasible : bool
    why_not : tuple of str
        Which duty could not be kept, and by how much.
    seconds : float
    notes : tuple of str
    """

    chosen: pd.DataFrame
    left_out: pd.DataFrame
    value: float
    bound: float
    gap: float
    is_feasible: bool
    why_not: tuple[str, ...]
    seconds: float
    notes: tuple[str, ...] = field(default=())


def read_floor(text: str) -> Floor:
    """A floor as it is written: ``GROUP:NAME:N``.

    >>> read_floor("wealth_fifth:1:20")
    Floor(group='wealth_fifth', name='1', visits=20)

    Raises
    ------
    InputError
        If it is none.
    """
    parts = text.split(":")
    if len(parts) != 3 or parts[0] not in GROUPS or not parts[2].isdigit():
        raise InputError(
            "a floor is GROUP:NAME:N.",
            where="floor",
            cure=f"For example wealth_fifth:1:20; groups are {', '.join(GROUPS)}.",
        )
    return Floor(parts[0], parts[1], int(parts[2]))
