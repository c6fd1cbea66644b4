"""What may be sent: every template in every language, as it would arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chw_tools.errors import NotFound
from chw_tools.outreach import templates
from chw_tools.programme.templates import load_templates
from chw_tools.programme.words import load_words

if TYPE_CHECKING:
    from pathlib import Path

    from chw_tools.outreach.templates import Preview


def preview_templates(*, folder: Path | None, language: str | None = None) -> list[Preview]:
    """Templates filled with sample values, by language.

    Parameters
    ----------
    folder : Path or None
        The programme's folder.
    language : str, optional
        One language only.

    Raises
    ------
    ProgrammeFault
        If the templates or the words are faulty.
    NotFound
        If nothing is worded in that language.
    """
    book, words = load_templates(folder), load_words(folder)
    if language is not None and language not in book.wordings:
        known = ", ".join(book.wordings)
        raise NotFound("No message is worded in that language.", cure=f"There are: {known}.")
    return templates.preview_templates(book, words, language=language)
