"""Templates into HTML: every value escaped, every word from the catalogue."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from chw_tools.resource_allocation.clock_times import clock
from chw_tools.web.visit_form import PRESSURES
from chw_tools.web.wording import load_wording, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chw_tools.web.wording import Wording
    from chw_tools.workflows.views import Advice, Measurement


class Pages:
    """The pages' templates with their words; made once, when the app is made."""

    def __init__(self) -> None:
        self.words: Wording = load_wording()
        self._templates = Environment(
            loader=PackageLoader("chw_tools.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["t"] = self.words
        self._templates.filters["plain"] = plain
        self._templates.filters["units"] = lambda value: self.words.in_plain_units(plain(value))
        self._templates.filters["lateness"] = self.words.lateness
        self._templates.filters["together"] = self._together
        self._templates.filters["by_action"] = by_action
        self._templates.filters["day"] = self.words.day
        self._templates.filters["long_day"] = self.words.long_day
        self._templates.filters["why"] = self._why
        self._templates.filters["clock"] = clock
        self._templates.filters["moment"] = self._moment
        self._templates.filters["hour"] = lambda instant: f"{instant:%H:%M}"

    def _why(self, reason: str) -> str:
        """A reason of the outbox in words; the gate that gave it, such as ``G2:``, is left out."""
        key = reason.rpartition(":")[2]
        return self.words.known(f"message_reason.{key}", plain(key.replace("_", " ")))

    def _moment(self, instant: str) -> str:
        """An instant as kept (ISO 8601), as day and time where this machine stands."""
        at = datetime.fromisoformat(instant)
        at = at.astimezone() if at.tzinfo else at
        return f"{self.words.day(at)}, {at:%H:%M}"

    def _together(self, measurements: Sequence[Measurement]) -> list[Measurement]:
        """Measurements in their order, the two blood pressures of one day as one."""
        by_name = {item.name: item for item in measurements}
        upper, lower = (by_name.get(name) for name in PRESSURES)
        if upper is None or lower is None or upper.observed_on != lower.observed_on:
            return list(measurements)
        both = replace(
            upper,
            label=self.words("person.blood_pressure"),
            value=f"{upper.value.partition(' ')[0]}/{lower.value}",
        )
        return [both, *(item for item in measurements if item.name not in PRESSURES)]

    def show(self, template: str, *, status: int = 200, **shown: object) -> HTMLResponse:
        """One page as an answer."""
        shown.setdefault("population", None)
        shown.setdefault("context", None)
        html = self._templates.get_template(template).render(shown)
        return HTMLResponse(html, status_code=status)


def by_action(advice: Sequence[Advice]) -> list[list[Advice]]:
    """Advice in its order, with what asks for the same action put together."""
    groups: dict[str, list[Advice]] = {}
    for item in advice:
        groups.setdefault(item.action, []).append(item)
    return list(groups.values())
