"""Reading templates: what a folder changes, and every fault with its file and key."""

from pathlib import Path

import pytest

from chw_tools.errors import ProgrammeFault
from chw_tools.programme.templates import load_templates

FILE = "templates.toml"
MONTHS = "a b c d e f g h i j k l"


def folder_with(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_folder_approves_its_own_texts(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, templates_sw='state = "approved"')
    book = load_templates(folder)
    assert {text.state for text in book.wordings["sw"].texts.values()} == {"approved"}
    assert {text.state for text in book.wordings["fr"].texts.values()} == {"draft"}


def test_a_single_text_may_stay_a_draft(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, templates_en='[who]\nstate = "draft"\n')
    texts = load_templates(folder).wordings["en"].texts
    assert (texts["who"].state, texts["check_in"].state) == ("draft", "approved")


def test_a_folder_adds_a_language(tmp_path: Path) -> None:
    own = (
        f'state = "approved"\nmonths = "{MONTHS}"\n[check_in]\nversion = 1\ntext = "Muli bwanji?"\n'
    )
    book = load_templates(folder_with(tmp_path, templates_ny=own))
    assert book.wordings["ny"].texts["check_in"].text == "Muli bwanji?"


def test_what_asks() -> None:
    assert load_templates().asking("who") == ("who",)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"templates": "check_in = 1"}, "must be a table"),
        ({"templates": '[check_in]\nvariables = ["name"]'}, "day and phone only"),
        ({"templates": "[check_in]\nversion = 0"}, "check_in.version"),
        ({"templates": '[check_in]\nkind = "letter"'}, "reminder, reply"),
        ({"templates": '[check_in]\nasks = "age"'}, "well, who"),
        ({"templates": "[check_in]\ncolour = 1"}, "check_in.colour"),
        ({"templates": '[new]\nversion = 1\nkind = "reply"'}, "new.label"),
        ({"templates_en": 'months = "one two"'}, "twelve months"),
        ({"templates_en": 'state = "good"'}, "draft, approved"),
        ({"templates_en": "check_in = 1"}, "must be a table"),
        ({"templates_en": '[check_in]\ntext = "Hello {name}"'}, "the template's {variables}"),
        ({"templates_en": '[check_in]\ntext = "Hello {"'}, "not closed"),
        ({"templates_en": '[visit_before]\ntext = "On {day!r}"'}, "the template's {variables}"),
        ({"templates_en": '[visit_before]\ntext = "Soon"'}, "the template's {variables}"),
        ({"templates_en": '[new]\nversion = 1\ntext = "Hello"'}, "no such template"),
        ({"templates_en": '[check_in]\nstate = "good"'}, "check_in.state"),
    ],
)
def test_each_fault_names_its_key(tmp_path: Path, texts: dict[str, str], said: str) -> None:
    with pytest.raises(ProgrammeFault) as caught:
        load_templates(folder_with(tmp_path, **texts))
    assert said in str(caught.value)
    assert next(iter(texts)) in str(caught.value)
