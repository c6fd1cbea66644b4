"""The import report in words: plain lines for a terminal, one page for a phone."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from chw_tools.data_processing.likely_duplicates import MOST_PAIRS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chw_tools.data_processing.import_report import ImportReport

# Rows of a long list shown in the terminal; the page shows them all.
_MOST_LINES = 20
_STYLE = """
:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;
max-width:60rem;padding:1rem}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;
padding:.35rem .6rem;border-bottom:1px solid #8884;vertical-align:top;overflow-wrap:break-word}
th{white-space:nowrap}td{min-width:4ch;max-width:28rem}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
p.said{max-width:40rem}"""


@dataclass(frozen=True)
class _Section:
    """A titled table with a sentence that says how to read it."""

    title: str
    said: str
    heads: tuple[str, ...]
    rows: list[tuple[object, ...]]


def text(report: ImportReport) -> str:
    """The report as plain lines; long lists are cut, and say so."""
    lines = [_summary(report)]
    for section in _sections(report):
        lines += ["", section.title, *([section.said] if section.said else [])]
        lines += _aligned(section.heads, section.rows[:_MOST_LINES])
        if len(section.rows) > _MOST_LINES:
            lines.append(f"  ... and {len(section.rows) - _MOST_LINES} more")
    return "\n".join(lines)


def page(report: ImportReport) -> str:
    """The report as one HTML page without scripts or other files."""
    parts = [_html_section(section) for section in _sections(report)]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Import report</title><style>{_STYLE}</style></head><body>"
        f"<h1>Import report</h1><p>{escape(_summary(report))}</p>{''.join(parts)}</body></html>\n"
    )


def _summary(report: ImportReport) -> str:
    said = (
        f"{_count(len(report.files), 'file')} read, {_count(report.n_trusted, 'trusted row')} "
        f"({report.n_new:,} new, {report.n_changed:,} changed), "
        f"{report.n_rejected:,} in quarantine."
    )
    n_faults = len(report.file_faults)
    return f"{said} {_count(n_faults, 'file')} could not be read." if n_faults else said


def _sections(report: ImportReport) -> list[_Section]:
    sections = [
        _file_faults(report),
        _tables(report),
        _resources(report),
        _rejections(report),
        _notes(report),
        _unmapped(report),
        _observables(report),
        _digits(report),
        _duplicates(report),
        _missing(report),
    ]
    return [section for section in sections if section.rows]


def _file_faults(report: ImportReport) -> _Section:
    said = "Nothing of these files went in; the others did."
    return _Section("Files that could not be read", said, ("file", "fault"),
                    list(report.file_faults))  # fmt: skip


def _tables(report: ImportReport) -> _Section:
    heads = ("table", "trusted", "quarantine", "exact repeats", "new", "changed", "unchanged")
    rows = [
        (t.table or "(no table)", t.trusted, t.rejected, t.identical, t.new, t.changed, t.unchanged)
        for t in report.tables
    ]
    return _Section("What went in", "", heads, list(rows))


def _resources(report: ImportReport) -> _Section:
    # Kinds finer than a type (an Observation without a value) are listed among the notes.
    rows = [
        (kind, counts.get("read", 0), counts.get("not_modelled", 0))
        for kind, counts in report.resources.items()
        if "read" in counts
    ]
    return _Section("FHIR resources", "", ("type", "read", "not modelled"), list(rows))


def _rejections(report: ImportReport) -> _Section:
    said = "Kept in quarantine as received. Mend them at their source and import them again."
    rows = [
        (r.n, ".".join(filter(None, (r.table, r.column))), r.reason, r.cure, ", ".join(r.places))
        for r in report.rejections
    ]
    return _Section("In quarantine, by reason", said,
                    ("n", "column", "reason", "cure", "first at"), list(rows))  # fmt: skip


def _notes(report: ImportReport) -> _Section:
    rows: list[tuple[object, ...]] = [(n, said) for said, n in report.notes]
    rows += [
        (counts["unmodelled_kind"], f"{kind}: not modelled")
        for kind, counts in report.resources.items()
        if "unmodelled_kind" in counts and "read" not in counts
    ]
    return _Section("To know", "", ("n", "what"), rows)


def _unmapped(report: ImportReport) -> _Section:
    said = (
        "Stored as they came, and used by nothing yet. A suggestion is only the closest "
        "label: somebody who knows the code must confirm it."
    )
    if any(code.is_danger_sign for code in report.unmapped):
        said = f"Some are DANGER SIGNS that no rule will see: look at these people now. {said}"
    rows = [(u.n, u.system, u.code, u.display, u.unit, u.suggestion) for u in report.unmapped]
    return _Section("Codes without a meaning here", said,
                    ("n", "system", "code", "text", "unit", "suggested"), list(rows))  # fmt: skip


def _observables(report: ImportReport) -> _Section:
    said = (
        "Impossible values and unreadable units are in quarantine; unusual values are kept, "
        "and values without a unit were taken to be in ours."
    )
    heads = ("observable", "n", "impossible", "unusual", "unreadable unit", "no unit")
    rows = [
        (o.label, o.n, o.impossible, o.unusual, o.unreadable_unit, o.assumed_unit)
        for o in report.observables
        if o.impossible or o.unusual or o.unreadable_unit or o.assumed_unit
    ]
    return _Section("Odd values and units", said, heads, list(rows))


def _digits(report: ImportReport) -> _Section:
    said = (
        "Each last digit is expected in 10 % of values (20 % for even digits where the scale "
        "is read in steps of 2). Many zeros mean rounding, which hides who is near a limit. "
        "Index: half the sum of deviations from 10 %."
    )
    rows = [(d.label, d.n, _percent(d.share_0), _percent(d.share_5), _percent(d.index))
            for d in report.digit_preference]  # fmt: skip
    return _Section("Last digits of blood pressure", said,
                    ("observable", "n", "end in 0", "end in 5", "index"), list(rows))  # fmt: skip


def _duplicates(report: ImportReport) -> _Section:
    found = report.duplicates
    said = (
        f"{_count(found.n_pairs, 'pair')} among {found.n_compared:,} people share sex, year of "
        "birth, the sound of the name, and the village (or, without a village, the day of "
        f"birth). Nobody is merged by this. At most {MOST_PAIRS} are listed."
    )
    return _Section("Perhaps one person twice", said, ("entry", "entry"), list(found.pairs))


def _missing(report: ImportReport) -> _Section:
    rows = [
        (f"{m.table}.{m.column}", m.n_missing, m.n, _percent(m.n_missing / m.n))
        for m in report.missing
        if m.n
    ]
    said = "Missing stays missing: nothing is filled in."
    return _Section("What is missing", said, ("column", "missing", "rows", "share"), list(rows))


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


def _shown(cell: object) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _aligned(heads: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> list[str]:
    cells = [heads, *(tuple(_shown(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    return [
        "  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _html_section(section: _Section) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in section.heads)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in section.rows)
    said = f'<p class="said">{escape(section.said)}</p>' if section.said else ""
    return (
        f"<section><h2>{escape(section.title)}</h2>{said}<div class='wide'>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _cell(cell: object) -> str:
    is_number = isinstance(cell, int)
    return f"<td{' class=n' if is_number else ''}>{escape(_shown(cell))}</td>"
