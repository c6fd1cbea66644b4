"""The programme's templates as the outbox's desk wants them: a message in, its text out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chw_tools.outreach.templates import APPROVED, Rendered, render

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from chw_tools.outreach.messages import Message
    from chw_tools.programme.templates import Templates
    from chw_tools.programme.words import Words


@dataclass(frozen=True)
class Filler:
    """Fills the template that a message names, in the person's language or the next at hand.

    Parameters
    ----------
    book : Templates
        The programme's templates.
    words : Words
        Whose forbidden words may not occur.
    fallback : sequence of str
        Languages tried after the person's own.
    states : collection of str
        States of texts that may be sent; drafts only where nobody is reached.
    """

    book: Templates
    words: Words
    fallback: Sequence[str] = ("en",)
    states: Collection[str] = APPROVED

    def __call__(self, message: Message, language: str) -> Rendered:
        """The text of a message, with every fault."""
        return render(
            self.book,
            message.template,
            message.template_version,
            language=language,
            variables={name: str(value) for name, value in message.variables.items()},
            words=self.words,
            fallback=self.fallback,
            states=self.states,
        )
