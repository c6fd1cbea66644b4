"""What a model must pass before it may be approved, each with its figure and the cure.

The gates read what the judgement of the model left (``metrics.json``) and what the registry has
just found out by loading it. All limits are decisions of this project unless a source stands
beside them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

State = Literal["pass", "fail", "not_reported"]

#: A subgroup whose whole 95 % interval of observed / expected lies outside gets wrong numbers.
SUBGROUP_RANGE = (0.9, 1.1)
#: In the words of the training, where its people were not enough.
TOO_FEW = "too few"
#: Gates that nobody may override: the file is not what was judged, or scores the wrong people.
FIRM = ("files", "parity", "population")


@dataclass(frozen=True)
class Gate:
    """One thing asked of a model.

    Parameters
    ----------
    name : str
        Short, as ``--despite`` takes it.
    state : {"pass", "fail", "not_reported"}
        ``not_reported`` lets pass where the figure is optional.
    figure : str
        What was found.
    cure : str
        What to do where it fails.
    """

    name: str
    state: State
    figure: str
    cure: str = ""

    @property
    def is_firm(self) -> bool:
        """Whether nobody may override it."""
        return self.name in FIRM

    def as_dict(self) -> dict[str, Any]:
        """For the record of an approval, and for machines."""
        return asdict(self) | {"is_firm": self.is_firm}


@dataclass(frozen=True)
class Examined:
    """What the registry found out about a model by loading it.

    Parameters
    ----------
    outcome, version, population : str
        Which, and whom it was trained on.
    files_fault, parity_fault : str
        Why the files or the golden rows were refused; empty where they were not.
    parity : float or None
        Largest distance of a golden row's risk from the one kept with it.
    names : sequence of str
        Files beside the model.
    metrics : mapping
        What ``metrics.json`` says.
    sample_size : str
        What the training said on whether its people were enough; empty where nothing.
    """

    outcome: str
    version: str
    population: str
    files_fault: str
    parity_fault: str
    parity: float | None
    names: Sequence[str]
    metrics: Mapping[str, Any]
    sample_size: str = ""


def check_gates(examined: Examined, *, population: str | None) -> list[Gate]:
    """Every gate of one model, in the order in which a person would ask.

    Parameters
    ----------
    examined : Examined
        The model.
    population : str or None
        Whom it is to score: ``simulated`` or ``real``; None where nobody is registered yet.
    """
    judged = examined.metrics
    read: tuple[Callable[[Mapping[str, Any]], Gate], ...] = (
        _calibration,
        _subgroups,
        _baselines,
        _net_benefit,
    )
    return [
        _files(examined),
        _parity(examined),
        _population(examined, population),
        _report(examined),
        *(gate(judged) for gate in read),
        _sample_size(examined.sample_size),
    ]


def failed(gates: Iterable[Gate], *, despite: Iterable[str] = ()) -> list[Gate]:
    """The gates that stand in the way, but those overridden that may be."""
    overridden = set(despite)
    return [g for g in gates if g.state == "fail" and (g.is_firm or g.name not in overridden)]


def _gate(name: str, passed: bool, figure: str, cure: str) -> Gate:
    return Gate(name, "pass" if passed else "fail", figure, "" if passed else cure)


def _files(examined: Examined) -> Gate:
    figure = examined.files_fault or f"{len(examined.names)} files, each as its digest says"
    return _gate("files", not examined.files_fault, figure, "Restore them, or train again.")


def _parity(examined: Examined) -> Gate:
    if examined.parity is None:
        figure = examined.parity_fault or "the golden rows could not be scored"
        return _gate("parity", False, figure, "Train again.")
    figure = f"golden rows scored as when it was kept (largest distance {examined.parity:.1g})"
    return _gate("parity", True, figure, "")


def _population(examined: Examined, population: str | None) -> Gate:
    whom = population or examined.population
    return _gate(
        "population",
        examined.population == whom,
        f"trained on {examined.population} people, to score {whom} ones",
        "Train on this programme's own people; published scores need no training.",
    )


def _report(examined: Examined) -> Gate:
    if examined.files_fault:
        return _gate("report", False, "cannot be read, as its files", "Mend the files first.")
    missing = sorted({"card.md", "metrics.json"} - set(examined.names))
    figure = "card and judgement are beside it" if not missing else f"lacks {', '.join(missing)}"
    return _gate("report", not missing, figure, "Train it again, with its report.")


def _calibration(judged: Mapping[str, Any]) -> Gate:
    held = judged.get("probability") or {}
    return _gate(
        "calibration",
        held.get("shown") is True,
        str(held.get("why") or "the numbers were never judged"),
        "Train on more people, or recalibrate; until then bands only.",
    )


def _subgroups(judged: Mapping[str, Any]) -> Gate:
    groups = judged.get("subgroups")
    cure = "See the report: train with more of these people, or limit whom the model is for."
    if not groups:
        return _gate("subgroups", False, "no subgroup was judged", cure)
    low, high = SUBGROUP_RANGE
    off = [
        f"{group['by']} {group['group']}: {_said(group, 'observed_to_expected')}"
        for group in groups
        if not group["is_few"] and _is_outside(group, "observed_to_expected", low, high)
    ]
    n_few = sum(bool(group["is_few"]) for group in groups)
    if n_few == len(groups):
        figure = f"each of {n_few} had too few events to tell"
        return _gate("subgroups", False, figure, "Judge it by more people.")
    if off:
        figure = f"observed / expected wholly outside {low:g} to {high:g} in {'; '.join(off)}"
    else:
        figure = f"of {len(groups) - n_few} judged none wholly outside {low:g} to {high:g}"
    few = f" ({n_few} more with too few events to tell)" if n_few else ""
    return _gate("subgroups", not off, figure + few, cure)


def _is_outside(group: Mapping[str, Any], name: str, low: float, high: float) -> bool:
    bottom, top = group.get(f"{name}_low"), group.get(f"{name}_high")
    return bottom is not None and top is not None and (top < low or bottom > high)


def _said(row: Mapping[str, Any], name: str) -> str:
    return f"{row[name]:.2f} ({row[f'{name}_low']:.2f} to {row[f'{name}_high']:.2f})"


def _baselines(judged: Mapping[str, Any]) -> Gate:
    """The model must order people better than age alone, and than one risk for all.

    Where the judgement holds the gain on the same people its interval must lie above 0; else
    the lower end of the model's AUC above the plain model's AUC.
    """
    rows = {str(row["name"]): row for row in judged.get("comparisons") or []}
    model = rows.pop(str(judged.get("model")), None)
    cure = "Use the plain rule or a published score instead, or train on more people."
    if model is None or not rows or model.get("auc_low") is None:
        return _gate("baseline", False, "no plain model was compared with it", cure)
    not_beaten, best = [], max(rows.values(), key=lambda row: row.get("auc") or 0.0)
    for name, row in rows.items():
        gain = row.get("auc_gain_low")
        beaten = gain > 0 if gain is not None else model["auc_low"] > row["auc"]
        if not beaten:
            not_beaten.append(f"{name} (AUC {row['auc']:.3f})")
    figure = f"AUC {_said(model, 'auc')}"
    if not_beaten:
        return _gate("baseline", False, f"{figure} does not beat {', '.join(not_beaten)}", cure)
    against = f"{best['name']} {best['auc']:.3f}"
    return _gate("baseline", True, f"{figure}; the best plain model, {against}", cure)


def _net_benefit(judged: Mapping[str, Any]) -> Gate:
    """At the threshold of the judgement the model must do better than visiting all, or none."""
    found = {str(row["name"]): row for row in judged.get("metrics") or []}
    row, threshold = found.get("net_benefit"), judged.get("threshold")
    cure = "The model does not help to decide; use guideline rules and overdue time."
    if row is None or row.get("value") is None or threshold is None:
        return Gate("net_benefit", "not_reported", "the judgement does not hold it")
    n, events = judged["n"], judged["n_events"]
    share = events / n
    to_all = share - (1 - share) * threshold / (1 - threshold) if threshold < 1 else 0.0
    least = row["value"] if row.get("low") is None else row["low"]
    figure = (
        f"{row['value']:.4f}, at the least {least:.4f}, at a risk of {threshold:.1%}; "
        f"all {to_all:.4f}, none 0"
    )
    return _gate("net_benefit", least > max(to_all, 0.0), figure, cure)


def _sample_size(said: str) -> Gate:
    """Where the training says how many people it needed (Riley 2020), it had them."""
    if not said:
        return Gate("sample_size", "not_reported", "not computed for this model")
    return _gate("sample_size", TOO_FEW not in said, said, "Train on more people.")
