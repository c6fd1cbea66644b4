"""The words that people send, in any script, and those that nobody is sent."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.errors import ProgrammeFault
from chw_tools.programme.words import MEANINGS, Words, load_words, plain


@cache
def words() -> Words:
    return load_words()


@pytest.mark.parametrize("name", MEANINGS)
def test_every_listed_word_means_its_list(name: str) -> None:
    for language, listed in words().lists[name].items():
        for word in listed:
            for written in (word, word.upper(), f"  {word}!\n", f"\u200f{word}."):
                assert words().meaning(written) == name, (language, word)


@pytest.mark.parametrize("language", ["en", "fr", "sw", "es", "ar", "hi", "bn"])
def test_stop_in_each_language(language: str) -> None:
    assert words().of_language("stop", language)


@pytest.mark.parametrize("one", ["1", "١", "۱", "१", "১", "１", "①", "1️⃣", " 1 ", "1.", "(1)"])
def test_one_in_any_script(one: str) -> None:
    assert words().meaning(one) == "well"


@pytest.mark.parametrize("two", ["2", "٢", "۲", "२", "২", "２", "2!"])
def test_two_in_any_script(two: str) -> None:
    assert words().meaning(two) == "unwell"


@pytest.mark.parametrize("text", ["stopping by", "12", "do not stop", "ok then", "", "..."])
def test_only_the_whole_message_counts(text: str) -> None:
    assert words().meaning(text) == ""


@pytest.mark.parametrize(
    "text",
    ["She is BLEEDING a lot", "can't breathe", "natokwa damu nyingi", "खून बह रहा है", "نزيف"],
)
def test_danger_anywhere(text: str) -> None:
    assert words().danger_in(text)


@pytest.mark.parametrize("text", ["thank you", "bloodless", "see you at noon"])
def test_no_danger(text: str) -> None:
    assert not words().danger_in(text)


@pytest.mark.parametrize(
    "text", ["HIV test", "diabetic", "TB clinic", "votre tension", "dawa zako"]
)
def test_forbidden(text: str) -> None:
    assert words().forbidden_in(text)


@pytest.mark.parametrize("text", ["football", "the health facility", "Thank you"])
def test_not_forbidden(text: str) -> None:
    assert not words().forbidden_in(text)


@given(st.text(max_size=60))
def test_the_plain_form_is_its_own(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert words().meaning(text) in ("", *MEANINGS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[well]\nen = ["stop"]', "well.en"),
        ("[stop]\nen = 1", "must be a list of words"),
        ('[stop]\nen = ["."]', "must be a list of words"),
        ("stop = 1", "must be a table of lists"),
        ("[limits]\nreplies_a_day = 0", "limits.replies_a_day"),
        ("[other]\nen = []", "other"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "words.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ProgrammeFault, match=said):
        load_words(tmp_path)


def test_a_folder_replaces_a_list(tmp_path: Path) -> None:
    (tmp_path / "words.toml").write_text('[stop]\nny = ["basi"]\n', encoding="utf-8")
    own = load_words(tmp_path)
    assert own.meaning("BASI") == own.meaning("stop") == "stop"
