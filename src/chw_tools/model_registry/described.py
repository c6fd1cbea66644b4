"""A kept model in a few words and figures, for lists and comparisons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from chw_tools.errors import ModelRefused
from chw_tools.model_registry.entries import is_version, read_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chw_tools.model_registry.entries import Entry
    from chw_tools.model_registry.registry import ModelRegistry

#: Measures that a list shows, in order, with their short names.
SHOWN = {
    "auc": "AUC",
    "calibration_slope": "Calibration slope",
    "observed_to_expected": "Observed / expected",
    "brier": "Brier score",
    "net_benefit": "Net benefit at capacity",
}


def survey(registry: ModelRegistry) -> tuple[list[Entry], list[ModelRefused]]:
    """Every entry that can be read, and of each other folder why it cannot.

    A list must show the sound models beside a broken one; whoever loads a model still stops
    at the first fault.
    """
    entries: list[Entry] = []
    faults: list[ModelRefused] = []
    outcomes = sorted(registry.root.iterdir()) if registry.root.is_dir() else []
    for parent in filter(Path.is_dir, outcomes):
        try:
            standing = registry.standing(parent.name)
        except ModelRefused as fault:
            faults.append(fault)
            continue
        for folder in sorted(f for f in parent.iterdir() if is_version(f.name)):
            try:
                entries.append(read_entry(folder, standing))
            except ModelRefused as fault:
                faults.append(fault)
    return sorted(entries, key=lambda entry: (entry.outcome, entry.number)), faults


def describe(registry: ModelRegistry, entry: Entry) -> dict[str, Any]:
    """What there is to say of a model: where it stands, whence it came, how it was judged.

    A model whose files were changed is described too, with ``fault`` saying so.
    """
    manifest = entry.manifest
    metrics, fault = _metrics(registry, entry)
    probability = manifest.get("probability") or {}
    kept = ("recipe", "population", "parent", "data_digest", "code_version", "created_at", "run_id")
    return {
        "outcome": entry.outcome,
        "version": entry.version,
        "stage": entry.stage,
        "aliases": list(entry.aliases),
        "by": entry.by,
        "at": entry.at,
        "why": entry.why,
        "despite": list(entry.despite),
        **{name: manifest.get(name) for name in kept},
        "manifest_sha256": entry.manifest_sha256,
        "number_shown": probability.get("shown") is True,
        "number_why": probability.get("why", ""),
        "judged_by": {name: metrics.get(name) for name in ("n", "n_events")},
        "measures": _measures(metrics),
        "fault": fault,
    }


def _metrics(registry: ModelRegistry, entry: Entry) -> tuple[Mapping[str, Any], str]:
    try:
        return registry.read_metrics(entry), ""
    except ModelRefused as error:
        return {}, error.what


def _measures(metrics: Mapping[str, Any]) -> dict[str, dict[str, float | None]]:
    return {
        row["name"]: {end: row.get(end) for end in ("value", "low", "high")}
        for row in metrics.get("metrics") or []
        if row["name"] in SHOWN
    }


def said(measure: Mapping[str, float | None] | None) -> str:
    """A measure with its interval: ``0.801 (0.780 to 0.822)``."""
    if not measure or measure.get("value") is None:
        return "not known"
    value, low, high = (measure[end] for end in ("value", "low", "high"))
    interval = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
    return f"{value:.3f}{interval}"
