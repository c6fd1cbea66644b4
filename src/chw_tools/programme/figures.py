"""Every number and rule that was decided, with its source, in one list to be read and confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chw_tools.programme.numbers import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chw_tools.programme.effects import Effects
    from chw_tools.programme.protocols import OutreachProtocol


@dataclass(frozen=True)
class Figure:
    """One decided number, or rule, with where it comes from."""

    key: str
    value: str
    source: str
    verified: bool


def figures_of_file(raw: dict[str, Any]) -> list[Figure]:
    """The numbers of ``programme.toml``, as written."""
    found = []
    for section in SECTIONS:
        for name, table in raw.get(section, {}).items():
            if not isinstance(table, dict):
                continue
            numbers = [str(v) for k, v in table.items() if k not in ("unit", "source", "verified")]
            value = f"{' / '.join(numbers)} {table.get('unit', '')}".strip()
            found.append(
                Figure(
                    f"{section}.{name}",
                    value,
                    str(table.get("source", "")),
                    table.get("verified", False) is True,
                )
            )
    return found


def effect_figures(effects: Effects) -> Iterator[Figure]:
    """What lowers a risk, and by how much."""
    systolic = effects.systolic
    per = systolic.relative_risk
    said = f"{per.value:g} ({per.low:g} to {per.high:g}) for each {systolic.per_mmhg:g} mmHg"
    yield Figure("effects.systolic", said, systolic.source, systolic.verified)
    for effect in effects.effects:
        found = effect.relative_risk or effect.lowers_mmhg
        assert found is not None  # noqa: S101 (one of the two is given)
        what = "relative risk" if effect.relative_risk else "mmHg lower"
        said = f"{effect.label}: {what} {found.value:g} ({found.low:g} to {found.high:g})"
        yield Figure(f"effects.{effect.id}", said, effect.source, effect.verified)


def protocol_figures(protocols: Mapping[str, OutreachProtocol]) -> Iterator[Figure]:
    """The reminders and their ladders to a human."""
    for one in protocols.values():
        yield Figure(f"protocols.{one.name}", one.label, one.source, one.verified)
        ladder = one.ladder
        said = f"{ladder.silent_hours:g} hours, {ladder.no_answers} calls"
        yield Figure(f"protocols.{one.name}.ladder", said, ladder.source, ladder.verified)
