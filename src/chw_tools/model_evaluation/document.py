"""A report as parts in reading order, and the same parts as Markdown.

As a page they are written by :mod:`chw_tools.model_evaluation.page`. In sentences, ``**bold**``
and `` `code` `` are understood by both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


@dataclass(frozen=True)
class Text:
    """A sentence or two."""

    text: str


@dataclass(frozen=True)
class Points:
    """Sentences that stand beside one another; each begins with a mark."""

    items: Sequence[str]


@dataclass(frozen=True)
class Notice:
    """What must not be overlooked; ``tone`` is ``good``, ``warning`` or ``plain``."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True)
class KeyFigure:
    """A figure to remember: the value, what it is, and how sure."""

    value: str
    what: str
    detail: str = ""


@dataclass(frozen=True)
class KeyFigures:
    """Three or four of them, side by side."""

    items: Sequence[KeyFigure]


@dataclass(frozen=True)
class Table:
    """A table of words; ``folded`` where only some readers want it."""

    frame: pd.DataFrame
    caption: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture by file name, what it shows for those who do not see it, and what it says."""

    name: str
    alt: str
    caption: str = ""


Block: TypeAlias = "Text | Points | Notice | KeyFigures | Table | Picture"


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    heading: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    subtitle: str
    opening: Sequence[Block]
    sections: Sequence[Section] = field(default_factory=tuple)


def write_markdown(document: Document) -> str:
    """The document as Markdown, beside its pictures."""
    lines = [f"# {document.title}", "", document.subtitle, ""]
    lines += [line for block in document.opening for line in _markdown(block)]
    for section in document.sections:
        lines += [f"## {section.heading}", ""]
        lines += [line for block in section.blocks for line in _markdown(block)]
    return "\n".join(lines).rstrip() + "\n"


def space_percent(text: str) -> str:
    """A space before each per cent sign, one that no line breaks at.

    >>> space_percent("12% of 100") == "12\u00a0% of 100"
    True
    """
    return re.sub(r"(?<=\d) ?%", "\u00a0%", text)


def _markdown(block: Block) -> list[str]:
    if isinstance(block, Text):
        return [block.text, ""]
    if isinstance(block, Points):
        return [*[f"- {item}" for item in block.items], ""]
    if isinstance(block, Notice):
        return [f"> {block.text}", ""]
    if isinstance(block, KeyFigures):
        said = [
            f"- **{one.value}** {one.what}" + (f" ({one.detail})" if one.detail else "")
            for one in block.items
        ]
        return [*said, ""]
    if isinstance(block, Picture):
        caption = [block.caption, ""] if block.caption else []
        return [f"![{block.alt}]({block.name})", "", *caption]
    return [*([f"**{block.caption}**", ""] if block.caption else []), *write_table(block.frame), ""]


def write_table(frame: pd.DataFrame) -> list[str]:
    """Lines of a Markdown table."""
    head = ["| " + " | ".join(frame.columns) + " |", "|" + "---|" * frame.shape[1]]
    rows = [[str(cell).replace("|", "\\|") for cell in row] for row in frame.to_numpy()]
    return head + ["| " + " | ".join(row) + " |" for row in rows]
