"""What a year's work of the programme takes, and whether it fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chw_tools.records import conform
from chw_tools.records.planning import COMMUNITY_NEEDS
from chw_tools.resource_allocation import assumed_workers, at_work
from chw_tools.resource_allocation.assignment import places_of
from chw_tools.resource_allocation.workload import check_reality, workload
from chw_tools.workflows.assess import PRIORITY_OUTCOME, assess, day_of, usable_model

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from chw_tools.programme import Programme
    from chw_tools.resource_allocation.workload import RealityCheck, Workload
    from chw_tools.workflows.assess import Assessment
    from chw_tools.workflows.ports import ModelStore, RegisterStore


@dataclass(frozen=True)
class Needs:
    """What a year's work takes, and whether it fits.

    Parameters
    ----------
    as_of : Timestamp
        Day whose knowledge it rests on.
    work : Workload
        By service, community and person.
    check : RealityCheck
        Against the workers at work.
    communities : DataFrame
        As declared in ``COMMUNITY_NEEDS``.
    names : Series
        Name of each area, by key.
    workers : DataFrame
        Those at work.
    assessment : Assessment
        What it rests on.
    basis : tuple of str
        What a reader must know of the model and the workers.
    """

    as_of: pd.Timestamp
    work: Workload
    check: RealityCheck
    communities: pd.DataFrame
    names: pd.Series
    workers: pd.DataFrame
    assessment: Assessment
    basis: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the hours must know."""
        return (*self.basis, *self.check.notes)


def plan_needs(
    *,
    store: RegisterStore,
    models: ModelStore,
    programme: Programme,
    as_of: date | None = None,
) -> Needs:
    """Hours that the scope asks for, by service and community, against the hours there are.

    Raises
    ------
    NothingToRead
        If nothing was ever recorded and no day is given.
    """
    on = day_of(store, as_of)
    using = usable_model(models, store, PRIORITY_OUTCOME)
    found = assess(store.load_register(), programme=programme, as_of=on, using=using)
    return needs_of(found, programme=programme)


def needs_of(found: Assessment, *, programme: Programme) -> Needs:
    """The same from an assessment."""
    on, register = found.as_of, found.register
    people = living_people(found)
    workers, notes = _workers(register.workers, people, programme, on)
    work = workload(
        found.features.frame,
        _bands(found),
        places_of(people, register.households, register.areas),
        register.areas,
        programme=programme,
        workers=workers,
    )
    check = check_reality(work, workers, programme=programme)
    return Needs(
        as_of=on,
        work=work,
        check=check,
        communities=conform(COMMUNITY_NEEDS, work.communities),
        names=register.areas.set_index("id")["name"],
        workers=workers,
        assessment=found,
        basis=(*found.notes, *notes),
    )


def living_people(found: Assessment) -> pd.DataFrame:
    """Those of the register who live in the programme."""
    people = found.register.people
    return people[people["id"].isin(found.features.frame.index)]


def _bands(found: Assessment) -> pd.Series:
    risks = found.risks
    rows = risks[(risks["outcome"] == found.priority_outcome) & (risks["state"] == "estimated")]
    return rows.drop_duplicates("person_id").set_index("person_id")["band"]


def _workers(
    workers: pd.DataFrame, people: pd.DataFrame, programme: Programme, on: pd.Timestamp
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if len(workers):
        return at_work(workers, on), ()
    assumed = assumed_workers(people, programme=programme, as_of=on)
    return assumed, (f"The data name no worker; {len(assumed)} are assumed.",)
