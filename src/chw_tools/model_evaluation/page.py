"""A report as one self-contained page: no script, no font and no picture from elsewhere."""

from __future__ import annotations

import base64
import re
from html import escape
from typing import TYPE_CHECKING

from chw_tools.model_evaluation.document import (
    KeyFigures,
    Notice,
    Picture,
    Points,
    Text,
    space_percent,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chw_tools.model_evaluation.document import Block, Document, Table

_NUMBER = re.compile(r"^[–\-+]?[\d.,]+( %)?( ?\(.*\))?( \*)?$|^–$")
#: Days and spans, which are read in one piece.
_WHOLE = re.compile(r"^\d{4}-\d{2}-\d{2}$|^[\d.]+ to [\d.]+$")


def write_page(document: Document, pictures: Mapping[str, bytes]) -> str:
    """The document as HTML; every picture it names is written into it.

    Parameters
    ----------
    document : Document
        What to write.
    pictures : mapping of str to bytes
        PNG by file name.
    """
    opening = "\n".join(_block(block, pictures) for block in document.opening)
    sections = "\n".join(
        f'<section id="s{i}"><h2>{escape(section.heading)}</h2>\n'
        + "\n".join(_block(block, pictures) for block in section.blocks)
        + "</section>"
        for i, section in enumerate(document.sections)
    )
    contents = "".join(
        f'<li><a href="#s{i}">{escape(section.heading)}</a></li>'
        for i, section in enumerate(document.sections)
    )
    return _PAGE.format(
        title=escape(document.title),
        subtitle=_inline(document.subtitle),
        opening=opening,
        contents=contents,
        sections=sections,
        style=_STYLE,
    )


def _block(block: Block, pictures: Mapping[str, bytes]) -> str:
    if isinstance(block, Text):
        return f"<p>{_inline(block.text)}</p>"
    if isinstance(block, Points):
        return "<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Notice):
        return f'<p class="notice {escape(block.tone)}">{_inline(block.text)}</p>'
    if isinstance(block, KeyFigures):
        return _key_figures(block)
    if isinstance(block, Picture):
        return _picture(block, pictures)
    return _table(block)


def _key_figures(block: KeyFigures) -> str:
    cards = [
        f"<div><dt>{_inline(one.what)}"
        + (f"<small>{_inline(one.detail)}</small>" if one.detail else "")
        + f"</dt><dd>{_inline(one.value)}</dd></div>"
        for one in block.items
    ]
    return f'<dl class="figures">{"".join(cards)}</dl>'


def _picture(block: Picture, pictures: Mapping[str, bytes]) -> str:
    held = base64.b64encode(pictures[block.name]).decode()
    caption = f"<figcaption>{_inline(block.caption)}</figcaption>" if block.caption else ""
    return (
        f'<figure><img alt="{escape(block.alt)}" src="data:image/png;base64,{held}">'
        f"{caption}</figure>"
    )


def _table(block: Table) -> str:
    frame = block.frame
    right = [
        len(frame) > 0 and all(_NUMBER.match(str(cell)) for cell in frame[name])
        for name in frame.columns
    ]
    style = [' class="number"' if is_number else "" for is_number in right]
    head = "".join(
        f'<th scope="col"{mark}>{escape(str(name))}</th>'
        for name, mark in zip(frame.columns, style, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{mark}>{_cell(str(cell))}</td>" for cell, mark in zip(row, style, strict=True)
        )
        + "</tr>"
        for row in frame.to_numpy()
    )
    caption = f"<caption>{_inline(block.caption)}</caption>" if block.caption else ""
    name = escape(block.caption or "Table")
    table = (
        f'<div class="wide" tabindex="0" role="region" aria-label="{name}">'
        f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    if not block.folded:
        return table
    return f"<details><summary>{_inline(block.caption or 'Table')}</summary>{table}</details>"


def _cell(text: str) -> str:
    """A cell; an interval stays in one piece and may stand below its value."""
    if _NUMBER.match(text):
        return re.sub(r"(\(.*\))", r'<span class="interval">\1</span>', _inline(text))
    kept = _WHOLE.match(text)
    return f'<span class="whole">{_inline(text)}</span>' if kept else _inline(text)


def _inline(line: str) -> str:
    """A sentence as HTML: escaped, with bold and code where they are marked."""
    text = escape(line.replace("\\", ""))
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", space_percent(text))
    return re.sub(r"`(.+?)`", r"<code>\1</code>", text)


_STYLE = """
:root { color-scheme: light; --ink: #1f2328; --soft: #57606a; --line: #d8dee4; --blue: #0b5c93; }
* { box-sizing: border-box; }
body { font: 17px/1.6 system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--ink);
  background: #fff; margin: 0; }
main { max-width: 48rem; margin: 0 auto; padding: 1.5rem 1.1rem 4rem; }
h1 { font-size: clamp(1.45rem, 4.5vw, 2rem); line-height: 1.2; margin: .6rem 0 .2rem;
  letter-spacing: -.01em; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 3rem 0 .6rem; padding-top: 1rem;
  border-top: 1px solid var(--line); }
p { margin: .6rem 0; }
.subtitle { color: var(--soft); margin-top: 0; font-size: .95rem; }
a { color: var(--blue); }
code { font-size: .92em; background: #f3f4f6; padding: .05em .3em; border-radius: 3px; }
ul { padding-left: 1.2rem; } li { margin: .3rem 0; }
.notice { border-left: 5px solid #8c959f; background: #f6f8fa; padding: .7rem 1rem;
  border-radius: 0 6px 6px 0; }
.notice.warning { border-color: #b35900; background: #fff5e6; }
.notice.good { border-color: #1a7f37; background: #eefaf1; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
  gap: .7rem; margin: 1.4rem 0; }
.figures div { border: 1px solid var(--line); border-radius: 8px; padding: .8rem .9rem;
  display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.figures dt { font-size: .87rem; line-height: 1.4; color: var(--ink); }
.figures dd { margin: 0 0 .3rem; font-size: 1.75rem; font-weight: 650; line-height: 1.15;
  color: var(--blue); font-variant-numeric: tabular-nums; }
.figures small { display: block; font-size: .78rem; font-weight: 400; color: var(--soft);
  line-height: 1.35; margin-top: .3rem; }
nav { margin: 1.6rem 0 0; padding: .8rem 1rem; border: 1px solid var(--line); border-radius: 8px;
  font-size: .92rem; }
nav h2 { font-size: .92rem; margin: 0; border: 0; padding: 0; color: var(--soft); }
nav ul { margin: .3rem 0 0; columns: 2 14rem; }
figure { margin: 1.3rem 0; }
img { max-width: 100%; height: auto; display: block; }
figcaption { color: var(--soft); font-size: .9rem; line-height: 1.45; margin-top: .4rem; }
.wide { overflow-x: auto; margin: 1rem 0; }
.wide:focus-visible, a:focus-visible, summary:focus-visible { outline: 3px solid #0b5c93;
  outline-offset: 2px; }
table { border-collapse: collapse; font-size: .85rem; line-height: 1.4; min-width: 100%;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 600; border-bottom: 2px solid #8c959f; }
.number { text-align: right; }
.whole { white-space: nowrap; }
.interval { display: inline-block; white-space: nowrap; color: var(--soft); }
summary { cursor: pointer; color: var(--blue); padding: .3rem 0; }
@media print {
  body { font-size: 11pt; } main { max-width: none; padding: 0; } nav { display: none; }
  h2 { break-after: avoid; } figure, .figures div, tr { break-inside: avoid; }
  .notice { border: 1px solid #000; background: none; } details > * { display: block; }
}
"""

_PAGE = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p class="subtitle">{subtitle}</p>
{opening}
<nav aria-labelledby="contents"><h2 id="contents">In this report</h2><ul>{contents}</ul></nav>
{sections}
</main>
</body>
</html>
"""
