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
        "",
        "## How well it does",
        "",
        *(_measures(evaluation) if evaluation else ["Not judged yet; it may not be approved."]),
        "",
        "## What it was made from",
        "",
        *[f"- {key.replace('_', ' ')}: {value}" for key, value in about.trained_on.items()],
        "",
        "## What to know",
        "",
        *[f"- {caveat}" for caveat in about.caveats],
        "- The guideline is the floor: a risk may raise the urgency of advice, never lower it.",
        "- A missing input is not a normal one; the model was fitted with gaps as they were.",
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
        said.append(f"- {words}: {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})")
    shown, why = compute_calibration_verdict(evaluation)
    said.append(f"- Number shown to people: {'yes' if shown else 'no'}. {why}")
    return said
