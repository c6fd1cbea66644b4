"""What a text costs, at every border of the standard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.outreach.segments import BASIC, EXTENSION, count_segments, foreign_characters


@pytest.mark.parametrize(
    ("text", "encoding", "n_units", "n_segments"),
    [
        ("", "gsm7", 0, 1),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 307, "gsm7", 307, 3),
        ("€" * 80, "gsm7", 160, 1),
        ("a" + "€" * 80, "gsm7", 161, 2),
        ("ç" * 70, "ucs2", 70, 1),
        ("ç" * 71, "ucs2", 71, 2),
        ("ç" * 134, "ucs2", 134, 2),
        ("ç" * 135, "ucs2", 135, 3),
        ("😀" * 35, "ucs2", 70, 1),
        ("😀" * 36, "ucs2", 72, 2),
        # 33 pairs fill a part of 67 units but for one, which a pair may not be cut for.
        ("😀" * 66, "ucs2", 132, 2),
        ("😀" * 67, "ucs2", 134, 3),
        # The same with an escape at the end of a part of 153.
        ("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3),
        ("Ç", "gsm7", 1, 1),
        ("ç", "ucs2", 1, 1),
    ],
)
def test_borders(text: str, encoding: str, n_units: int, n_segments: int) -> None:
    size = count_segments(text)
    assert (size.encoding, size.n_units, size.n_segments) == (encoding, n_units, n_segments)


def test_room_in_a_single_message() -> None:
    assert count_segments("a" * 100).n_left == 60
    assert count_segments("a" * 200).n_left == 106


def test_the_alphabet_is_whole() -> None:
    # 128 codes, of which one is the escape.
    assert len(set(BASIC)) == len(BASIC) == 127
    assert len(set(EXTENSION)) == 10
    assert not set(BASIC) & set(EXTENSION)


@given(st.text(max_size=400))
def test_a_longer_text_never_costs_less(text: str) -> None:
    assert count_segments(text + "a").n_segments >= count_segments(text).n_segments
    assert count_segments(text).encoding == ("ucs2" if foreign_characters(text) else "gsm7")


@given(st.text(alphabet=BASIC + EXTENSION, max_size=500))
def test_the_room_left_is_true(text: str) -> None:
    size = count_segments(text)
    fuller = count_segments(text + "a" * size.n_left)
    if "€" not in text and not set(text) & set(EXTENSION):
        assert fuller.n_segments == size.n_segments
    assert count_segments(text + "a" * (size.n_left + 1)).n_segments > size.n_segments
