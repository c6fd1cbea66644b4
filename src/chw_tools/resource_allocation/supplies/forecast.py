"""What planned visits will use up, with its uncertainty, and the stock that lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.programme.scope import Scope

    Numbers = NDArray[np.float64]


def forecast_use(visits: pd.DataFrame, *, scope: Scope) -> pd.DataFrame:
    """Units of each item that each place will use until the next but one delivery.

    Parameters
    ----------
    visits : DataFrame
        ``place_id``, ``service`` and ``visits_per_day`` planned; services that are not in the
        scope use nothing.
    scope : Scope
        Units for each visit, wastage, days between deliveries, service level.

    Returns
    -------
    DataFrame
        By ``place_id`` and ``item``: ``per_day``, ``days`` covered, ``expected``, ``spread``
        (standard deviation), ``level`` (stock that lasts with the item's service level) and
        ``safety`` (how much of it is for chance).
    """
    uses = pd.DataFrame(
        [
            (name, item, units)
            for name, service in scope.services.items()
            for item, units in service.items.items()
        ],
        columns=["service", "item", "units"],
    )
    rows = visits.merge(uses, on="service")
    rows["per_day"] = rows["visits_per_day"] * rows["units"]
    # A visit uses none or some: units come in lots of what a visit uses.
    rows["lots"] = rows["per_day"] * np.maximum(rows["units"], 1.0)
    found = rows.groupby(["place_id", "item"], sort=True)[["per_day", "lots"]].sum().reset_index()
    items = [scope.items[name] for name in found["item"]]
    days = np.array([item.review_days + item.lead_days for item in items])
    waste = 1.0 / (1.0 - np.array([item.wastage for item in items]))
    found["per_day"] *= waste
    found["days"] = days
    found["expected"] = found["per_day"] * days
    variance = found["lots"] * waste * days
    variance += (scope.workload.visits_cv * found["expected"]) ** 2
    found["spread"] = np.sqrt(variance)
    service_level = np.array([item.service_level for item in items])
    found["level"] = lasting_stock(
        found["expected"].to_numpy(), found["spread"].to_numpy(), service_level
    )
    found["safety"] = np.maximum(found["level"] - found["expected"], 0.0)
    return found.drop(columns="lots")


def lasting_stock(expected: Numbers, spread: Numbers, service_level: Numbers) -> Numbers:
    """The stock that a demand exceeds only with probability one less the service level.

    Demand is counted as a Poisson number whose mean is itself uncertain (negative binomial);
    where its spread is no more than chance, as Poisson.

    >>> lasting_stock(np.array([100.0]), np.array([10.0]), np.array([0.95])).tolist()
    [117.0]
    """
    from scipy.stats import nbinom, poisson

    expected = np.asarray(expected, dtype=np.float64)
    variance = np.asarray(spread, dtype=np.float64) ** 2
    more = variance > expected * (1 + 1e-9)
    safe = np.where(more, variance, expected + 1.0)
    mean = np.maximum(expected, 1e-12)
    size, chance = mean**2 / (safe - mean), mean / safe
    level = np.where(
        more,
        nbinom.ppf(service_level, np.maximum(size, 1e-12), np.clip(chance, 1e-12, 1.0)),
        poisson.ppf(service_level, mean),
    )
    return np.asarray(np.where(expected > 0, level, 0.0), dtype=np.float64)
