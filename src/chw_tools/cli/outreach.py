"""Commands about messages to people: how they stand, the switch, a rehearsal, one's timeline."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chw_tools.cli import messages
from chw_tools.cli.options import Json, Output, Person
from chw_tools.cli.world import World, say, say_json, say_table

if TYPE_CHECKING:
    from chw_tools.outreach.rehearsal import Foreseen
    from chw_tools.programme.outreach import Outreach
    from chw_tools.store.outbox import OutboxStatus

outreach = typer.Typer(
    help="Messages to people: what goes out, what does not and why.", no_args_is_help=True
)
Channel = Annotated[str, typer.Argument(help="sms, whatsapp, email, or all.", metavar="[CHANNEL]")]
Why = Annotated[
    str, typer.Option("--why", help="A key that says why, such as wrong_texts; it is kept.")
]
#: Rows of a rehearsal at the terminal; all of them with --json or --output.
_SHOWN = 40


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    messages.add_to(outreach)
    app.add_typer(outreach, name="outreach")


@outreach.command(epilog="Example: chw outreach status --json")
def status(context: typer.Context, json: Json = False) -> None:
    """How messages stand: by channel and state, what is stopped, what waits."""
    from chw_tools.wiring import build_outbox

    with context.obj.parts() as parts:
        found = build_outbox(parts, by="status").status(now=parts.clock()())
    if json:
        say_json(found)
        return
    _say_channels(found)
    rows = [(channel, state.replace("_", " "), n) for channel, state, n in found.messages]
    say_table("Messages", ["Channel", "State", "Messages"], rows or [("none", "", 0)])
    say(
        f"Numbers that said STOP: {found.n_opted_out}; that do not work: {found.n_bad_numbers}. "
        f"Reports on messages that are not known: {found.n_unmatched_receipts}."
    )
    if found.oldest_due_at is not None:
        say(f"The oldest due message waits since {found.oldest_due_at:%Y-%m-%d %H:%M} UTC.")
    say("Next: chw outreach rehearse · chw outreach stop · chw worker")


def _say_channels(found: OutboxStatus) -> None:
    rows = [
        (
            "all" if one.channel == "*" else one.channel,
            "stopped" if one.is_stopped else "refused by provider" if one.is_broken else "sends",
            one.reason.replace("_", " ") if one.is_stopped or one.is_broken else "",
            one.n_sent_today,
        )
        for one in found.channels
    ]
    say_table("Channels", ["Channel", "Now", "Why", "Segments today"], rows)


@outreach.command(epilog="Examples: chw outreach stop · chw outreach stop sms --why wrong_texts")
def stop(context: typer.Context, channel: Channel = "all", why: Why = "by_hand") -> None:
    """Stop all messages, or those of a channel: no send begins after this command ended."""
    from chw_tools.wiring import build_outbox

    with context.obj.parts() as parts:
        changed = build_outbox(parts, by="cli").stop(
            _channel(channel), now=parts.clock()(), reason=_key(why)
        )
    say(f"{_named(channel)} {'stopped' if changed else 'stood still already'}.")


@outreach.command(epilog="Example: chw outreach start sms")
def start(context: typer.Context, channel: Channel = "all") -> None:
    """Let all messages go again, or those of a channel, also one that its provider refused."""
    from chw_tools.wiring import build_outbox

    with context.obj.parts() as parts:
        outbox = build_outbox(parts, by="cli")
        changed = outbox.start(_channel(channel), now=parts.clock()())
        still = [one for one in outbox.status(now=parts.clock()()).channels if one.is_stopped]
    say(f"{_named(channel)} {'may go again' if changed else 'were not stopped by this switch'}.")
    for one in still:
        name = "All messages are" if one.channel == "*" else f"{one.channel} is"
        say(f"{name} still stopped: chw outreach start {'' if one.channel == '*' else one.channel}")


def _named(channel: str) -> str:
    return "All messages" if channel in ("all", "*") else f"Messages by {channel}"


def _channel(word: str) -> str:
    from chw_tools.errors import InputError
    from chw_tools.records.contacting import MESSAGE_CHANNELS
    from chw_tools.store.outbox import ALL

    if word in ("all", ALL):
        return ALL
    if word not in MESSAGE_CHANNELS:
        raise InputError(
            "is no channel.", where=word, cure=f"One of {', '.join(MESSAGE_CHANNELS)}."
        )
    return word


def _key(why: str) -> str:
    """A reason as a key: what is kept with a switch is shown and must hold nobody's name."""
    from chw_tools.errors import InputError

    if not (why.isascii() and why.replace("_", "").isalnum() and why.islower()):
        raise InputError("is no key.", where="--why", cure="Lower case and _, such as wrong_texts.")
    return why


@outreach.command(epilog="Examples: chw outreach rehearse --days 3 · chw outreach rehearse --json")
def rehearse(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=60, help="How far to look.")] = 3,
    json: Json = False,
    output: Output = None,
) -> None:
    """What would be sent in the days to come, hour by hour, each refusal with its gate.

    Nothing is sent and nothing is changed. Facts are those of now: who consents, comes or dies
    meanwhile is not foreseen.
    """
    from chw_tools.cli.working import gateways_of
    from chw_tools.outreach.rehearsal import rehearse as foresee
    from chw_tools.wiring import build_outbox

    with context.obj.parts() as parts:
        now = parts.clock()()
        gateways_of(context.obj, parts)  # a fault that the worker would meet is met here too
        outbox, policy = build_outbox(parts, by="rehearsal"), parts.programme.outreach
        ahead = outbox.outlook(now=now, until=now + timedelta(days=days))
        told = foresee(ahead, policy=policy, now=now, days=days)
    rows = [_row(one, policy) for one in told]
    if output is not None:
        import pandas as pd

        pd.DataFrame(rows).to_csv(output, index=False)
    if json:
        say_json({"from": now, "days": days, "messages": rows})
        return
    _say_rehearsal(told, policy)
    say("Nothing was sent.")


def _row(one: Foreseen, policy: Outreach) -> dict[str, Any]:
    """One line, without number and text: what a rehearsal shows may be passed on."""
    from chw_tools.outreach.windows import zone_of

    there = one.at.astimezone(zone_of(one.message.number, policy.quiet_hours))
    verdict = one.verdict
    return {
        "at": one.at.isoformat(timespec="seconds"),
        "local_time": f"{there:%Y-%m-%d %H:%M}",
        "message_id": one.message.id,
        "person_id": one.message.person_id,
        "channel": one.message.channel,
        "step": one.message.step,
        "template": one.message.template,
        "language": one.text.language if one.text else None,
        "segments": one.text.segments if one.text else None,
        "act": verdict.act,
        "gate": verdict.gate or None,
        "reason": verdict.reason or None,
        "moved_to": verdict.due_at.isoformat(timespec="seconds") if verdict.due_at else None,
    }


def _say_rehearsal(told: list[Foreseen], policy: Outreach) -> None:
    from chw_tools.outreach.windows import zone_named

    zone = zone_named(policy.quiet_hours.time_zone)
    hours: Counter[tuple[str, str, str]] = Counter()
    for one in told:
        hour = f"{one.at.astimezone(zone):%a %d %b %H:00}"
        verdict = one.verdict
        why = f"{verdict.gate}: {verdict.reason.replace('_', ' ')}" if verdict.gate else ""
        hours[hour, verdict.act, f"{one.message.channel}\x1f{why}"] += 1
    rows = [(hour, _ACTS[act], *rest.split("\x1f"), n) for (hour, act, rest), n in hours.items()]
    if not rows:
        say("Nothing comes due in these days.")
        return
    title = f"Hour by hour ({policy.quiet_hours.time_zone})"
    say_table(title, ["Hour", "What", "Channel", "Gate", "Messages"], rows[:_SHOWN])
    if len(rows) > _SHOWN:
        say(f"{len(rows) - _SHOWN} more lines: --json or --output FILE shows every message.")


_ACTS = {
    "send": "would be sent",
    "move": "moved to later",
    "suppress": "not sent",
    "expire": "too late",
    "hold": "held",
}


@outreach.command(epilog="Example: chw outreach timeline 018bcfe5-6800-7cc0-8b4f-000000000001")
def timeline(context: typer.Context, person: Person, json: Json = False) -> None:
    """Everything that was done about messages to one person, the oldest first."""
    from chw_tools.wiring import build_outbox

    world: World = context.obj
    with world.parts() as parts:
        told = build_outbox(parts, by="timeline").timeline(person)
    if json:
        say_json(told)
        return
    if not told:
        say("No message was ever planned for this person.")
        return
    rows = [
        (
            f"{one.at:%Y-%m-%d %H:%M:%S}",
            one.channel,
            one.step.replace("_", " ") or one.kind,
            one.after.replace("_", " "),
            " ".join(filter(None, (one.gate, one.reason.replace("_", " ")))),
            one.by,
        )
        for one in told
    ]
    say_table("Messages (UTC)", ["At", "Channel", "Step", "Now", "Why", "By"], rows)
