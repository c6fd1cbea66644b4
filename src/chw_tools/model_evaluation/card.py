"""The model card: what a model is for, what it is not for, and how well it does, on a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chw_tools.model_evaluation.verdict import compute_calibration_verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chw_tools.model_evaluation.evaluation import Evaluation

#: Said wherever a model of simulated people is shown.
SIMULATED = (
    "Trained and judged on simulated people. This proves the plumbing, not medicine: nothing "
    "here says how the model would do among real people, and it may not score any."
)
#: Facts that are read by machines only, in the model's own file.
_LONG = ("ranges",)


@dataclass(frozen=True)
class About:
    """What a report and a card say of a model besides its measures.

    Parameters
    ----------
    outcome, label : str
        Name and words of what is foreseen.
    model, version, recipe : str
        Which model.
    population : {"simulated", "real"}
        Whom it was trained on and judged by.
    source : str
        Where the data came from.
    intended_use, not_for : str
        As the outcome's definition says.
    caveats : sequence of str
        What a reader must know.
    features : sequence of mapping
        The declaration of the inputs.
    trained_on : mapping
        Facts of the training.
    competing_events : sequence of str
        Events after which the outcome can no longer happen, as declared.
    edits : sequence of str
        What a person changed in the fitted model, by whom and when.
    versions : mapping of str to str
        Code and libraries that made it.
    may_know_them : bool
        Whether people it was trained on may be among those it was judged by.
    """

    outcome: str
    label: str
    model: str
    version: str
    recipe: str
    population: str
    source: str = ""
    intended_use: str = ""
    not_for: str = ""
    caveats: Sequence[str] = ()
    features: Sequence[Mapping[str, Any]] = ()
    trained_on: Mapping[str, Any] = field(default_factory=dict)
    competing_events: Sequence[str] = ()
    edits: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    may_know_them: bool = False


def write_card(about: About, evaluation: Evaluation | None) -> str:
    """The card as Markdown."""
    lines = [f"# {about.label}: {about.model} {about.version}", ""]
    if about.population == "simulated":
        lines += [f"> **Simulated people.** {SIMULATED}", ""]
    lines += [
        f"- Outcome: `{about.outcome}`",
        f"- Recipe: `{about.recipe}`",
        f"- Population: {about.population}" + (f" ({about.source})" if about.source else ""),
        f"- For: {about.intended_use or 'not stated'}",
        f"- Not for: {about.not_for or 'not stated'}",
        f"- Competing events: {', '.join(about.competing_events) or 'none declared'}",
        "",
        "## How well it does",
        "",
        *(_measures(evaluation) if evaluation else ["Not judged yet; it may not be approved."]),
        "",
        "## What it was made from",
        "",
        *[f"- {key}: {value}" for key, value in list_facts(about)],
        "",
        "## Changed by hand",
        "",
        *[f"- {edit}" for edit in about.edits or ("Nothing.",)],
        "",
        "## What to know",
        "",
        *[f"- {caveat}" for caveat in about.caveats],
        "- The guideline is the floor: a risk may raise the urgency of advice, never lower it.",
        "- A missing input is not a normal one; the model was fitted with gaps as they were.",
        "- What the reporting and bias checklists ask is answered in `tripod_ai.md` and "
        "`probast_ai.md`.",
        "",
        f"## Inputs ({len(about.features)})",
        "",
        "| Name | What | Kind | Unit |",
        "|---|---|---|---|",
        *[
            f"| `{f['name']}` | {f['label']} | {f['kind']} | {f.get('unit', '')} |"
            for f in about.features
        ],
    ]
    return "\n".join(lines) + "\n"


def list_facts(about: About) -> list[tuple[str, str]]:
    """What the training recorded of itself, and the versions that did it, in words."""
    facts = [
        (key.replace("_", " "), _said(value))
        for key, value in about.trained_on.items()
        if key not in _LONG
    ]
    return facts + [(f"version of {name}", said) for name, said in about.versions.items()]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{key.replace('_', ' ')}: {_said(v)}" for key, v in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(_said(one) for one in value) or "–"
    return str(value)


def _measures(evaluation: Evaluation) -> list[str]:
    said = [f"Judged by {evaluation.n:,} people held out, {evaluation.n_events:,} with the event."]
    for name, words in (
        ("auc", "AUC"),
        ("average_precision", "Average precision"),
        ("calibration_slope", "Calibration slope"),
        ("observed_to_expected", "Observed / expected"),
        ("recall", f"Events found in a list of {evaluation.capacity_share:.0%} of people"),
    ):
        row = evaluation.metrics.loc[name]
        said += [""] if name == "auc" else []
        said.append(f"- {words}: {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})")
    promise = evaluation.recall_threshold
    if promise is not None:
        said.append(
            f"- To find {promise.target:.0%} of events with {promise.confidence:.0%} confidence, "
            f"the list holds {promise.list_share:.0%} of people (from {promise.threshold:.2%})"
        )
    said.append(
        f"- Calibration error {evaluation.metrics.loc['calibration_error', 'value']:.4f}; by "
        f"chance up to {evaluation.chance.p95:.4f}"
    )
    shown, why = compute_calibration_verdict(evaluation)
    said.append(f"- Number shown to people: {'yes' if shown else 'no'}. {why}")
    return said
