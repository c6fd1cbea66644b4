"""The page of messages: what may be sent, as it would look on a telephone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from chw_tools.errors import NotFound
from chw_tools.outreach.segments import foreign_characters
from chw_tools.programme.templates import KINDS

if TYPE_CHECKING:
    from chw_tools.outreach.templates import Preview
    from chw_tools.web.acts import Acts
    from chw_tools.web.rendering import Pages

#: Letters outside the alphabet that are shown; more only confuse.
_FEW = 6


@dataclass(frozen=True)
class Shown:
    """One message as the page shows it."""

    preview: Preview
    letters: str

    @property
    def room(self) -> int:
        """Units that its messages have together."""
        size = self.preview.rendered.size
        return size.n_units + size.n_left


def make_message_pages(acts: Acts, pages: Pages) -> APIRouter:
    """The page on its address."""
    router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

    @router.get("/outreach/templates")
    def templates(language: str = "en") -> Any:
        every = acts.preview_templates()
        languages = list(dict.fromkeys(one.wording for one in every))
        if language not in languages:
            raise NotFound("No message is worded in that language.")
        own = [_shown(one) for one in every if one.wording == language]
        return pages.show(
            "messages.html",
            groups=[(kind, [one for one in own if one.preview.kind == kind]) for kind in KINDS],
            languages=languages,
            language=language,
            n_approved=sum(one.preview.state == "approved" for one in own),
            total=len(own),
            population=acts.population,
        )

    return router


def _shown(preview: Preview) -> Shown:
    return Shown(preview, " ".join(foreign_characters(preview.rendered.text)[:_FEW]))
