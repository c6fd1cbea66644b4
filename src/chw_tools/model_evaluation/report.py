"""The report of an evaluation, as files by name: Markdown, one HTML page, text, JSON, PNG.

Nothing is written here; who calls puts the files where they belong.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chw_tools.model_evaluation.card import SIMULATED, write_card
from chw_tools.model_evaluation.checklists import write_probast_ai, write_tripod_ai
from chw_tools.model_evaluation.document import write_markdown
from chw_tools.model_evaluation.figures import draw_figures
from chw_tools.model_evaluation.metrics import METRICS
from chw_tools.model_evaluation.page import write_page
from chw_tools.model_evaluation.report_parts import compose
from chw_tools.model_evaluation.verdict import compute_calibration_verdict

if TYPE_CHECKING:
    import pandas as pd

    from chw_tools.model_evaluation.card import About
    from chw_tools.model_evaluation.drift import Drift
    from chw_tools.model_evaluation.evaluation import Evaluation


def write_report(evaluation: Evaluation, about: About) -> dict[str, bytes]:
    """Every file of the report, by name.

    Returns
    -------
    dict
        ``report.md``, ``report.html`` (self-contained), ``evaluation_metrics.txt``,
        ``metrics.json``, ``card.md``, ``tripod_ai.md``, ``probast_ai.md`` and the pictures.
    """
    figures = draw_figures(evaluation)
    document = compose(evaluation, about)
    return {
        "report.md": write_markdown(document).encode(),
        "report.html": write_page(document, figures).encode(),
        "evaluation_metrics.txt": write_metrics_text(evaluation, about).encode(),
        "metrics.json": write_metrics_json(evaluation, about).encode(),
        "card.md": write_card(about, evaluation).encode(),
        "tripod_ai.md": write_tripod_ai(about, evaluation).encode(),
        "probast_ai.md": write_probast_ai(about, evaluation).encode(),
        **figures,
    }


def write_metrics_text(evaluation: Evaluation, about: About) -> str:
    """The measures as plain text, one a line, with their intervals."""
    lines = [
        f"{about.label} ({about.outcome}), {about.model} {about.version}",
        f"Population: {about.population}",
        f"People judged: {evaluation.n}, with the event: {evaluation.n_events}",
        f"Called from a risk of {evaluation.threshold:.4f} ({evaluation.capacity_share:.1%})",
        "",
    ]
    if about.population == "simulated":
        lines[2:2] = [SIMULATED]
    for metric in METRICS:
        row = evaluation.metrics.loc[metric.name]
        interval = f"({row['low']:.4f} to {row['high']:.4f})"
        lines.append(f"{metric.label:<28}{row['value']:>9.4f}  {interval}")
    lines += [
        f"{'  of which by chance (p95)':<28}{evaluation.chance.p95:>9.4f}",
        "",
        *[f"{name:<28}{count:>9}" for name, count in evaluation.confusion.items()],
    ]
    return "\n".join(lines) + "\n"


def write_metrics_json(evaluation: Evaluation, about: About) -> str:
    """The measures, counts, subgroups and comparisons for machines; gaps are null."""
    promise = evaluation.recall_threshold
    content = {
        "outcome": about.outcome,
        "model": about.model,
        "version": about.version,
        "population": about.population,
        "n": evaluation.n,
        "n_events": evaluation.n_events,
        "threshold": evaluation.threshold,
        "capacity_share": evaluation.capacity_share,
        "probability": compute_calibration_verdict(evaluation)._asdict(),
        "metrics": _records(evaluation.metrics, "name"),
        "ece_null_mean": evaluation.chance.mean,
        "ece_null_p95": evaluation.chance.p95,
        "ece_share_by_chance": evaluation.chance.share_as_large,
        "capacity": _records(evaluation.capacity, "name"),
        "recall_threshold": None if promise is None else vars(promise),
        "confusion": dict(evaluation.confusion),
        "calibration": _records(evaluation.calibration),
        "subgroups": _records(evaluation.subgroups),
        "comparisons": _records(evaluation.comparisons, "name"),
        "stability": _records(evaluation.stability),
        "truth": None if evaluation.truth is None else _records(evaluation.truth, "name"),
        "inputs": evaluation.inputs,
        "drift": None if evaluation.drift is None else _drift(evaluation.drift),
        "intervals_draw_households": evaluation.draws_households,
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _drift(drift: Drift) -> dict[str, Any]:
    return {
        "performance": _records(drift.performance, "name"),
        "inputs": _records(drift.inputs),
        "matured_share": drift.matured_share,
        "advice": drift.advice,
    }


def _records(frame: pd.DataFrame, index_name: str = "") -> list[dict[str, Any]]:
    table = frame.rename_axis(index_name).reset_index() if index_name else frame
    loaded: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=10))
    return loaded
