"""A trained model is kept, even where another training took its number meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from chw_tools.errors import ModelRefused
from chw_tools.workflows import train

_AT = datetime(2026, 1, 1, tzinfo=UTC)


class _Models:
    """Gives out v1 to two trainings at once; the other one is first to keep it."""

    def __init__(self, refuses_always=False):
        self.kept, self.refuses_always = set(), refuses_always
        self.asked = 0

    def next_version(self, outcome):
        return f"v{len(self.kept) + 1}"

    def save_model(self, model, *, version, **_):
        self.asked += 1
        if self.refuses_always:
            raise ModelRefused("what was saved does not score as what was fitted")
        if self.asked == 1:
            self.kept.add("v1")
            raise ModelRefused("that version is kept already")
        self.kept.add(version)


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(train, "write_report", lambda _, about: {"card.md": about.version.encode()})
    return SimpleNamespace(
        model=SimpleNamespace(outcome="fall"),
        evaluation=None,
        probe=None,
        about=lambda version: SimpleNamespace(version=version),
    )


def test_it_takes_the_next_number_and_its_report_says_so(run):
    models = _Models()
    about, report = train._keep(run, models, created_at=_AT, code_version="")
    assert (about.version, report["card.md"]) == ("v2", b"v2")
    assert models.kept == {"v1", "v2"}


def test_another_refusal_is_told(run):
    with pytest.raises(ModelRefused, match="does not score"):
        train._keep(run, _Models(refuses_always=True), created_at=_AT, code_version="")
