"""Keys: well-formed UUIDs of version 7, and derived ones that never change."""

from __future__ import annotations

import time
import uuid

from hypothesis import given
from hypothesis import strategies as st

from chw_tools.records import Source, derived_id, derived_ids, new_id
from chw_tools.records.ids import _assemble

LAB = Source("lab", first_seen_ms=1_700_000_000_000)


def test_the_example_of_the_standard_is_assembled():
    # RFC 9562, appendix A.6.
    key = _assemble("017f22e279b0", "cc398c4dc0c0c07398f0")
    assert key == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(st.text(), st.text(min_size=1), st.integers(0, 2**48 - 1))
def test_a_derived_key_is_a_uuid_of_version_7_of_its_sources_time(source_id, table, first_seen_ms):
    key = derived_id(Source("s", first_seen_ms), table, source_id)
    parsed = uuid.UUID(key)
    assert str(parsed) == key
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert parsed.int >> 80 == first_seen_ms


def test_a_new_key_is_a_uuid_of_version_7_of_now():
    before = time.time_ns() // 1_000_000
    keys = [new_id() for _ in range(200)]
    after = time.time_ns() // 1_000_000
    assert len(set(keys)) == 200
    for key in map(uuid.UUID, keys):
        assert (key.version, key.variant) == (7, uuid.RFC_4122)
        assert before <= key.int >> 80 <= after


def test_a_derived_key_stays_what_it_was():
    # Stored registers hold such keys: a change here would import everybody a second time.
    assert derived_id(LAB, "people", "17") == "018bcfe5-6800-70ed-80f0-e612bd00018f"


def test_table_source_and_identifier_all_count():
    keys = {
        derived_id(LAB, "people", "17"),
        derived_id(LAB, "visits", "17"),
        derived_id(LAB, "people", "18"),
        derived_id(Source("lab2", LAB.first_seen_ms), "people", "17"),
        derived_id(Source("lab", 1), "people", "17"),
    }
    assert len(keys) == 5


@given(st.lists(st.text(), max_size=20))
def test_many_keys_are_the_keys_of_each(source_ids):
    assert derived_ids(LAB, "people", source_ids) == [
        derived_id(LAB, "people", source_id) for source_id in source_ids
    ]


def test_parts_cannot_slide_into_each_other():
    assert derived_id(Source("a"), "bc", "d") != derived_id(Source("ab"), "c", "d")
