"""Commands around messages: what may be sent, whose number works, what people wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chw_tools.cli.options import Json
from chw_tools.cli.world import World, frame_rows, say, say_json, say_table

if TYPE_CHECKING:
    import pandas as pd

    from chw_tools.outreach.templates import Preview

_EXAMPLES = {
    "templates": "Examples: chw outreach templates · chw outreach templates --preview",
    "numbers": "Examples: chw outreach numbers · chw outreach numbers --people --json",
    "inbox": "Examples: chw outreach inbox · chw outreach inbox --state to_a_human",
}


def add_to(outreach: typer.Typer) -> None:
    """Add this module's commands to those about outreach."""
    for act in (templates, numbers, inbox):
        outreach.command(act.__name__, epilog=_EXAMPLES[act.__name__])(act)


def templates(
    context: typer.Context,
    language: Annotated[str | None, typer.Option(help="One language only, such as sw.")] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show each text as it would arrive.")
    ] = False,
    json: Json = False,
) -> None:
    """Every message that may be sent: versions, who approved what, SMS each takes.

    Exit code 1 if one of them cannot be sent as it is worded.
    """
    from chw_tools.workflows.messages import preview_templates

    world: World = context.obj
    found = preview_templates(folder=world.settings.programme, language=language)
    if json:
        say_json([_plain(one) for one in found])
    else:
        _say_templates(found, texts=preview)
    if any(one.rendered.faults for one in found):
        raise typer.Exit(1)


def _plain(one: Preview) -> dict[str, object]:
    size = one.rendered.size
    return {
        "template": one.template,
        "version": one.version,
        "language": one.wording,
        "kind": one.kind,
        "state": one.state,
        "encoding": size.encoding,
        "n_units": size.n_units,
        "n_segments": size.n_segments,
        "faults": list(one.rendered.faults),
        "text": one.rendered.text,
    }


def _say_templates(found: list[Preview], *, texts: bool) -> None:
    if texts:
        for one in found:
            size = one.rendered.size
            cost = f"{size.n_segments} SMS, {size.encoding}, {size.n_left} left"
            say(f"{one.template} v{one.version} [{one.wording}, {one.state}] {cost}")
            say(f"  {one.rendered.text or '(not worded)'}")
            for fault in one.rendered.faults:
                say(f"  cannot be sent: {fault}")
        return
    rows = [
        (
            one.template,
            one.version,
            one.wording,
            one.state,
            one.rendered.segments,
            one.rendered.size.encoding,
            ", ".join(one.rendered.faults) or "-",
        )
        for one in found
    ]
    columns = ["Template", "Version", "Language", "State", "SMS", "Alphabet", "Faults"]
    say_table("Messages that may be sent", columns, rows)
    if any(one.state == "draft" for one in found):
        say("Drafts go to simulated people only, whom no provider reaches.")


def numbers(
    context: typer.Context,
    people: Annotated[
        bool, typer.Option("--people", help="List the people whose number cannot be written to.")
    ] = False,
    json: Json = False,
) -> None:
    """Whose telephone number can be written to, what is wrong with the others, who shares one."""
    from chw_tools.workflows.numbers import check_numbers

    world: World = context.obj
    with world.parts() as parts:
        country = parts.programme.country
        found = check_numbers(store=parts.store, country=country)
    wrong = found[~found["can_text"]]
    if json:
        say_json({"counts": _count(found), "people": frame_rows(wrong) if people else []})
        return
    rows = [(row["kind"], row["fault"] or "-", row["n"]) for row in _count(found)]
    say_table("Numbers in the register", ["Kind", "Fault", "People"], rows)
    n_sharing = int((found["n_sharing"] > 1).sum())
    say(f"{int(found['can_text'].sum())} of {len(found)} can be written to; "
        f"{n_sharing} share a number with somebody.")  # fmt: skip
    if not country:
        say("The programme names no country: numbers without a country code cannot be read.")
    if people and len(wrong):
        kinds = wrong[["person_id", "kind", "fault"]].itertuples(index=False)
        say_table("Cannot be written to", ["Person", "Kind", "Fault"], [tuple(k) for k in kinds])


def _count(found: pd.DataFrame) -> list[dict[str, object]]:
    counts = found.groupby(["kind", "fault"]).size().sort_values(ascending=False)
    return [{"kind": kind, "fault": fault, "n": int(n)} for (kind, fault), n in counts.items()]


def inbox(
    context: typer.Context,
    state: Annotated[
        str | None, typer.Option(help="List the messages in one state, such as to_a_human.")
    ] = None,
    json: Json = False,
) -> None:
    """What people wrote: how many messages are in each state, or those in one.

    Messages that wait are read first.
    """

    from chw_tools.errors import InputError
    from chw_tools.records.contacting import INBOUND_STATES
    from chw_tools.wiring import build_inbox

    if state is not None and state not in INBOUND_STATES:
        raise InputError(
            "There is no such state.", cure=f"Give one of {', '.join(INBOUND_STATES)}."
        )
    world: World = context.obj
    with world.parts() as parts:
        kept = build_inbox(parts, by="command")
        kept.read_all(now=parts.clock()())
        counts = kept.status().by_state
        letters = kept.letters(state=state) if state is not None else []
    shown = [
        {"id": one.id, "at": one.received_at.isoformat(), "person_id": one.person_id,
         "state": one.state, "reason": one.reason, "text": one.text}
        for one in letters
    ]  # fmt: skip
    if json:
        say_json({"counts": counts, "messages": shown})
        return
    say_table("Messages received", ["State", "Messages"], sorted(counts.items()))
    for row in shown:
        say(f"{row['at']} {row['reason']} {row['person_id'] or '(nobody known)'}: {row['text']}")
