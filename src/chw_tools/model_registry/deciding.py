"""Decisions about kept models: approve, retire, put on trial, go back.

Each is made under the lock of its outcome and stands as soon as its line is written; what is
decided by two people at once is decided one after the other, and both are in the history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chw_tools.errors import ModelRefused
from chw_tools.model_registry.gates import FIRM, failed
from chw_tools.model_registry.history import Decision, deciding

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from chw_tools.model_registry.entries import Entry
    from chw_tools.model_registry.history import Act
    from chw_tools.model_registry.registry import ModelRegistry


def approve_model(
    registry: ModelRegistry,
    outcome: str,
    version: str,
    *,
    by: str,
    at: datetime,
    why: str = "",
    population: str | None = None,
    despite: Collection[str] = (),
    private_key: bytes | None = None,
) -> Entry:
    """Approve a model for use; the one approved before is retired.

    Parameters
    ----------
    registry : ModelRegistry
        Where it is kept.
    outcome, version : str
        Which.
    by, at, why
        Who, when (an aware instant), and why; the last is needed to override a gate.
    population : {"simulated", "real"}, optional
        Whom it is to score; by default whom it was trained on.
    despite : collection of str
        Gates that failed and are overridden.
    private_key : bytes, optional
        Signs the approval.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    ModelRefused
        If a gate stands in the way, or one is overridden without a reason or in vain.
    """
    _check_words(by, despite, why)
    with deciding(registry.root / registry.find(outcome, version).outcome) as log:
        entry = registry.find(outcome, version)
        gates = registry.check_gates(outcome, version, population=population)
        stopping = failed(gates, despite=despite)
        if stopping:
            raise ModelRefused(
                "it does not pass " + "; ".join(f"{g.name}: {g.figure}" for g in stopping),
                where=f"{outcome}/{version}",
                cure=" ".join(dict.fromkeys(g.cure for g in stopping if g.cure)),
            )
        decision = Decision(
            "approved",
            version,
            by=by,
            at=at.isoformat(),
            why=why,
            manifest_sha256=entry.manifest_sha256,
            gates={g.name: {"state": g.state, "figure": g.figure} for g in gates},
            despite=tuple(g.name for g in gates if g.state == "fail"),
            population=population or str(entry.manifest.get("population", "")),
        )
        if private_key is not None:
            from chw_tools.model_registry.signatures import sign_decision

            decision = sign_decision(decision, outcome=outcome, private_key=private_key)
        log.add(decision)
    return registry.find(outcome, version)


def retire_model(
    registry: ModelRegistry, outcome: str, version: str, *, by: str, at: datetime, why: str = ""
) -> Entry:
    """Take a model out of use; it stays, so that old risks can be recomputed.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    """
    _check_words(by)
    entry = registry.find(outcome, version)
    with deciding(registry.root / entry.outcome) as log:
        log.add(_plain("retired", entry, by=by, at=at, why=why))
    return registry.find(outcome, version)


def shadow_model(
    registry: ModelRegistry, outcome: str, version: str | None, *, by: str, at: datetime, why: str
) -> Entry | None:
    """Put a model on trial beside the one in use, or with None end the trial.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    ModelRefused
        If it is the one in use.
    """
    _check_words(by)
    if version is None:
        with deciding(registry.root / outcome) as log:
            if log.standing.shadow is not None:
                now = log.standing.shadow
                log.add(Decision("unshadowed", now, by=by, at=at.isoformat(), why=why))
        return None
    entry = registry.find(outcome, version)
    registry.load_model(outcome, version)
    with deciding(registry.root / entry.outcome) as log:
        if log.standing.champion == version:
            raise ModelRefused("it is in use already", where=f"{outcome}/{version}")
        log.add(_plain("shadowed", entry, by=by, at=at, why=why))
    return registry.find(outcome, version)


def roll_back(
    registry: ModelRegistry,
    outcome: str,
    *,
    by: str,
    at: datetime,
    why: str,
    to_rules: bool = False,
) -> Entry | None:
    """Go back to the model in use before, or to the guideline rules alone; gives the model.

    Raises
    ------
    ModelRefused
        If no model was in use before, it cannot be loaded any more, or no reason is given.
    """
    _check_words(by)
    if not why.strip():
        raise ModelRefused("going back needs a reason", cure="Give one with --why.")
    with deciding(registry.root / outcome) as log:
        standing = log.standing
        if to_rules:
            log.add(Decision("rolled_back", "", by=by, at=at.isoformat(), why=why))
            return None
        if not standing.earlier:
            raise ModelRefused(
                "no model was in use before",
                where=outcome,
                cure="Go back to the guideline rules with --to rules.",
            )
        entry = registry.find(outcome, standing.earlier[-1])
        registry.load_model(outcome, entry.version)
        log.add(_plain("rolled_back", entry, by=by, at=at, why=why))
    return registry.find(outcome, entry.version)


def _plain(act: Act, entry: Entry, *, by: str, at: datetime, why: str) -> Decision:
    return Decision(
        act,
        entry.version,
        by=by,
        at=at.isoformat(),
        why=why,
        manifest_sha256=entry.manifest_sha256,
    )


def _check_words(by: str, despite: Collection[str] = (), why: str = "") -> None:
    if not by.strip():
        raise ModelRefused("somebody must answer for it", cure="Give a name with --by.")
    firm = sorted(set(despite) & set(FIRM))
    if firm:
        raise ModelRefused(
            f"nobody may override {', '.join(firm)}",
            cure="The model is not what was judged, or is of other people; train again.",
        )
    if despite and not why.strip():
        raise ModelRefused("overriding a gate needs a reason", cure="Give one with --why.")
