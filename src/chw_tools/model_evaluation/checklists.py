"""TRIPOD+AI and PROBAST+AI, answered from what is known of a model.

The items are put in our own words; the papers hold the official ones. An item that a program
cannot answer is left to the programme, in so many words. Items and their numbers follow

- TRIPOD+AI: Collins GS et al., BMJ 2024;385:e078378 (27 items, with their parts);
- PROBAST+AI: Moons KGM et al., BMJ 2025;388:e082505 (16 signalling questions for development,
  18 for evaluation, four domains).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chw_tools.model_evaluation.card import SIMULATED, list_facts
from chw_tools.model_evaluation.checklist_items import (
    PROBAST_DEVELOPMENT,
    PROBAST_EVALUATION,
    TRIPOD,
)
from chw_tools.model_evaluation.document import write_table
from chw_tools.model_evaluation.verdict import compute_calibration_verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chw_tools.model_evaluation.card import About
    from chw_tools.model_evaluation.checklist_items import Item
    from chw_tools.model_evaluation.evaluation import Evaluation

#: Said of an item that only people can answer.
BY_PROGRAMME = "**To be answered by the programme.**"


def write_tripod_ai(about: About, evaluation: Evaluation) -> str:
    """The TRIPOD+AI items, each with its answer or whose answer it needs, as Markdown."""
    known = find_answers(about, evaluation)
    lines = [
        f"# TRIPOD+AI: {about.label}, {about.model} {about.version}",
        "",
        *_banner(about),
        "How a reader finds what the reporting guideline asks for. Items are in our own words; "
        "the official ones are in Collins GS et al., BMJ 2024;385:e078378.",
        "",
        *_answered(TRIPOD, known, kind="Item"),
    ]
    return "\n".join(lines) + "\n"


def write_probast_ai(about: About, evaluation: Evaluation) -> str:
    """The PROBAST+AI questions with what is known to answer them, as Markdown.

    No question is rated here: the rating is a reviewer's.
    """
    known = find_answers(about, evaluation)
    lines = [
        f"# PROBAST+AI: {about.label}, {about.model} {about.version}",
        "",
        *_banner(about),
        "What a reviewer needs to rate quality, risk of bias and applicability. Nothing is rated "
        "here: that is the reviewer's. The number of questions and the four domains are those of "
        "Moons KGM et al., BMJ 2025;388:e082505; the wording and the order within a domain are "
        "paraphrased, to be confirmed against the paper.",
        "",
        "## Development: quality (16 questions)",
        "",
        *_answered(PROBAST_DEVELOPMENT, known, kind="Question"),
        "",
        "## Evaluation: risk of bias (18 questions)",
        "",
        *_answered(PROBAST_EVALUATION, known, kind="Question"),
    ]
    return "\n".join(lines) + "\n"


def find_answers(about: About, evaluation: Evaluation) -> dict[str, str]:
    """What is known, by the key that an item asks for; a key without an answer is absent."""
    answers = _from_model(about) | _from_judgement(about, evaluation)
    return {key: said for key, said in answers.items() if said}


def _from_model(about: About) -> dict[str, str]:
    made = about.trained_on
    facts = dict(list_facts(about))
    limits = "Declared in the outcome; nobody outside its ages is labelled or scored."
    return {
        "title": f"“{about.label}” among {about.population} people, recipe `{about.recipe}`.",
        "use": f"For: {about.intended_use}" if about.intended_use else "",
        "not_for": f"Not for: {about.not_for}" if about.not_for else "",
        "objective": "Development, and evaluation by people held out.",
        "source": f"{about.source or 'Not named'}; {about.population} people.",
        "dates": _list_days(about),
        "eligibility": limits,
        "preparation": "Cleaning with a report; features as known on the index day, the same "
        "builder for training and use.",
        "outcome": f"`{about.outcome}`: {about.label}."
        + (
            f" Competing events: {', '.join(about.competing_events)}."
            if about.competing_events
            else ""
        ),
        "outcome_blind": "Outcomes are read from records made without the model's number, unless "
        "it was in use by then.",
        "predictors": f"{len(about.features)} inputs, declared with unit and kind in `card.md`.",
        "predictors_timing": "Each value has the day it became known; none later than the index "
        "day enters.",
        "missing": "A gap is kept as a gap (missing indicator, or a level of its own); no row is "
        "dropped for it.",
        "sample_size": facts.get("sample size", "")
        or (
            f"{made['n_events']:,} events, {made['n_people']:,} people; no formal check recorded."
            if {"n_events", "n_people"} <= set(made)
            else ""
        ),
        "model": f"Recipe `{about.recipe}`"
        + (f", tuned: {facts['parameters']}" if made.get("parameters") else ", not tuned")
        + (f"; calibrated on {facts['calibrated on']}." if "calibrated on" in facts else "."),
        "split": _say_split(about),
        "imbalance": "No resampling: it would ruin the probabilities. Calibrated on untouched "
        "rows.",
        "output": "A calibrated probability; shown as a band where calibration was not shown.",
        "code": "The package is open (Apache-2.0); "
        + (", ".join(f"{k} {v}" for k, v in about.versions.items()) or "versions in the manifest")
        + ".",
        "digest": f"Data digest {made['data_digest'][:16]}…" if "data_digest" in made else "",
        "specification": "The whole model is in its folder (`model.json`, or `model.skops`).",
        "edits": "; ".join(about.edits),
        "limitations": " ".join(about.caveats),
    }


def _from_judgement(about: About, evaluation: Evaluation) -> dict[str, str]:
    rows = evaluation.metrics
    shown, why = compute_calibration_verdict(evaluation)

    def said(name: str) -> str:
        row = rows.loc[name]
        return f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"

    groups = evaluation.subgroups
    return {
        "participants": f"{evaluation.n:,} people judged, {evaluation.n_events:,} with the event.",
        "performance": f"AUC {said('auc')}; slope {said('calibration_slope')}; observed / expected "
        f"{said('observed_to_expected')}.",
        "calibration": f"Curve, slope and error with what chance gives (report). {why}",
        "measures": "Discrimination, calibration, net benefit and the list at capacity, with "
        "bootstrap intervals" + (" that draw households." if evaluation.draws_households else "."),
        "fairness": f"{len(groups)} groups judged apart with n and interval, and their differences "
        "(report)."
        if len(groups)
        else "",
        "comparison": f"{max(0, len(evaluation.comparisons) - 1)} plain rules judged by the same "
        "people (report).",
        "clustering": "Households stay on one side of the split and of every bootstrap sample."
        if evaluation.draws_households
        else "",
        "updating": f"Drift since training: {evaluation.drift.advice}" if evaluation.drift else "",
        "interpretation": f"The number {'may' if shown else 'may not'} be shown. {why}",
        "judged_size": f"{evaluation.n_events:,} events among the judged (100 are advised at "
        "least).",
    }


def _say_split(about: About) -> str:
    made = about.trained_on
    if "is_temporal_split" not in made:
        return ""
    when = (
        "other households, on later days than those trained on"
        if made["is_temporal_split"]
        else "other people of the same day (no validation over time)"
    )
    return f"Judged by {when}."


def _list_days(about: About) -> str:
    made = about.trained_on
    if "judged_as_of" not in made:
        return ""
    days = ", ".join(made.get("trained_as_of", ()))
    return f"Index days {days}; judged as of {made['judged_as_of']}."


def _banner(about: About) -> list[str]:
    return [f"> **Simulated people.** {SIMULATED}", ""] if about.population == "simulated" else []


def _answered(items: Sequence[Item], known: Mapping[str, str], *, kind: str) -> list[str]:
    import pandas as pd

    rows = [
        {
            kind: item.number,
            "Topic": item.topic,
            "What is asked": item.asks,
            "Answer": " ".join(known[key] for key in item.answers if key in known) or BY_PROGRAMME,
        }
        for item in items
    ]
    n_open = sum(row["Answer"] == BY_PROGRAMME for row in rows)
    said = f"{len(rows) - n_open} of {len(rows)} answered here, {n_open} by the programme."
    return [said, "", *write_table(pd.DataFrame(rows))]
