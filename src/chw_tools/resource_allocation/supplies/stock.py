"""Stock by batch: what will be used before it expires, what will not, and what goes out first."""

from __future__ import annotations

import numpy as np
import pandas as pd


def usable_stock(stock: pd.DataFrame, use: pd.DataFrame, *, as_of: pd.Timestamp) -> pd.DataFrame:
    """Each batch with what of it will be used in time, first expiring first out.

    Parameters
    ----------
    stock : DataFrame
        As declared in ``records.planning.STOCK``; without a day of expiry it keeps.
    use : DataFrame
        ``place_id``, ``item``, ``per_day``, ``days``, as :func:`forecast_use` gives it.
    as_of : Timestamp
        Day of the count; what expired before is of no use.

    Returns
    -------
    DataFrame
        The batches in the order in which to give them out, with ``usable`` (units that can
        still be given out within the days covered or later, before they expire) and ``lost``
        (units that will expire unused).
    """
    order = stock.sort_values(
        ["place_id", "item", "expires_on", "batch"], na_position="last", ignore_index=True
    )
    rate = use.set_index(["place_id", "item"])["per_day"]
    keys = pd.MultiIndex.from_frame(order[["place_id", "item"]])
    per_day = rate.reindex(keys).fillna(0.0).to_numpy()
    days = (order["expires_on"] - as_of).dt.days.astype("float64")
    days = days.fillna(np.inf).clip(lower=0).to_numpy()
    can_use = np.where(np.isinf(days), np.inf, per_day * np.where(np.isinf(days), 0.0, days))
    quantity = order["quantity"].to_numpy(dtype=np.float64)
    usable = np.zeros(len(order))
    before, last = 0.0, None
    for row, key in enumerate(keys):
        before = 0.0 if key != last else before
        usable[row] = max(0.0, min(quantity[row], can_use[row] - before))
        before, last = before + usable[row], key
    return order.assign(usable=np.floor(usable + 1e-9), lost=quantity - np.floor(usable + 1e-9))


def give_out(stock: pd.DataFrame, units: float) -> pd.DataFrame:
    """From which batches to give out so many units of one item, first expiring first.

    Returns
    -------
    DataFrame
        ``batch`` and ``units``; fewer than asked for where there are no more.
    """
    order = stock.sort_values(["expires_on", "batch"], na_position="last", ignore_index=True)
    quantity = order["quantity"].to_numpy(dtype=np.float64)
    before = np.cumsum(quantity) - quantity
    taken = np.clip(units - before, 0.0, quantity)
    return pd.DataFrame({"batch": order["batch"], "units": taken})[taken > 0]
