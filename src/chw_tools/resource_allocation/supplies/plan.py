"""The order list of every place, and who gets what when there is too little."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.records import conform
from chw_tools.records.planning import SUPPLY_ORDERS
from chw_tools.resource_allocation.supplies.forecast import forecast_use
from chw_tools.resource_allocation.supplies.sharing import share_scarce
from chw_tools.resource_allocation.supplies.stock import usable_stock

if TYPE_CHECKING:
    from chw_tools.programme.scope import Scope


@dataclass(frozen=True)
class SuppliesProblem:
    """Who will use what, and what is where.

    Parameters
    ----------
    visits : DataFrame
        ``place_id``, ``service``, ``visits_per_day``.
    stock : DataFrame
        As declared in ``STOCK``; places that plan visits, and depots.
    depots : tuple of str
        Places that send to all others; without any, what is ordered is taken to come.
    as_of : Timestamp
        Day of the count.
    weight : Series, optional
        Urgency by ``place_id`` when stock is scarce; 1 where none is given.
    """

    visits: pd.DataFrame
    stock: pd.DataFrame
    depots: tuple[str, ...]
    as_of: pd.Timestamp
    weight: pd.Series | None = None


@dataclass(frozen=True)
class SuppliesPlan:
    """What each place needs, has, orders and is sent.

    Parameters
    ----------
    orders : DataFrame
        As declared in ``SUPPLY_ORDERS``.
    batches : DataFrame
        Each batch in the order in which to give it out; ``usable`` and ``lost`` units.
    fill, bound : float
        The smallest share of an order that is met, and what it could be at most with packs
        that can be divided; 1 where nothing is short.
    left_out : DataFrame
        ``place_id``, ``item``, ``reason``: what cannot be planned, or is not met in full.
    seconds : float
        Time it took.
    notes : tuple of str
        What a reader must know.
    """

    orders: pd.DataFrame
    batches: pd.DataFrame
    fill: float
    bound: float
    left_out: pd.DataFrame
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())


def plan_supplies(problem: SuppliesProblem, *, scope: Scope) -> SuppliesPlan:
    """Orders up to the stock that lasts, in packs; what depots have is shared where scarce."""
    began = time.monotonic()
    use = forecast_use(problem.visits, scope=scope)
    known = problem.stock["item"].isin(list(scope.items))
    strange = problem.stock[~known]
    batches = usable_stock(problem.stock[known], use, as_of=problem.as_of)
    at_depot = batches["place_id"].isin(problem.depots)
    expired = (batches["expires_on"] <= problem.as_of).fillna(False)
    # A depot has no visits of its own: all that has not expired can be sent.
    batches["usable"] = batches["usable"].mask(at_depot, batches["quantity"].where(~expired, 0.0))
    batches["lost"] = batches["quantity"] - batches["usable"]
    orders = _orders(use, batches, scope)
    orders, fill, bound = _shared(orders, batches[at_depot], problem)
    left_out = pd.concat([_not_met(orders), _not_known(strange)], ignore_index=True)
    n_lost = int(batches["lost"].sum())
    notes = (f"{n_lost:,} units will expire before they can be used.",) if n_lost else ()
    return SuppliesPlan(
        conform(SUPPLY_ORDERS, orders),
        batches,
        fill,
        bound,
        left_out,
        time.monotonic() - began,
        notes,
    )


def _orders(use: pd.DataFrame, batches: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    have = batches.groupby(["place_id", "item"])["usable"].sum()
    keys = pd.MultiIndex.from_frame(use[["place_id", "item"]])
    usable = have.reindex(keys).fillna(0.0).to_numpy()
    pack = np.array([scope.items[name].pack for name in use["item"]], dtype=np.float64)
    lacks = np.maximum(use["level"].to_numpy() - usable, 0.0)
    packs = np.ceil(lacks / pack - 1e-9)
    return use.assign(usable=usable, pack=pack, packs=packs, packs_sent=packs, fill=1.0)


def _shared(
    orders: pd.DataFrame, at_depots: pd.DataFrame, problem: SuppliesProblem
) -> tuple[pd.DataFrame, float, float]:
    """What depots can send of each item."""
    if not problem.depots:
        return orders, 1.0, 1.0
    orders = orders.copy()
    weight = problem.weight if problem.weight is not None else pd.Series(dtype="float64")
    worst, bound = 1.0, 1.0
    for item, rows in orders.groupby("item"):
        stock = at_depots[at_depots["item"] == item].groupby("place_id")["usable"].sum()
        pack = float(rows["pack"].iloc[0])
        there = np.floor(stock.reindex(list(problem.depots)).fillna(0.0).to_numpy() / pack)
        urgency = weight.reindex(rows["place_id"]).fillna(1.0).to_numpy(dtype=np.float64)
        need = rows["packs"].to_numpy(dtype=np.float64)
        reaches = np.ones((len(there), len(need)), dtype=bool)
        shared = share_scarce(need, there, reaches=reaches, weight=urgency)
        orders.loc[rows.index, "packs_sent"] = shared.sent.sum(axis=0).astype(np.float64)
        orders.loc[rows.index, "fill"] = shared.fill
        worst = min(worst, float(shared.fill.min(initial=1.0)))
        bound = min(bound, shared.best_worst)
    return orders, worst, bound


def _not_met(orders: pd.DataFrame) -> pd.DataFrame:
    short = orders[orders["packs_sent"] < orders["packs"]]
    n = (short["packs"] - short["packs_sent"]).astype(int).astype(str)
    return pd.DataFrame(
        {
            "place_id": short["place_id"],
            "item": short["item"],
            "reason": n + " of " + short["packs"].astype(int).astype(str) + " packs are short.",
        }
    )


def _not_known(strange: pd.DataFrame) -> pd.DataFrame:
    reason = "The programme names no such item."
    return strange[["place_id", "item"]].assign(reason=reason).drop_duplicates()
