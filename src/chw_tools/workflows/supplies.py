"""What each worker orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.resource_allocation import assign_households
from chw_tools.resource_allocation.supplies import SuppliesProblem
from chw_tools.resource_allocation.supplies import plan_supplies as supplies_of
from chw_tools.workflows.needs import living_people
from chw_tools.workflows.rows import frame_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chw_tools.programme import Programme
    from chw_tools.resource_allocation.supplies import SuppliesPlan
    from chw_tools.workflows.needs import Needs
    from chw_tools.workflows.ports import LongerPlans

_DAYS = 365.0


@dataclass(frozen=True)
class PlannedSupplies:
    """What to order.

    Parameters
    ----------
    needs : Needs
        What it rests on.
    plan : SuppliesPlan
        Orders, batches, and what is short.
    notes : tuple of str
        What a reader must know.
    """

    needs: Needs
    plan: SuppliesPlan
    notes: tuple[str, ...]


def plan_supplies(
    needs: Needs,
    *,
    stock: pd.DataFrame,
    programme: Programme,
    depots: Sequence[str] = (),
    caseloads: pd.Series | None = None,
) -> PlannedSupplies:
    """Orders of every worker, from the visits that the hours allow and the stock counted.

    Parameters
    ----------
    needs : Needs
        What :func:`plan_needs` gives.
    stock : DataFrame
        As declared in ``STOCK``; ``place_id`` is a worker's key or a depot's.
    depots : sequence of str
        Places that send.
    caseloads : Series, optional
        Worker planned for each home.
    """
    register = needs.assessment.register
    worker = assign_households(
        living_people(needs.assessment),
        register.households,
        register.areas,
        needs.workers,
        caseloads=caseloads,
    )
    share = min(1.0, 1.0 / needs.check.ratio) if needs.check.ratio > 0 else 1.0
    rows = []
    for name, service in programme.scope.services.items():
        is_for = needs.work.is_for[name]
        n = worker.reindex(is_for.index[is_for]).value_counts().sort_index()
        rows.append(
            pd.DataFrame(
                {
                    "place_id": n.index.astype("str"),
                    "service": name,
                    "visits_per_day": n.to_numpy() * service.visits_per_year / _DAYS * share,
                }
            )
        )
    visits = pd.concat(rows, ignore_index=True)
    problem = SuppliesProblem(visits, stock, tuple(depots), needs.as_of)
    plan = supplies_of(problem, scope=programme.scope)
    notes = [*needs.basis, *plan.notes]
    if share < 1:
        notes.append(f"The scope does not fit: {share:.0%} of its visits are planned for.")
    return PlannedSupplies(needs, plan, tuple(notes))


def keep_supplies(store: LongerPlans, planned: PlannedSupplies) -> str:
    """Keep orders as a new run; gives its key."""
    plan = planned.plan
    with store.transaction():
        return store.save_run(
            "supplies",
            tables={"supply_orders": plan.orders},
            as_of=planned.needs.as_of.date(),
            summary={
                "fill": plan.fill,
                "bound": plan.bound,
                "left_out": frame_rows(plan.left_out),
                "notes": list(planned.notes),
            },
        )
