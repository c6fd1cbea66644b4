"""Finding ids among others, however the column is held in memory."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.feature_engineering.lookup import positions_among

IDS = st.lists(st.sampled_from(["a", "b", "c", "d", None]), max_size=8)


@settings(max_examples=25, deadline=None)
@given(ids=IDS, among=st.lists(st.sampled_from("abcxyz"), unique=True))
def test_positions_are_those_of_a_plain_search(ids, among):
    found = positions_among(pd.Series(ids, dtype="str"), pd.Index(among, dtype="str"))
    assert found.tolist() == [among.index(one) if one in among else -1 for one in ids]


@pytest.mark.parametrize("dtype", ["str", "object"])
def test_a_column_in_several_pieces_is_searched_whole(dtype):
    pieces = [pd.Series(["a", "b"], dtype=dtype), pd.Series(["c", None], dtype=dtype)]
    joined = pd.concat(pieces, ignore_index=True)
    assert positions_among(joined, pd.Index(["c", "a"])).tolist() == [1, -1, 0, -1]
