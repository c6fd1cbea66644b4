"""What people write, and what becomes of it."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.outreach.inbound import REASONS, Asked, Prompt, Reading, Sharer, Standing, interpret
from chw_tools.programme.words import Words, load_words
from chw_tools.records.contacting import INBOUND_STATES

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
AMINA, JUMA = Sharer("amina", 1990), Sharer("juma", 1985)
ALONE = Standing(people=(AMINA,), prompts=(Prompt("m1", "amina", NOON),))
SHARED = Standing(
    people=(AMINA, JUMA),
    prompts=(Prompt("m1", "amina", NOON), Prompt("m2", "juma", NOON - timedelta(hours=1))),
)
RED_NOW, RED_TODAY = Asked("red_flag", "emergency"), Asked("red_flag", "same_day")
READ = Asked("read_reply", "within_days")


@cache
def words() -> Words:
    return load_words()


def read(text: str, standing: Standing = ALONE) -> Reading:
    return interpret(text, standing, words())


@pytest.mark.parametrize(
    ("text", "state", "reason", "reply", "task"),
    [
        ("STOP", "opted_out", "stop", "stopped", None),
        ("  arrêt. ", "opted_out", "stop", "stopped", None),
        ("ACHA", "opted_out", "stop", "stopped", None),
        ("Baja", "opted_out", "stop", "stopped", None),
        ("توقف", "opted_out", "stop", "stopped", None),
        ("बंद करो", "opted_out", "stop", "stopped", None),
        ("বন্ধ করুন", "opted_out", "stop", "stopped", None),
        ("START", "opted_in", "start", "started", None),
        ("anza", "opted_in", "start", "started", None),
        ("Msaada", "helped", "help", "helped", None),
        ("1", "answered", "well", "well_heard", None),
        ("١", "answered", "well", "well_heard", None),
        ("Sawa", "answered", "well", "well_heard", None),
        ("2", "flagged", "unwell", "unwell_heard", RED_TODAY),
        ("২", "flagged", "unwell", "unwell_heard", RED_TODAY),
        ("STOP the bleeding please", "flagged", "danger", "unwell_heard", RED_NOW),
        ("natokwa damu", "flagged", "danger", "unwell_heard", RED_NOW),
        ("can you come on Friday?", "to_a_human", "free_text", "", READ),
        ("🙏", "to_a_human", "free_text", "", READ),
        ("", "to_a_human", "empty", "", READ),
        ("?!", "to_a_human", "empty", "", READ),
        ("a" * 1601, "to_a_human", "oversized", "", READ),
        ("bleeding " + "a" * 2000, "flagged", "danger", "unwell_heard", RED_NOW),
        ("1990", "to_a_human", "free_text", "", READ),
    ],
)
def test_one_person_on_the_number(
    text: str, state: str, reason: str, reply: str, task: Asked | None
) -> None:
    done = read(text)
    assert (done.state, done.reason, done.reply, done.task) == (state, reason, reply, task)
    assert done.person_id == "amina"


def test_an_answer_belongs_to_the_newest_question() -> None:
    later = Prompt("m3", "amina", NOON + timedelta(hours=2))
    for prompts in permutations((*ALONE.prompts, later)):
        assert read("1", Standing((AMINA,), prompts)).answers_id == "m3"
        assert read("2", Standing((AMINA,), prompts)).answers_id == "m3"


def test_an_answer_to_nothing_goes_to_a_human() -> None:
    assert read("1", Standing((AMINA,))).reason == "nothing_asked"
    assert read("2", Standing((AMINA,))).task == RED_TODAY


def test_several_people_are_asked_once() -> None:
    first = read("1", SHARED)
    assert (first.state, first.reply, first.person_id) == ("asked_who", "who", None)
    again = read("1", Standing(SHARED.people, SHARED.prompts, replies=("who",)))
    assert (again.state, again.reason, again.task) == ("to_a_human", "who_not_clear", READ)


@pytest.mark.parametrize("year", ["1985", "١٩٨٥", "१९८५", " 1985. "])
def test_the_year_of_birth_says_who(year: str) -> None:
    done = read(year, Standing(SHARED.people, SHARED.prompts, asked_who_id="in1"))
    assert (done.state, done.person_id, done.answers_id) == ("answered", "juma", "m2")
    assert done.resolves_id == "in1"


@pytest.mark.parametrize(
    "people",
    [(AMINA, Sharer("juma", 1990)), (AMINA, Sharer("juma", None)), (Sharer("other", 1990), JUMA)],
)
def test_a_year_that_does_not_tell_goes_to_a_human(people: tuple[Sharer, ...]) -> None:
    told = "1990" if people[1].born_year == 1990 or people[0].person_id == "other" else "1991"
    done = read(told, Standing(people, SHARED.prompts, asked_who_id="in1"))
    assert (done.state, done.reason) == ("to_a_human", "who_not_clear")


def test_danger_on_a_shared_number_is_nobody_else_s_answer() -> None:
    done = read("2", SHARED)
    assert (done.state, done.person_id, done.task) == ("flagged", None, RED_TODAY)


def test_one_question_on_a_shared_number_is_that_person_s() -> None:
    assert read("1", Standing((AMINA, JUMA), ALONE.prompts)).person_id == "amina"


def test_a_stranger_gets_no_reply_but_is_read() -> None:
    for text, state in [("hello", "to_a_human"), ("1", "to_a_human"), ("STOP", "opted_out")]:
        done = read(text, Standing())
        assert (done.state, done.reply) == (state, "")
    assert read("hello", Standing()).reason == "unknown_number"
    assert read("1", Standing()).reason == "unknown_number"
    assert read("2", Standing()).task == RED_TODAY


@pytest.mark.parametrize("text", ["HELP", "1", "hello"])
def test_a_loop_of_machines_ends_in_silence(text: str) -> None:
    looping = Standing(ALONE.people, ALONE.prompts, n_identical=3)
    done = read(text, looping)
    assert (done.state, done.reply, done.task, done.answers_id) == ("looping", "", None, None)
    assert read(text, Standing(ALONE.people, ALONE.prompts, n_identical=2)).state != "looping"


@pytest.mark.parametrize(
    ("text", "state"), [("STOP", "opted_out"), ("START", "opted_in"), ("2", "flagged")]
)
def test_a_loop_never_hides_stop_or_danger(text: str, state: str) -> None:
    done = read(text, Standing(ALONE.people, ALONE.prompts, n_identical=9))
    assert (done.state, done.reply) == (state, "")
    assert (done.task is not None) == (state == "flagged")


def test_three_replies_a_day_and_one_confirmation() -> None:
    full = Standing(ALONE.people, ALONE.prompts, replies=("helped", "helped", "well_heard"))
    assert read("HELP", full).reply == ""
    assert read("1", full).state == "answered"
    assert read("STOP", full).reply == "stopped"
    confirmed = Standing(ALONE.people, ALONE.prompts, replies=("stopped",))
    assert read("STOP", confirmed).reply == ""
    assert read("START", confirmed).reply == "started"


@given(
    text=st.one_of(st.text(max_size=40), st.sampled_from(["1", "2", "stop", "1990", "help"])),
    n_people=st.integers(0, 3),
    n_prompts=st.integers(0, 3),
    n_identical=st.integers(0, 5),
    asked=st.booleans(),
)
def test_anything_ends_in_a_named_state(
    text: str, n_people: int, n_prompts: int, n_identical: int, asked: bool
) -> None:
    people = tuple(Sharer(f"p{at}", 1990 + at) for at in range(n_people))
    prompts = tuple(Prompt(f"m{at}", f"p{at}", NOON) for at in range(n_prompts))
    standing = Standing(people, prompts, "in1" if asked else None, n_identical)
    done = read(text, standing)
    assert done.state in INBOUND_STATES
    assert done.reason in REASONS
    # Whatever a human must see raises a task, and nothing else does.
    assert (done.task is not None) == (done.state in ("flagged", "to_a_human"))
    assert not (done.reply and not people)
