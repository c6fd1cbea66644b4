"""Supplies: forecasts that hold, shares that are fair, batches in the right order."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.programme import load_programme
from chw_tools.records import conform
from chw_tools.records.checks import check_table
from chw_tools.records.planning import STOCK, SUPPLY_ORDERS
from chw_tools.resource_allocation.supplies import (
    SuppliesProblem,
    forecast_use,
    give_out,
    lasting_stock,
    plan_supplies,
    share_scarce,
    usable_stock,
)

SCOPE = load_programme().scope
DAY = pd.Timestamp("2026-03-01")


def stock(*rows: tuple[str, str, str, float, str | None]) -> pd.DataFrame:
    columns = ["place_id", "item", "batch", "quantity", "expires_on"]
    frame = pd.DataFrame(list(rows), columns=columns)
    frame["expires_on"] = pd.to_datetime(frame["expires_on"])
    return conform(STOCK, frame)


def visits(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["place_id", "service", "visits_per_day"])


def test_use_follows_from_visits_units_days_and_wastage() -> None:
    table = forecast_use(visits(("w", "child_under_five", 10.0)), scope=SCOPE)
    row = table.set_index("item").loc["ors_sachets"]
    item = SCOPE.items["ors_sachets"]

    per_day = 10 * SCOPE.services["child_under_five"].items["ors_sachets"] / (1 - item.wastage)
    assert row["per_day"] == pytest.approx(per_day)
    assert row["expected"] == pytest.approx(per_day * (item.review_days + item.lead_days))
    assert row["level"] == row["expected"] + row["safety"]
    assert row["safety"] > 0


@settings(max_examples=25, deadline=None)
@given(mean=st.floats(0.5, 400), cv=st.floats(0.0, 0.6), level=st.floats(0.6, 0.99))
def test_stock_that_lasts_lasts_as_often_as_it_says(mean: float, cv: float, level: float) -> None:
    spread = np.sqrt(mean + (cv * mean) ** 2)
    stock_level = lasting_stock(np.array([mean]), np.array([spread]), np.array([level]))[0]
    rng = np.random.default_rng(0)
    rate = rng.gamma(1 / cv**2, mean * cv**2, 20_000) if cv > 1e-3 else np.full(20_000, mean)
    demand = rng.poisson(rate)

    assert (demand <= stock_level).mean() >= level - 0.02
    assert (demand <= stock_level - 1).mean() <= level + 0.02


def test_no_demand_needs_no_stock() -> None:
    assert lasting_stock(np.zeros(1), np.zeros(1), np.array([0.95])).tolist() == [0.0]


def test_first_expiring_goes_out_first_and_what_cannot_be_used_in_time_is_lost() -> None:
    held = stock(
        ("w", "ors_sachets", "late", 50, "2026-04-10"),
        ("w", "ors_sachets", "soon", 50, "2026-03-11"),
        ("w", "ors_sachets", "gone", 50, "2026-02-01"),
        ("w", "zinc_tablets", "keeps", 9, None),
        ("other", "ors_sachets", "x", 5, "2026-12-31"),
    )
    use = pd.DataFrame(
        {
            "place_id": ["w"] * 2,
            "item": ["ors_sachets", "zinc_tablets"],
            "per_day": [2.0, 1.0],
            "days": [44.0, 44.0],
        }
    )
    table = usable_stock(held, use, as_of=DAY).set_index("batch")

    # Two a day: 20 until the first expires, 80 in all until the second does.
    assert table["usable"].to_dict() == {"gone": 0, "soon": 20, "late": 50, "keeps": 9, "x": 0}
    assert table.loc["soon", "lost"] == 30


def test_units_are_given_out_by_expiry() -> None:
    held = stock(
        ("w", "a", "b2", 5, "2026-06-01"),
        ("w", "a", "b1", 5, "2026-05-01"),
        ("w", "a", "b3", 5, None),
    )

    assert give_out(held, 7).set_index("batch")["units"].to_dict() == {"b1": 5, "b2": 2}
    assert give_out(held, 99)["units"].sum() == 15


def best_worst_fill(need: np.ndarray, there: int, weight: np.ndarray) -> tuple[float, float]:
    """Of all ways to share whole packs from one depot, the best smallest fill over weight."""
    best = 0.0
    for sent in product(*(range(int(n) + 1) for n in need)):
        if sum(sent) <= there:
            best = max(best, float((np.array(sent) / need / weight).min()))
    return best, float(min(1.0, there / (need * weight).sum()) if (weight == 1).all() else 1.0)


@settings(max_examples=25, deadline=None)
@given(
    need=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    there=st.integers(0, 15),
)
def test_shares_are_near_the_fairest_of_all(need: list[int], there: int) -> None:
    wants = np.array(need, dtype=float)
    ones = np.ones(len(need))
    reaches = np.ones((1, len(need)), dtype=bool)
    shared = share_scarce(wants, np.array([float(there)]), reaches=reaches)
    best, divided = best_worst_fill(wants, there, ones)

    assert shared.sent.sum() == min(there, int(wants.sum()))
    assert (shared.sent.sum(axis=0) <= wants).all()
    assert shared.best_worst == pytest.approx(divided, abs=1e-6)
    assert shared.best_worst >= best - 1e-9
    # Rounding may cost a place less than one pack of what divisible packs would give it.
    assert (shared.sent.sum(axis=0) > divided * wants - 1 - 1e-9).all()


def test_a_place_that_can_rise_no_more_holds_nobody_down() -> None:
    """One depot runs dry; who is sent to by the other is filled all the same."""
    reaches = np.array([[True, True, False], [False, False, True]])
    shared = share_scarce(np.array([10.0, 5.0, 10.0]), np.array([6.0, 9.0]), reaches=reaches)

    assert shared.sent.tolist() == [[4, 2, 0], [0, 0, 9]]
    assert shared.best_worst == pytest.approx(0.4)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_shares_of_several_depots_keep_every_limit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    need, there = rng.integers(0, 9, 5).astype(float), rng.integers(0, 12, 3).astype(float)
    reaches = rng.random((3, 5)) < 0.6
    shared = share_scarce(need, there, reaches=reaches, weight=rng.choice([1.0, 2.0], 5))

    assert (shared.sent >= 0).all()
    assert (shared.sent.sum(axis=1) <= there).all()
    assert (shared.sent.sum(axis=0) <= need).all()
    assert not shared.sent[~reaches].any()
    # Nothing stays in a depot while a place that it reaches lacks a whole pack.
    left = there - shared.sent.sum(axis=1)
    lacks = need - shared.sent.sum(axis=0)
    assert not (reaches & (left[:, None] >= 1) & (lacks[None, :] >= 1)).any()


def test_the_urgent_are_filled_further_and_who_cannot_be_reached_gets_nothing() -> None:
    need, there = np.array([10.0, 10.0, 10.0, 0.0]), np.array([9.0, 4.0])
    reaches = np.array([[True, True, False, True], [False, True, False, True]])
    shared = share_scarce(need, there, reaches=reaches, weight=np.array([2.0, 1.0, 1.0, 1.0]))

    assert shared.sent[:, 2].sum() == 0
    assert shared.sent[0, 0] + shared.sent[0, 1] == 9
    assert shared.sent[:, 0].sum() / 10 == pytest.approx(2 * shared.sent[:, 1].sum() / 10, abs=0.15)
    assert shared.fill[3] == 1.0
    assert shared.best_worst == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("there", [[], [0.0]])
def test_no_stock_at_all(there: list[float]) -> None:
    shared = share_scarce(
        np.array([2.0]), np.array(there), reaches=np.ones((len(there), 1), dtype=bool)
    )

    assert shared.sent.sum() == 0
    assert shared.fill.tolist() == [0.0]


def problem(held: pd.DataFrame, depots: tuple[str, ...] = ()) -> SuppliesProblem:
    planned = visits(("w1", "child_under_five", 4.0), ("w2", "child_under_five", 2.0))
    return SuppliesProblem(planned, held, depots, DAY)


def test_orders_fill_up_to_what_lasts_in_whole_packs() -> None:
    plan = plan_supplies(problem(stock(("w1", "ors_sachets", "b", 30, None))), scope=SCOPE)
    orders = plan.orders.set_index(["place_id", "item"])
    row = orders.loc[("w1", "ors_sachets")]

    check_table(SUPPLY_ORDERS, plan.orders)
    assert row["usable"] == 30
    assert row["packs"] * row["pack"] + 30 >= row["level"]
    assert (row["packs"] - 1) * row["pack"] + 30 < row["level"]
    assert (plan.fill, plan.bound, len(plan.left_out)) == (1.0, 1.0, 0)
    more = orders.loc[("w1", "zinc_tablets"), "packs"] / orders.loc[("w2", "zinc_tablets"), "packs"]
    assert 1.5 < more < 2.1


def test_scarce_stock_of_a_depot_is_shared_and_what_is_short_is_listed() -> None:
    held = stock(
        ("hc", "ors_sachets", "good", 60, "2026-12-01"),
        ("hc", "ors_sachets", "old", 500, "2026-02-01"),
        ("hc", "plasters", "p", 5, None),
    )
    plan = plan_supplies(problem(held, ("hc",)), scope=SCOPE)
    orders = plan.orders[plan.orders["item"] == "ors_sachets"]
    reasons = plan.left_out.set_index(["place_id", "item"])["reason"]

    assert orders["packs_sent"].sum() == 6
    assert orders["fill"].max() - orders["fill"].min() < 0.3
    assert reasons[("hc", "plasters")] == "The programme names no such item."
    assert reasons[("w1", "ors_sachets")].endswith("packs are short.")
    assert plan.notes == ("500 units will expire before they can be used.",)


def test_no_visits_planned() -> None:
    none = SuppliesProblem(visits(), stock(), ("hc",), DAY)
    plan = plan_supplies(none, scope=SCOPE)

    assert len(plan.orders) == 0
    assert plan.fill == 1.0
