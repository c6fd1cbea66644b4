"""The ladder, and that any order of events ends in a state that the machine allows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.outreach.advancing import LIVE, Course, advance
from chw_tools.outreach.calls import EFFECTS, snoozed_until, state_after
from chw_tools.outreach.enrolment import Reach, enrol
from chw_tools.outreach.machines import ENROLMENT
from chw_tools.outreach.tasks import OPEN, TASK
from chw_tools.programme.protocols import load_protocols
from chw_tools.programme.templates import load_templates
from chw_tools.records import conform, empty_table
from chw_tools.records.contacting import ENROLMENTS, FOLLOW_UPS, MESSAGES, TASK_EVENTS, TASKS

PERSON = "018bcfe5-6800-7cc0-8b4f-000000000001"
BEGIN = datetime(2026, 3, 2, 5, tzinfo=UTC)
PROTOCOLS = load_protocols()
TEMPLATES = load_templates().templates
REACH = Reach("+254712345678", True, frozenset({"sms", "call"}), "sw", "worker-1")


class World:
    """One follow-up and all that comes of it, on a clock that the test moves."""

    def __init__(self, *, urgency="within_days", reach=REACH):
        self.now = BEGIN
        self.reach = reach
        self.follow_ups = conform(
            FOLLOW_UPS,
            pd.DataFrame(
                [
                    {
                        "id": "018bcfe5-6800-7cc0-8b4f-0000000000aa",
                        "dedupe_key": "k",
                        "person_id": PERSON,
                        "rule_id": "pressure_rising",
                        "urgency": urgency,
                        "state": "open",
                        "facts": {},
                        "as_of": self.day,
                        "due_from": self.day,
                        "due_by": self.day + pd.Timedelta(days=7),
                        "made_at": BEGIN,
                        "changed_at": BEGIN,
                    }
                ]
            ),
        )
        self.enrolments = empty_table(ENROLMENTS)
        self.messages = empty_table(MESSAGES)
        self.tasks = empty_table(TASKS)
        self.events = empty_table(TASK_EVENTS)
        self.answered = pd.Series(dtype="datetime64[us, UTC]")
        self.seen = pd.Series(dtype="datetime64[s]")
        self.gone, self.withdrawn = {}, set()
        self.history = []
        self.monitor()

    @property
    def day(self):
        return pd.Timestamp(self.now.date())

    def monitor(self):
        """What one run of the day does."""
        advanced = advance(
            Course(
                self.enrolments[self.enrolments["state"].isin(LIVE)],
                self.follow_ups,
                self.messages,
                self.tasks,
                self.events,
                self.answered,
                self.seen,
                self.gone,
                self.withdrawn,
            ),
            protocols=PROTOCOLS,
            reaches={PERSON: self.reach},
            today=self.now.date(),
            now=self.now,
        )
        for move in advanced.enrolments:
            ENROLMENT.check(move.before, move.after)
            at = self.enrolments["id"] == move.id
            assert self.enrolments.loc[at, "state"].tolist() == [move.before]
            self.history.append((move.after, move.reason))
            self.enrolments.loc[at, ["state", "reason"]] = [move.after, move.reason]
            if move.after != "escalated":
                self.enrolments.loc[at, "closed_on"] = self.day
            mine = self.messages["enrolment_id"] == move.id
            waiting = mine & self.messages["state"].isin(["planned", "due", "retry_wait"])
            self.messages.loc[waiting, "state"] = "cancelled"
        for move in advanced.task_moves:
            TASK.check(move.before, move.after)
            self.tasks.loc[self.tasks["id"] == move.id, "state"] = move.after
        self.add_tasks(advanced.tasks)
        self.begin()
        return advanced

    def begin(self):
        if (self.follow_ups["state"] == "closed").any() or self.gone:
            return
        made = enrol(
            self.follow_ups,
            protocols=PROTOCOLS,
            templates=TEMPLATES,
            reaches={PERSON: self.reach},
            held=self.enrolments,
            withdrawn=self.withdrawn,
            as_of=self.now.date(),
            now=self.now,
        )
        self.enrolments = pd.concat([self.enrolments, made.enrolments], ignore_index=True)
        rows = [
            {"id": m.dedupe_key, "state": "planned", "made_at": self.now, "changed_at": self.now}
            | {name: getattr(m, name) for name in ("enrolment_id", "person_id", "step", "due_at")}
            for m in made.messages
        ]
        self.messages = conform(
            MESSAGES, pd.concat([self.messages, conform(MESSAGES, pd.DataFrame(rows))])
        )
        self.add_tasks(made.tasks)

    def add_tasks(self, tasks):
        new = tasks[~tasks["dedupe_key"].isin(self.tasks["dedupe_key"])]
        self.tasks = pd.concat([self.tasks, new], ignore_index=True)

    def wait(self, **length):
        self.now += timedelta(**length)
        due = (self.messages["state"] == "planned") & (self.messages["due_at"] <= self.now)
        self.messages.loc[due, "state"] = "due"

    def send(self, state="delivered", reason=None):
        due = self.messages["state"] == "due"
        handed = self.now if state not in ("suppressed", "expired") else pd.NaT
        self.messages.loc[due, ["state", "reason"]] = [state, reason]
        self.messages.loc[due, "handed_at"] = handed
        self.messages.loc[due, "changed_at"] = self.now

    def live(self, hours):
        """So many hours, looked at every six, messages going out as they fall due."""
        for _ in range(int(hours // 6)):
            self.wait(hours=6)
            self.send()
            self.monitor()

    def call(self, outcome):
        self.tried("call", outcome)

    def tried(self, kind, outcome):
        at = (self.tasks["kind"] == kind) & self.tasks["state"].isin(OPEN)
        if not at.any():
            return
        task = self.tasks[at].iloc[0]
        after = state_after(task["state"], outcome)
        if after != task["state"]:
            TASK.check(task["state"], after)
        mine = self.tasks["id"] == task["id"]
        until = snoozed_until(outcome, on=self.now.date())
        self.tasks.loc[mine, "state"] = after
        self.tasks.loc[mine, "snoozed_until"] = pd.Timestamp(until) if until else pd.NaT
        event = {"id": f"e{len(self.events)}", "task_id": task["id"], "at": self.now}
        self.events = conform(
            TASK_EVENTS,
            pd.concat([self.events, pd.DataFrame([event | {"outcome": outcome}])]),
        )
        effect = EFFECTS[outcome]
        if effect.closes:
            self.follow_ups = self.follow_ups.assign(state="closed", outcome=outcome)
        if effect.change:
            self.gone[PERSON] = effect.change
        if effect.withdraws:
            self.withdrawn.add((PERSON, "outreach"))

    def visit(self):
        self.seen = pd.Series({PERSON: self.day}, dtype="datetime64[s]")

    @property
    def state(self):
        return self.enrolments["state"].iloc[-1]

    def open_tasks(self):
        return self.tasks.loc[self.tasks["state"].isin(OPEN), "kind"].tolist()


def test_silence_of_48_hours_after_the_last_message_becomes_a_call():
    world = World()
    world.live(24 * 10 + 6)  # the last message goes on 12 March at 11
    assert (world.messages["state"] == "delivered").all()
    assert world.state == "active"
    world.live(36)
    assert world.state == "active"
    world.live(12)
    assert world.state == "escalated"
    assert world.open_tasks() == ["call"]
    assert world.tasks["reason"].tolist() == ["silent"]
    assert world.tasks["worker_id"].tolist() == ["worker-1"]


def test_an_answer_is_no_silence_and_a_visit_is_the_goal():
    world = World()
    world.live(24 * 6)
    world.answered = pd.Series({PERSON: world.now}, dtype="datetime64[us, UTC]")
    world.live(24 * 20)
    assert world.state == "active"
    assert not world.open_tasks()
    world.visit()
    world.monitor()
    assert world.history == [("goal_met", "seen")]
    assert not world.messages["state"].isin(["planned", "due"]).any()


def test_a_visit_takes_the_planned_messages_out():
    world = World()
    world.wait(days=2)
    world.visit()
    world.monitor()
    assert set(world.messages["state"]) == {"cancelled"}
    assert world.state == "goal_met"


def test_a_visit_of_before_is_no_goal():
    world = World()
    world.visit()
    world.monitor()
    assert world.state == "active"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("failed", "invalid"),
        ("expired", "stale"),
        ("suppressed", "no_consent"),
        ("unknown", "timeout"),
    ],
)
def test_a_message_that_did_not_arrive_becomes_a_call(state, reason):
    world = World()
    world.wait(days=4, hours=6)
    world.send(state, reason)
    world.wait(minutes=20)
    world.monitor()
    assert world.history == [("escalated", "undelivered")]
    assert world.open_tasks() == ["call"]
    assert set(world.messages["state"]) == {state, "cancelled"}


def test_what_is_unknown_is_waited_for():
    world = World()
    world.wait(days=4, hours=6)
    world.send("unknown", "timeout")
    world.wait(minutes=14)
    world.monitor()
    assert world.state == "active"


def test_the_holdout_is_called_as_late_as_those_who_were_written_to():
    world = World()
    for _ in range(12):
        world.wait(days=1, hours=1)
        world.send("suppressed", "holdout")
        world.monitor()
    assert world.history == [("escalated", "silent")]


def test_three_calls_on_three_days_become_a_visit():
    world = World(reach=replace(REACH, can_text=False))
    assert world.open_tasks() == ["call"]
    for _ in range(3):
        world.call("not_reachable")
    world.monitor()
    assert world.open_tasks() == ["call"]  # three on one day are one
    for _ in range(2):
        world.wait(days=1)
        world.call("not_reachable")
    world.monitor()
    assert world.open_tasks() == ["call", "visit"]
    visit = world.tasks[world.tasks["kind"] == "visit"].iloc[0]
    assert visit["reason"] == "no_answers"
    assert visit["due_on"] == world.day + pd.Timedelta(days=7)


def test_a_wrong_number_becomes_a_visit_at_once():
    world = World(reach=replace(REACH, can_text=False))
    world.call("wrong_number")
    world.monitor()
    assert world.open_tasks() == ["visit"]


def test_what_is_late_goes_to_the_supervisor_once():
    world = World(reach=replace(REACH, can_text=False))
    world.wait(days=5)
    world.monitor()
    assert "supervise" not in world.open_tasks()
    world.wait(days=1)
    world.monitor()
    world.monitor()
    assert world.open_tasks() == ["call", "supervise"]


def test_what_was_put_off_is_not_late():
    world = World(reach=replace(REACH, can_text=False))
    world.call("agreed")
    world.wait(days=29)
    world.monitor()
    assert world.open_tasks() == ["call"]
    world.wait(days=2)
    world.monitor()
    assert "supervise" in world.open_tasks()


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        ("died", "closed", "died"),
        ("moved", "closed", "moved"),
        ("refused", "withdrawn", "consent_withdrawn"),
        ("visited_elsewhere", "resolved", "visited_elsewhere"),
    ],
)
def test_what_a_call_ends_is_ended_everywhere(outcome, state, reason):
    world = World(reach=replace(REACH, can_text=False))
    world.call(outcome)
    world.monitor()
    assert world.history == [(state, reason)]
    assert not world.open_tasks()


def test_a_visit_that_was_made_completes_its_task():
    world = World(urgency="same_day")
    assert world.open_tasks() == ["visit"]
    world.wait(days=1)
    world.visit()
    world.monitor()
    assert world.history == [("resolved", "seen")]
    assert world.tasks["state"].tolist() == ["completed"]


def test_an_enrolment_ends_with_time_but_never_while_a_human_has_it():
    world = World()
    world.live(24 * 4)
    world.answered = pd.Series(
        {PERSON: world.now + timedelta(days=90)}, dtype="datetime64[us, UTC]"
    )
    for _ in range(64):
        world.wait(days=1)
        world.monitor()
    assert world.history == [("expired", "time_over")]
    human = World(urgency="same_day")
    human.wait(days=200)
    human.monitor()
    assert human.state == "escalated"
    assert human.follow_ups["state"].tolist() == ["open"]


def test_a_protocol_that_is_gone_ends_its_enrolments():
    world = World()
    course = Course(world.enrolments, world.follow_ups, world.messages, world.tasks, world.events)
    gone = advance(course, protocols={}, reaches={}, today=world.now.date(), now=world.now)
    assert [(m.after, m.reason) for m in gone.enrolments] == [("closed", "no_protocol")]
    lost = advance(
        replace(course, follow_ups=world.follow_ups.iloc[:0]),
        protocols=PROTOCOLS,
        reaches={},
        today=world.now.date(),
        now=world.now,
    )
    assert [m.reason for m in lost.enrolments] == ["no_follow_up"]


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 200)),
        st.tuples(
            st.just("send"),
            st.sampled_from(
                ["delivered", "failed", "unknown", "expired", "suppressed", "accepted"]
            ),
        ),
        st.tuples(st.just("call"), st.sampled_from(sorted(EFFECTS))),
        st.tuples(st.just("visit_try"), st.sampled_from(sorted(EFFECTS))),
        st.tuples(
            st.sampled_from(["visit", "die", "move", "withdraw", "answer", "close", "monitor"]),
            st.none(),
        ),
    ),
    max_size=30,
)


@given(EVENTS, st.sampled_from(["within_days", "routine", "same_day"]), st.booleans())
@settings(max_examples=15, deadline=None)
def test_any_order_of_events_ends_in_a_legal_state_and_nothing_is_planned_after_it(
    events, urgency, can_text
):
    world = World(urgency=urgency, reach=replace(REACH, can_text=can_text))
    for what, value in events:
        if what == "wait":
            world.wait(hours=value)
        elif what == "send":
            world.send(value)
        elif what == "call":
            world.call(value)
        elif what == "visit_try":
            world.tried("visit", value)
        elif what == "visit":
            world.visit()
        elif what in ("die", "move"):
            world.gone[PERSON] = "died" if what == "die" else "moved"
        elif what == "withdraw":
            world.withdrawn |= {(PERSON, "outreach"), (PERSON, "home_visit")}
        elif what == "answer":
            world.answered = pd.Series({PERSON: world.now}, dtype="datetime64[us, UTC]")
        elif what == "close":
            world.follow_ups = world.follow_ups.assign(state="closed", outcome="measured")
        else:
            world.monitor()
    world.monitor()
    ended = set(world.enrolments.loc[~world.enrolments["state"].isin(LIVE), "id"])
    assert set(world.enrolments["state"]) <= set(ENROLMENT.moves)
    waiting = world.messages["state"].isin(["planned", "due", "retry_wait"])
    assert ended.isdisjoint(world.messages.loc[waiting, "enrolment_id"])
    is_open = world.tasks["state"].isin(OPEN)
    assert ended.isdisjoint(world.tasks.loc[is_open, "enrolment_id"])
    if world.gone or len(world.withdrawn) > 1 or (world.follow_ups["state"] == "closed").all():
        assert not waiting.any()
        assert not is_open.any()
    # A second look at the same facts changes nothing.
    again = world.monitor()
    assert not again.enrolments
    assert not again.task_moves
    assert set(again.tasks["dedupe_key"]) <= set(world.tasks["dedupe_key"])
