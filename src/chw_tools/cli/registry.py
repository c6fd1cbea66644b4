"""Commands about kept models: what there is, what stands in the way, who decides, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chw_tools.cli.models import models
from chw_tools.cli.options import Json
from chw_tools.cli.world import say, say_json, say_notes, say_table
from chw_tools.errors import MissingExtra, TrackingFailed

if TYPE_CHECKING:
    from chw_tools.model_registry import Entry, Gate
    from chw_tools.wiring import Parts

Outcome = Annotated[str, typer.Argument(help="The outcome foreseen, as `chw models list` says.")]
Version = Annotated[str, typer.Argument(help="The version, such as v3.")]
By = Annotated[str, typer.Option("--by", help="Who answers for it.")]
Why = Annotated[str, typer.Option("--why", help="The reason; it is kept.")]


def add_to(app: typer.Typer) -> None:
    """Nothing of its own: these commands belong to `chw models`."""


@models.command("list", epilog="Example: chw models list --json")
def list_models(context: typer.Context, json: Json = False) -> None:
    """Every kept model: its stage, whether it is in use, and how it was judged."""
    from chw_tools.model_registry.described import describe, said, survey

    with context.obj.parts() as parts:
        entries, faults = survey(parts.models)
        rows = [describe(parts.models, entry) for entry in entries]
    if json:
        say_json(rows)
        return
    for outcome in dict.fromkeys(row["outcome"] for row in rows):
        table = [
            (
                row["version"],
                _stage_of(row),
                row["recipe"],
                row["population"],
                row["fault"] or said(row["measures"].get("auc")),
                "number" if row["number_shown"] else "band",
                row["by"],
            )
            for row in rows
            if row["outcome"] == outcome
        ]
        columns = ["Version", "Stage", "Recipe", "People", "AUC (95 %)", "Shown as", "By"]
        say_table(outcome, columns, table)
        _say_rules(parts, outcome)
    say_notes([f"Not listed: {fault}" for fault in faults])
    say("Next: chw models show OUTCOME VERSION · chw models gates OUTCOME VERSION")


def _stage_of(row: dict[str, Any]) -> str:
    alias = ", ".join(row["aliases"])
    return f"{row['stage']} ({alias})" if alias else str(row["stage"])


def _say_rules(parts: Parts, outcome: str) -> None:
    rules = parts.models.standing(outcome).rules
    if rules is not None:
        say(f"{outcome}: guideline rules without a model ({rules.said}).")


@models.command(epilog="Example: chw models show hospital_admission_180d v1")
def show(context: typer.Context, outcome: Outcome, version: Version, json: Json = False) -> None:
    """One model: where it stands, whence it came, how it was judged, what was decided."""
    from chw_tools.model_registry.described import SHOWN, describe, said

    with context.obj.parts() as parts:
        row = describe(parts.models, parts.models.find(outcome, version))
        history = [d for d in parts.models.history(outcome) if d.version in (version, "")]
        gates = parts.models.check_gates(outcome, version, population=parts.store.population)
    if json:
        row |= {"history": [d.as_dict() for d in history], "gates": [g.as_dict() for g in gates]}
        say_json(row)
        return
    judged = row["judged_by"]
    facts = {
        "Stage": f"{_stage_of(row)}, by {row['by']} since {row['at'][:10]}",
        "Why": row["why"],
        "Despite": ", ".join(row["despite"]),
        "Trained on": f"{row['population']} people, recipe {row['recipe']}",
        "Made from": row["parent"],
        "Data": (row["data_digest"] or "")[:16],
        "Made": f"{row['created_at'][:16].replace('T', ' ')} by {row['code_version']}",
        "Digest": row["manifest_sha256"][:16],
        "Judged by": f"{judged['n']:,} people, {judged['n_events']:,} events"
        if judged["n"]
        else "nobody",
        **{words: said(row["measures"].get(name)) for name, words in SHOWN.items()},
        "Shown as": row["number_why"],
        "Fault": row["fault"],
    }
    told = [(name, value) for name, value in facts.items() if value]
    say_table(f"{outcome} {version}", ["", ""], told)
    _say_gates(gates)
    for decision in history:
        say(f"{decision.at[:10]}  {decision.act}  {decision.said}")


@models.command(epilog="Example: chw models compare hospital_admission_180d v1 v2")
def compare(
    context: typer.Context,
    outcome: Outcome,
    first: Version,
    second: Version,
    json: Json = False,
) -> None:
    """Two models side by side, each as it was judged."""
    from chw_tools.model_registry.described import SHOWN, describe, said

    with context.obj.parts() as parts:
        found = [describe(parts.models, parts.models.find(outcome, v)) for v in (first, second)]
    if json:
        say_json(found)
        return
    lines = [
        ("Stage", *(_stage_of(row) for row in found)),
        *((name.capitalize(), *(row[name] for row in found)) for name in ("recipe", "population")),
        ("Judged by", *(f"{row['judged_by']['n'] or 0:,} people" for row in found)),
        *(
            (words, *(said(row["measures"].get(name)) for row in found))
            for name, words in SHOWN.items()
        ),
        ("Shown as", *("number" if row["number_shown"] else "band" for row in found)),
        ("Data", *((row["data_digest"] or "")[:16] for row in found)),
    ]
    say_table(outcome, ["", first, second], lines)
    if found[0]["judged_by"] != found[1]["judged_by"]:
        say("Note: the two were not judged by the same people; judge both with chw evaluate.")


@models.command(epilog="Example: chw models gates hospital_admission_180d v1")
def gates(context: typer.Context, outcome: Outcome, version: Version, json: Json = False) -> None:
    """What a model must pass before it may be approved: each with its figure and the cure."""
    with context.obj.parts() as parts:
        found = parts.models.check_gates(outcome, version, population=parts.store.population)
    if json:
        say_json([gate.as_dict() for gate in found])
        return
    _say_gates(found)
    stopping = [gate for gate in found if gate.state == "fail"]
    if not stopping:
        say(f'Next: chw models approve {outcome} {version} --by "NAME"')
    elif not any(gate.is_firm for gate in stopping):
        names = " ".join(f"--despite {gate.name}" for gate in stopping)
        say(f"To approve it all the same, with a reason that is kept: {names} --why REASON")


def _say_gates(found: list[Gate]) -> None:
    words = {"pass": "pass", "fail": "FAIL", "not_reported": "–"}
    rows = [(words[gate.state], gate.name, gate.figure) for gate in found]
    say_table("Gates", ["", "Gate", "Figure"], rows)
    for gate in found:
        if gate.state == "fail":
            say(f"{gate.name}: {gate.cure}")


@models.command(
    epilog='Examples: chw models approve diabetes v1 --by "Dr Achieng" · '
    'chw models approve diabetes v1 --by "Dr Achieng" --despite calibration --why "bands only"'
)
def approve(
    context: typer.Context,
    outcome: Outcome,
    version: Version,
    by: By,
    why: Why = "",
    despite: Annotated[
        list[str] | None, typer.Option("--despite", help="A failed gate to override; repeat.")
    ] = None,
) -> None:
    """Approve a model for use, if it passes its gates; the one approved before is retired."""
    from chw_tools.model_registry import approve_model

    with context.obj.parts() as parts:
        known = [g.name for g in parts.models.check_gates(outcome, version)]
        odd = sorted(set(despite or ()) - set(known))
        if odd:
            raise typer.BadParameter(f"no such gate; there are: {', '.join(known)}")
        entry = approve_model(
            parts.models,
            outcome,
            version,
            by=by,
            at=datetime.now(UTC),
            why=why,
            population=parts.store.population,
            despite=despite or (),
            private_key=_signing_key(parts),
        )
        _mirror(parts, outcome)
    signed = " Signed." if context.obj.settings.signing_key else ""
    _say_decided(entry, f"{signed} It is in use from now on.")


@models.command(epilog='Example: chw models retire diabetes v1 --by "Dr Achieng"')
def retire(
    context: typer.Context, outcome: Outcome, version: Version, by: By, why: Why = ""
) -> None:
    """Take a model out of use; it stays, so that old risks can be recomputed."""
    from chw_tools.model_registry import retire_model

    with context.obj.parts() as parts:
        entry = retire_model(parts.models, outcome, version, by=by, at=datetime.now(UTC), why=why)
        _mirror(parts, outcome)
    _say_decided(entry)


@models.command(
    epilog='Examples: chw models shadow diabetes v2 --by "Dr Achieng" --why "try it" · '
    'chw models shadow diabetes --off --by "Dr Achieng"'
)
def shadow(
    context: typer.Context,
    outcome: Outcome,
    version: Annotated[str | None, typer.Argument(help="The version, such as v3.")] = None,
    by: By = "",
    why: Why = "",
    off: Annotated[bool, typer.Option("--off", help="End the trial.")] = False,
) -> None:
    """Put a model on trial: it scores beside the one in use, is shown to nobody, orders nothing."""
    from chw_tools.model_registry import shadow_model

    if (version is None) != off:
        raise typer.BadParameter("give a version, or --off")
    with context.obj.parts() as parts:
        entry = shadow_model(parts.models, outcome, version, by=by, at=datetime.now(UTC), why=why)
        _mirror(parts, outcome)
    if entry is None:
        say(f"{outcome}: no model is on trial.")
    else:
        say(f"{outcome} {entry.version} is on trial, beside the one in use.")


@models.command(
    epilog='Examples: chw models rollback diabetes --by "Dr Achieng" --why "missed cases" · '
    'chw models rollback diabetes --to rules --by "Dr Achieng" --why "doubts"'
)
def rollback(
    context: typer.Context,
    outcome: Outcome,
    by: By,
    why: Why,
    to: Annotated[str, typer.Option(help="previous, or rules: no model at all.")] = "previous",
) -> None:
    """Go back to the model approved before, or to guideline rules and the published score."""
    from chw_tools.model_registry import roll_back

    if to not in ("previous", "rules"):
        raise typer.BadParameter("--to is previous or rules")
    with context.obj.parts() as parts:
        entry = roll_back(
            parts.models, outcome, by=by, at=datetime.now(UTC), why=why, to_rules=to == "rules"
        )
        _mirror(parts, outcome)
    if entry is None:
        say(f"{outcome}: guideline rules and the published score alone, from the next plan on.")
    else:
        _say_decided(entry, " It is in use from now on.")


@models.command(
    epilog="Examples: chw models mirror · CHW_TRACKING_URI=http://server chw models mirror"
)
def mirror(context: typer.Context, json: Json = False) -> None:
    """Bring MLflow up to date with the kept models: runs, versions, aliases, stages.

    The folders are the truth; doing it twice changes nothing.
    """
    with context.obj.parts() as parts:
        if parts.tracker is None:
            say("Tracking is off (CHW_TRACKING_URI).")
            return
        done = parts.tracker.mirror()
    if json:
        say_json(done)
    else:
        say(f"{done.n_new:,} models mirrored, {done.n_there:,} were there: {done.place}")
        if done.n_refused:
            say(f"{done.n_refused:,} were not, since their files were changed: chw models list")


@models.command(
    epilog="Example: chw models export hospital_admission_180d v1 --format onnx --output risk.onnx"
)
def export(
    context: typer.Context,
    outcome: Outcome,
    version: Version,
    output: Annotated[Path, typer.Option("--output", help="The file to write.")],
    form: Annotated[str, typer.Option("--format", help="json, onnx, skops or joblib.")] = "json",
) -> None:
    """Write a model for other programs; its distance from our own risk is measured and told."""
    from chw_tools.model_registry.exporting import FORMATS, export_model

    if form not in FORMATS:
        raise typer.BadParameter(f"--format is one of {', '.join(FORMATS)}")
    with context.obj.parts() as parts:
        made = export_model(parts.models, outcome, version, form=form)
        population = parts.models.find(outcome, version).manifest["population"]
    output.write_bytes(made.content)
    say(f"{output}: {len(made.content):,} bytes")
    for note in made.notes:
        say(note)
    if population == "simulated":
        say("Trained on simulated people: it proves plumbing, not medicine.")


@models.command("new-key", epilog="Example: chw models new-key keys")
def make_key(
    folder: Annotated[Path, typer.Argument(help="Folder to write the two files to.")],
) -> None:
    """Make a key that signs approvals; the public half tells others whom to trust."""
    import os

    from chw_tools.model_registry.signatures import key_id, new_key

    private, public = new_key()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret, told = folder / "signing_key.pem", folder / "trusted_keys.txt"
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)
    with told.open("a", encoding="utf-8") as file:
        file.write(f"{public}  # {key_id(public)}\n")
    say(f"Secret, for whoever approves:  CHW_SIGNING_KEY={secret}")
    say(f"Public, for every machine:     CHW_TRUSTED_KEYS={told}")


def _signing_key(parts: Parts) -> bytes | None:
    if parts.settings.signing_key is None:
        return None
    from chw_tools.model_registry.signatures import read_signing_key

    return read_signing_key(parts.settings.signing_key)


def _mirror(parts: Parts, outcome: str) -> None:
    """Let MLflow know of a decision; it stands whether or not that succeeds."""
    if parts.tracker is None:
        return
    try:
        parts.tracker.mirror(outcome)
    except (MissingExtra, TrackingFailed) as error:
        say(f"Note: it is decided, and MLflow does not know of it: {error}")


def _say_decided(entry: Entry, more: str = "") -> None:
    say(f"{entry.outcome} {entry.version} is {entry.stage}.{more}")
    if entry.despite and entry.stage == "approved":
        say(f"Despite: {', '.join(entry.despite)} ({entry.why}).")
