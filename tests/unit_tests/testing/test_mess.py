"""Every fault that was put in is in the list, and the list holds no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from chw_tools.records import load_catalogue
from chw_tools.testing import simulate_programme, spoil

if TYPE_CHECKING:
    from chw_tools.testing import Simulated

Messy = tuple[dict[str, pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def clean() -> Simulated:
    return simulate_programme(people=2_000, seed=9)


@pytest.fixture(scope="module")
def messy(clean: Simulated) -> Messy:
    return spoil(clean.tables, part=0, seed=9)


def test_every_kind_of_fault_occurs(messy: Messy) -> None:
    assert set(messy[1]["kind"]) == {
        "missing",
        "duplicate_person",
        "under_duplicate",
        "late_entry",
        "zero_preference",
        "other_unit",
        "wrong_unit",
        "impossible_day",
        "broken_reference",
        "unknown_code",
    }


def test_the_list_and_the_changes_are_the_same(clean: Simulated, messy: Messy) -> None:
    tables, log = messy
    listed = log[log["kind"] != "duplicate_person"]
    for name, frame in clean.tables.items():
        after = tables[name].set_index("id").loc[frame["id"]]
        before = frame.set_index("id")
        for column in before.columns:
            same = (before[column] == after[column]) | (
                before[column].isna() & after[column].isna()
            )
            changed = set(before.index[~same.fillna(False).astype(bool)])
            wanted = listed[(listed["table"] == name) & (listed["column"] == column)]["id"]
            # Faults of added rows are listed too, and have no clean row beside them.
            assert changed == set(wanted) & set(before.index), (name, column)


def test_added_rows_are_the_duplicates_listed(clean: Simulated, messy: Messy) -> None:
    tables, log = messy
    for name, frame in clean.tables.items():
        added = set(tables[name]["id"]) - set(frame["id"])
        listed = log[(log["kind"] == "duplicate_person") & (log["table"] == name)]
        assert added == set(listed["id"]), name
    twice = log[log["kind"] == "duplicate_person"].set_index("id")["was"]
    people = clean.tables["people"].set_index("id")
    again = tables["people"].set_index("id").loc[twice.index]
    assert (again["given_name"] != people.loc[twice, "given_name"].to_numpy()).mean() > 0.5
    assert (again["family_name"] == people.loc[twice, "family_name"].to_numpy()).all()


def test_other_units_mean_the_same_value(clean: Simulated, messy: Messy) -> None:
    tables, log = messy
    catalogue = load_catalogue()
    restated = log[(log["kind"] == "other_unit") & (log["column"] == "unit")]["id"]
    was = clean.tables["observations"].set_index("id").loc[restated]
    now = tables["observations"].set_index("id").loc[restated]
    weight = (was["code"] == catalogue["weight_kg"].code.code).to_numpy()
    factor = now.loc[weight, "unit"].map(catalogue["weight_kg"].units)
    back = now.loc[weight, "value_number"] * factor
    assert (back - was.loc[weight, "value_number"]).abs().max() < 0.05
    warm = now.loc[~weight & (now["code"] == was["code"]).to_numpy()]
    celsius = (warm["value_number"] - 32) * 5 / 9
    assert (celsius - was.loc[warm.index, "value_number"]).abs().max() < 0.05


def test_blood_pressures_end_in_zero_too_often(clean: Simulated, messy: Messy) -> None:
    code = load_catalogue()["systolic_mmhg"].code.code
    ends = {
        name: (frame[frame["code"] == code]["value_number"] % 10 == 0).mean()
        for name, frame in (
            ("clean", clean.tables["observations"]),
            ("messy", messy[0]["observations"]),
        )
    }
    assert 0.08 < ends["clean"] < 0.12
    # A third rounded, and a tenth of the rest by chance.
    assert 0.36 < ends["messy"] < 0.47


def test_spoiling_leaves_the_clean_tables_alone_and_is_repeatable(clean: Simulated) -> None:
    before = {name: frame.copy() for name, frame in clean.tables.items()}
    first, log = spoil(clean.tables, part=0, seed=1)
    again, log_again = spoil(clean.tables, part=0, seed=1)
    pd.testing.assert_frame_equal(log, log_again)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(frame, clean.tables[name])
        pd.testing.assert_frame_equal(first[name], again[name])


def test_nothing_is_entered_after_the_last_day(messy: Messy) -> None:
    assert messy[0]["visits"]["known_on"].max() <= pd.Timestamp("2025-12-31")
