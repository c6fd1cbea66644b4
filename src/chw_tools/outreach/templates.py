"""Filling a template: the text that is sent, or every reason why it is not.

A text is sent only if somebody approved it, in the version that was planned, in a language of
the chain, complete, within two segments, and without a word on anybody's condition. No
variable can hold a name.

>>> from chw_tools.programme.templates import load_templates
>>> from chw_tools.programme.words import load_words
>>> book, words = load_templates(), load_words()
>>> day = {"day": "2026-03-05"}
>>> done = render(book, "visit_before", 1, language="en", variables=day, words=words)
>>> done.text[:64]
'Health programme: a health worker plans to visit you by 5 March.'
>>> render(book, "visit_before", 1, language="en", variables={}, words=words).faults
('missing_variable',)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from chw_tools.outreach.segments import Segments, count_segments

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from chw_tools.programme.templates import Templates, Wording
    from chw_tools.programme.words import Words

#: Why a text is not sent, by key of the pages' texts.
FAULTS = (
    "unknown_template",
    "template_changed",
    "no_language",
    "not_approved",
    "missing_variable",
    "wrong_variable",
    "too_long",
    "forbidden_word",
)
#: Segments that a message may take: the outreach specification of this project.
MOST_SEGMENTS = 2
APPROVED = ("approved",)
#: For simulated people, whom no gateway reaches.
APPROVED_OR_DRAFT = ("approved", "draft")
_PHONE = re.compile(r"\+?[0-9][0-9 ]{2,17}")
#: One day of each month, the longest to write: what a day costs depends on the month's letters.
_SAMPLE_DAYS = tuple(f"2026-{month:02d}-28" for month in range(1, 13))
_SAMPLE_PHONE = "0800 000 000"


@dataclass(frozen=True)
class Rendered:
    """A filled template.

    Parameters
    ----------
    text : str
        What is sent; empty where the template could not be filled at all.
    language : str
        The language it is in, which may be one further down the chain.
    size : Segments
        What it costs.
    faults : tuple of str
        Of :data:`FAULTS`; a text with any is not sent.
    values : mapping of str to str
        What fills it, as said in the language and in the template's order: a provider that keeps
        the templates itself is told these.
    """

    text: str = field(repr=False)
    language: str
    size: Segments
    faults: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def segments(self) -> int:
        """How many SMS it takes."""
        return self.size.n_segments


def render(
    book: Templates,
    name: str,
    version: int,
    *,
    language: str | None,
    variables: Mapping[str, str],
    words: Words,
    fallback: Sequence[str] = ("en",),
    states: Collection[str] = APPROVED,
) -> Rendered:
    """Fill one template for one person.

    Parameters
    ----------
    book : Templates
        The programme's templates.
    name, version
        Template, and the version of it that was planned.
    language : str or None
        The person's, as a BCP 47 tag; its region is left aside where only the language is there.
    variables : mapping of str to str
        Values: ``day`` as an ISO day, ``phone`` as a number to call.
    words : Words
        Whose forbidden words may not occur.
    fallback : sequence of str
        Languages tried after the person's own.
    states : collection of str
        States of texts that may be sent: :data:`APPROVED` to people.

    Returns
    -------
    Rendered
        With every fault; never raises for what data can hold.
    """
    found = _find(book, name, version, _chain(language, fallback), states)
    if isinstance(found, str):
        return Rendered("", language or "", count_segments(""), (found,))
    template, text = book.templates[name], found.texts[name].text
    values, faults = _fill_values(template.variables, variables, found)
    # A missing value is left as it stands in the template, so that a preview shows the gap.
    filled = text.format_map({key: values.get(key, f"{{{key}}}") for key in template.variables})
    size = count_segments(filled)
    wrong = (*faults, *_wrong_with(filled, size, words))
    return Rendered(filled, found.language, size, tuple(dict.fromkeys(wrong)), values)


def _chain(language: str | None, fallback: Sequence[str]) -> tuple[str, ...]:
    own = language or ""
    return tuple(dict.fromkeys(filter(None, (own, own.partition("-")[0].lower(), *fallback))))


def _find(
    book: Templates, name: str, version: int, chain: Sequence[str], states: Collection[str]
) -> Wording | str:
    """The first wording of the chain that may be sent, or why there is none."""
    template = book.templates.get(name)
    if template is None:
        return "unknown_template"
    if template.version != version:
        return "template_changed"
    worded = [
        wording
        for wording in map(book.wordings.get, chain)
        if wording is not None and name in wording.texts
    ]
    fresh = [wording for wording in worded if wording.texts[name].version == version]
    for wording in fresh:
        if wording.texts[name].state in states:
            return wording
    if fresh:
        return "not_approved"
    return "template_changed" if worded else "no_language"


def _fill_values(
    declared: Sequence[str], variables: Mapping[str, str], wording: Wording
) -> tuple[dict[str, str], list[str]]:
    values: dict[str, str] = {}
    faults: list[str] = []
    for key in declared:
        given = variables.get(key)
        if not given:
            faults.append("missing_variable")
            continue
        said = _say_day(given, wording.months) if key == "day" else _say_phone(given)
        if said is None:
            faults.append("wrong_variable")
        else:
            values[key] = said
    return values, faults


def _say_day(given: str, months: Sequence[str]) -> str | None:
    try:
        day = date.fromisoformat(given[:10])
    except ValueError:
        return None
    return f"{day.day} {months[day.month - 1]}"


def _say_phone(given: str) -> str | None:
    return given if _PHONE.fullmatch(given) else None


def _wrong_with(text: str, size: Segments, words: Words) -> Iterator[str]:
    if size.n_segments > MOST_SEGMENTS:
        yield "too_long"
    if words.forbidden_in(text):
        yield "forbidden_word"


@dataclass(frozen=True)
class Preview:
    """One template in one language, filled with samples: as it would be sent, at its longest."""

    template: str
    version: int
    label: str
    kind: str
    wording: str
    state: str
    rendered: Rendered


def preview_templates(
    book: Templates, words: Words, *, language: str | None = None
) -> list[Preview]:
    """Every template in every language, or in one, filled with the month that costs most."""
    chosen = [one for one in book.wordings.values() if language in (None, one.language)]
    return [_preview(book, words, name, wording) for wording in chosen for name in book.templates]


def _preview(book: Templates, words: Words, name: str, wording: Wording) -> Preview:
    template = book.templates[name]
    text = wording.texts.get(name)
    filled = [
        render(
            book,
            name,
            template.version,
            language=wording.language,
            variables={"day": day, "phone": _SAMPLE_PHONE},
            words=words,
            fallback=(),
            states=APPROVED_OR_DRAFT,
        )
        for day in _SAMPLE_DAYS
    ]
    return Preview(
        name,
        template.version,
        template.label,
        template.kind,
        wording.language,
        text.state if text is not None else "missing",
        max(filled, key=lambda one: (one.segments, one.size.n_units)),
    )
