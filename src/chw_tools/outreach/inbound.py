"""What a message received means, and what is done about it: pure, one message at a time.

The order is fixed: STOP, START, HELP, a sign of danger or "2", "1", whom it is about, and
whatever is left goes to a human. Nothing is guessed, nothing is dropped: each message ends in
a named state, and each state that asks for a human raises a task.

>>> from chw_tools.programme.words import load_words
>>> interpret("Arrêt!", Standing(), load_words()).state
'opted_out'
>>> interpret("she is bleeding", Standing(), load_words()).task.urgency
'emergency'
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from chw_tools.programme.words import plain

if TYPE_CHECKING:
    from datetime import datetime

    from chw_tools.programme.words import Words

#: Why a message ended where it did, by key of the pages' texts.
REASONS = (
    "stop", "start", "help", "danger", "unwell", "well", "who", "year", "free_text",
    "nothing_asked", "unknown_number", "who_not_clear", "oversized", "empty",
)  # fmt: skip
_REPLY = {"stop": "stopped", "start": "started", "help": "helped"}
_OPT_STATES: dict[str, Literal["opted_out", "opted_in"]] = {
    "stop": "opted_out",
    "start": "opted_in",
}
_YEAR_DIGITS = 4


@dataclass(frozen=True)
class Sharer:
    """One of the people of a number; the year of birth tells them apart."""

    person_id: str
    born_year: int | None = None


@dataclass(frozen=True)
class Prompt:
    """A question that was sent to the number and may still be answered."""

    message_id: str
    person_id: str
    sent_at: datetime


@dataclass(frozen=True)
class Standing:
    """What is known of the number at the instant at which the message was received.

    Parameters
    ----------
    people : tuple of Sharer
        Whose number it is.
    prompts : tuple of Prompt
        Open questions sent to it before, in any order.
    asked_who_id : str or None
        Message received earlier about which "whom is it about?" was asked and not answered.
    n_identical : int
        Identical messages from it in the hour before.
    replies : tuple of str
        Templates of the automatic replies to it in the 24 hours before.
    """

    people: tuple[Sharer, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    asked_who_id: str | None = None
    n_identical: int = 0
    replies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What a human is asked to do about a message."""

    kind: Literal["read_reply", "red_flag"]
    urgency: Literal["emergency", "same_day", "within_days"]


@dataclass(frozen=True)
class Reading:
    """What a message means.

    Parameters
    ----------
    state : str
        Of ``records.contacting.INBOUND_STATES``.
    reason : str
        Of :data:`REASONS`.
    person_id : str or None
        Whom it is about, where that is known.
    answers_id : str or None
        The message of ours that it answers.
    resolves_id : str or None
        The earlier message received about which it says whom it concerns.
    reply : str
        Template of the automatic reply; empty for none.
    task : Asked or None
        What a human is asked to do.
    """

    state: str
    reason: str
    person_id: str | None = None
    answers_id: str | None = None
    resolves_id: str | None = None
    reply: str = ""
    task: Asked | None = None


def interpret(text: str, standing: Standing, words: Words) -> Reading:
    """What the message means, given what is known of its number.

    Parameters
    ----------
    text : str
        As received, in any script.
    standing : Standing
        As of the instant at which it was received, so that the order of arrival is no matter.
    words : Words
        The programme's words and limits.
    """
    read = _read(text, standing, words)
    if standing.n_identical >= words.limits.identical_an_hour:
        return _hushed(read)
    return read if _may_reply(read, standing, words) else replace(read, reply="")


def _read(text: str, standing: Standing, words: Words) -> Reading:
    meaning = words.meaning(text)
    only = standing.people[0].person_id if len(standing.people) == 1 else None
    if meaning in _OPT_STATES:
        return Reading(_OPT_STATES[meaning], meaning, only, reply=_REPLY[meaning])
    if meaning == "help":
        return Reading("helped", "help", only, reply=_REPLY["help"])
    if words.danger_in(text):
        return _flagged("danger", "emergency", standing, only)
    if meaning == "unwell":
        return _flagged("unwell", "same_day", standing, only)
    if len(text) > words.limits.longest_text:
        return _to_human("oversized", only)
    if meaning == "well":
        return _well(standing, only)
    if standing.asked_who_id is not None and _is_year(plain(text)):
        return _told_who(int(plain(text)), standing)
    if not plain(text):
        return _to_human("empty", only)
    return _to_human("free_text" if standing.people else "unknown_number", only)


def _flagged(
    reason: str,
    urgency: Literal["emergency", "same_day"],
    standing: Standing,
    only: str | None,
) -> Reading:
    """Somebody calls now: whom it is about can be asked on the telephone."""
    prompt = _answered(standing)
    person_id = prompt.person_id if prompt is not None else only
    answers = prompt.message_id if prompt is not None else None
    return Reading(
        "flagged",
        reason,
        person_id,
        answers,
        reply="unwell_heard",
        task=Asked("red_flag", urgency),
    )


def _well(standing: Standing, only: str | None) -> Reading:
    prompt = _answered(standing)
    if prompt is not None:
        return Reading("answered", "well", prompt.person_id, prompt.message_id, reply="well_heard")
    if not standing.prompts:
        return _to_human("nothing_asked" if standing.people else "unknown_number", only)
    if "who" in standing.replies or standing.asked_who_id is not None:
        return _to_human("who_not_clear", None)
    return Reading("asked_who", "who", reply="who")


def _answered(standing: Standing) -> Prompt | None:
    """The newest open question, unless questions about several people are open."""
    if len({prompt.person_id for prompt in standing.prompts}) != 1:
        return None
    return max(standing.prompts, key=lambda prompt: (prompt.sent_at, prompt.message_id))


def _is_year(text: str) -> bool:
    return len(text) == _YEAR_DIGITS and text.isascii() and text.isdigit()


def _told_who(year: int, standing: Standing) -> Reading:
    asked_of = {prompt.person_id for prompt in standing.prompts}
    meant = [
        one.person_id
        for one in standing.people
        if one.born_year == year and one.person_id in asked_of
    ]
    if len(meant) != 1:
        return _to_human("who_not_clear", None)
    prompts = tuple(one for one in standing.prompts if one.person_id == meant[0])
    prompt = _answered(replace(standing, prompts=prompts))
    return Reading(
        "answered",
        "year",
        meant[0],
        prompt.message_id if prompt is not None else None,
        resolves_id=standing.asked_who_id,
        reply="well_heard",
    )


def _to_human(reason: str, person_id: str | None) -> Reading:
    return Reading("to_a_human", reason, person_id, task=Asked("read_reply", "within_days"))


def _hushed(read: Reading) -> Reading:
    """One message too many of the same: silence, but never about STOP or danger."""
    quiet = replace(read, reply="")
    if read.state in ("opted_out", "opted_in", "flagged"):
        return quiet
    return replace(quiet, state="looping", answers_id=None, resolves_id=None, task=None)


def _may_reply(read: Reading, standing: Standing, words: Words) -> bool:
    """Whether an automatic reply may go: a stranger gets none, anybody only so many a day.

    STOP is confirmed once, even to whoever had all replies of the day.
    """
    if not standing.people or not read.reply:
        return False
    if read.reply == _REPLY["stop"]:
        return read.reply not in standing.replies
    return len(standing.replies) < words.limits.replies_a_day
