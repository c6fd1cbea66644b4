"""Tiny feature tables, with every declared feature and only some of them known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest

from chw_tools.feature_engineering import Features, build_features
from chw_tools.records import Register

AS_OF = pd.Timestamp("2026-03-10").as_unit("s")
MakeFeatures = Callable[..., Features]


@pytest.fixture(scope="session")
def features_of() -> MakeFeatures:
    """Features of people given as ``name={feature: value}``; all else is not known."""
    empty = build_features(Register.of(), as_of=AS_OF)

    def make(**people: Mapping[str, Any]) -> Features:
        ids = sorted(people)
        unknown = {name for values in people.values() for name in values} - set(empty.frame)
        assert not unknown, f"no such feature: {unknown}"
        index = pd.Index(ids, name="person_id", dtype="str")
        frame = pd.DataFrame(
            {
                name: pd.Series([people[i].get(name) for i in ids], index=index).astype(dtype)
                for name, dtype in empty.frame.dtypes.items()
            },
            index=index,
        )
        return Features(frame, empty.declaration, AS_OF)

    return make
