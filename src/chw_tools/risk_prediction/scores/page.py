"""The page of published scores, written from their declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chw_tools.risk_prediction.scores.models import SCORES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chw_tools.risk_prediction.scores.declaration import Input, Score

_HEAD = """# Published scores

This page is written from `chw_tools.risk_prediction.scores` (`make docs`). Every score is a pure
function of arrays, and a model of the feature table: `chw scores list`,
`chw score --with NAME`.

- Outside its validity there is no estimate: never the nearest one. An input that is not known
  is never filled in.
- Points stay points. A risk is shown only where a probability was published.
- A diagnosis or medicine that is not on record counts as absent; all else that is not known
  gives no estimate.
- A score beside a guideline never makes it less urgent, and a score was made somewhere: where
  people differ from its population, its risks may be wrong for all of them.
- The bands of point scores (`low` to `very_high`) are a decision of this project so that they
  can be sorted; the source's own word stands beside.

| Score | Gives | For | Verified |
|---|---|---|---|
"""


def scores_page() -> str:
    """The whole page, in Markdown."""
    rows = [
        f"| [`{s.name}`](#{s.name}) {s.label} | {_gives(s)} | {s.population} | "
        f"{'yes' if s.verified else '**no**'} |"
        for s in SCORES.values()
    ]
    sections = ["\n".join(_section(score)) for score in SCORES.values()]
    return _HEAD + "\n".join(rows) + "\n\n" + "\n\n".join(sections) + "\n"


def _gives(score: Score) -> str:
    if score.gives == "points":
        return f"points, 0 to {score.highest}"
    return f"probability, {score.horizon_years} years"


def _section(score: Score) -> Iterator[str]:
    yield f"## {score.name}\n"
    yield f"{score.label}: {score.meaning} (`{score.outcome}`); `{score.function}`.\n"
    yield f"- For: {score.population}"
    for name, (low, high) in score.limits.items():
        yield f"- Valid: {score.labels[name]} {_range(low, high)}"
    for flag, why in score.not_with.items():
        yield f"- Not with `{flag}`: {why}"
    if score.applies_to:
        yield f"- {score.applies_to}"
    yield f"- Needs: {', '.join(map(_input, score.inputs))}"
    if score.bands:
        alarm = [score.alarm[1]] if score.alarm else []
        said = (f"from {band.lowest:g} {band.label} (`{band.level}`)" for band in score.bands)
        yield f"- Bands: {', '.join(said)}"
        for band in alarm:
            yield f"- Alarm: {band.label} (`{band.level}`)"
    if score.reference_text:
        yield f"- Reasons compare with {score.reference_text}"
    if score.regions:
        yield f"- Regions: {'; '.join(score.regions)}"
    yield f"- Source: {score.source}"
    yield f"- {'Verified' if score.verified else '**Not verified**'}: {score.checked}"
    if score.caution:
        yield f"- Know: {score.caution}"


def _range(low: float | None, high: float | None) -> str:
    if high is None:
        return f"from {low:g}"
    below = "below " if float(f"{high:g}") > high else ""
    return f"{low:g} to {below}{high:g}"


def _input(given: Input) -> str:
    unit = f" ({given.unit})" if given.unit else ""
    return f"`{given.name}`{unit}{'' if given.recorded else ' *not in the register*'}"
