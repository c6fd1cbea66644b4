"""The report of an evaluation, as files by name: Markdown, one HTML page, text, JSON, PNG.

Nothing is written here; who calls puts the files where they belong.
"""

from __future__ import annotations

import base64
import json
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.card import SIMULATED, write_card
from chw_tools.model_evaluation.figures import draw_figures
from chw_tools.model_evaluation.metrics import METRICS
from chw_tools.model_evaluation.verdict import compute_calibration_verdict

if TYPE_CHECKING:
    from chw_tools.model_evaluation.card import About
    from chw_tools.model_evaluation.evaluation import Evaluation

#: A part of the report: a heading, sentences, a table or none, a picture's name or none.
Part = tuple[str, list[str], "pd.DataFrame | None", str]

_PICTURES = {
    "roc_curve.png": "ROC curve",
    "precision_recall_curve.png": "Precision and recall",
    "calibration.png": "Calibration with a histogram of the risks",
    "confusion_matrix.png": "Confusion matrix",
    "net_benefit.png": "Net benefit",
}
_TRUTH_WORDS = {
    "auc": "AUC (the truth's is the most any model could reach)",
    "brier": "Brier score (the truth's is the least)",
    "calibration_slope": "Calibration slope",
    "rank_correlation": "Rank correlation with the true risk",
    "mean_distance": "Mean distance from the true risk",
}


def write_report(evaluation: Evaluation, about: About) -> dict[str, bytes]:
    """Every file of the report, by name.

    Returns
    -------
    dict
        ``report.md``, ``report.html`` (self-contained), ``evaluation_metrics.txt``,
        ``metrics.json``, ``card.md`` and the pictures.
    """
    figures = draw_figures(evaluation)
    parts = compose(evaluation, about)
    return {
        "report.md": _as_markdown(parts, about).encode(),
        "report.html": _as_html(parts, about, figures).encode(),
        "evaluation_metrics.txt": write_metrics_text(evaluation, about).encode(),
        "metrics.json": write_metrics_json(evaluation, about).encode(),
        "card.md": write_card(about, evaluation).encode(),
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
    lines += ["", *[f"{name:<28}{count:>9}" for name, count in evaluation.confusion.items()]]
    return "\n".join(lines) + "\n"


def write_metrics_json(evaluation: Evaluation, about: About) -> str:
    """The measures, counts, subgroups and comparisons for machines; gaps are null."""
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
        "confusion": dict(evaluation.confusion),
        "calibration": _records(evaluation.calibration),
        "subgroups": _records(evaluation.subgroups),
        "comparisons": _records(evaluation.comparisons, "name"),
        "truth": None if evaluation.truth is None else _records(evaluation.truth, "name"),
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def compose(evaluation: Evaluation, about: About) -> list[Part]:
    """The parts of the report, in reading order."""
    parts = [_headline(evaluation), _comparison(evaluation), _calibration(evaluation)]
    parts += [_capacity(evaluation), _benefit(evaluation)]
    parts += [
        ("Discrimination", ["Who is put before whom."], None, "roc_curve.png"),
        ("", [], None, "precision_recall_curve.png"),
        _for_whom(evaluation),
    ]
    if evaluation.truth is not None:
        parts.append(_truth(evaluation.truth))
    parts.append(("Every measure", [], _all_measures(evaluation), ""))
    caveats = [f"- {caveat}" for caveat in about.caveats] or ["None was declared."]
    parts.append(("What to know", caveats, None, ""))
    return parts


def _headline(evaluation: Evaluation) -> Part:
    found = evaluation.metrics["value"]
    return (
        "In short",
        [
            f"{evaluation.n:,} people held out, {evaluation.n_events:,} of them with the event "
            f"({evaluation.n_events / evaluation.n:.1%}).",
            f"A list of the {evaluation.capacity_share:.0%} with the highest risk holds "
            f"{found['recall']:.0%} of all events; {found['precision']:.0%} of those on it "
            "have one.",
            "Of two people, one with the event and one without, the order is right "
            f"{found['auc']:.0%} of the time.",
            f"For 100 events foreseen, {100 * found['observed_to_expected']:.0f} happened.",
        ],
        None,
        "",
    )


def _comparison(evaluation: Evaluation) -> Part:
    rows = [
        {
            "Model": str(name).replace("_", " "),
            "AUC": _interval(row, "auc"),
            "Average precision": _interval(row, "average_precision"),
            "Brier": f"{row['brier']:.4f}",
            "Slope": _interval(row, "calibration_slope", digits=2),
            "Observed / expected": _interval(row, "observed_to_expected", digits=2),
        }
        for name, row in evaluation.comparisons.iterrows()
    ]
    said = ["What it adds to plain ways of ordering the same people (95 % intervals)."]
    said += _not_beaten(evaluation.comparisons)
    return "Beside plain baselines", said, pd.DataFrame(rows), ""


def _not_beaten(comparisons: pd.DataFrame) -> list[str]:
    """A warning for each baseline whose order the model was not shown to beat."""
    model, plain = comparisons.iloc[0], comparisons.iloc[1:]
    return [
        f"**Not shown to order people better than {str(name).replace('_', ' ')}**: the model's "
        "interval reaches down to that baseline's AUC."
        for name, row in plain.iterrows()
        if model["auc_low"] <= row["auc"]
    ]


def _calibration(evaluation: Evaluation) -> Part:
    slope = evaluation.metrics.loc["calibration_slope"]
    verdict = "fit"
    if slope["high"] < 1:
        verdict = "are too extreme"
    elif slope["low"] > 1:
        verdict = "are too timid"
    said = [f"By the slope and its interval, the risks {verdict}. Points on the line are best."]
    shown, why = compute_calibration_verdict(evaluation)
    said.append(f"**The number {'may' if shown else 'may not'} be shown to people.** {why}")
    return "Do the risks have the right size?", said, None, "calibration.png"


def _capacity(evaluation: Evaluation) -> Part:
    said = [
        f"People with a risk of {evaluation.threshold:.1%} or more are called: "
        f"{evaluation.capacity_share:.1%} of all. The threshold follows from how many can be "
        "visited, and is not a clinical limit."
    ]
    return "At the programme's capacity", said, None, "confusion_matrix.png"


def _benefit(evaluation: Evaluation) -> Part:
    table = evaluation.net_benefit
    better = table["model"] > np.maximum(table["everybody"], 0)
    said = ["Acting on the model never beats calling everybody or nobody."]
    if better.any():
        low, high = table.loc[better, "threshold"].min(), table.loc[better, "threshold"].max()
        said = [
            "Acting on the model beats both calling everybody and calling nobody for somebody "
            f"who would act from a risk between about {low:.1%} and {high:.1%}."
        ]
    return "Is it worth acting on?", said, None, "net_benefit.png"


def _for_whom(evaluation: Evaluation) -> Part:
    rows = []
    for row in evaluation.subgroups.to_dict("records"):
        rows.append(
            {
                "By": row["by"],
                "Group": row["group"] + (" *" if row["is_few"] else ""),
                "People": f"{row['n']:,}",
                "Events": f"{row['n_events']:,}",
                "AUC": _interval(row, "auc"),
                "Observed / expected": _interval(row, "observed_to_expected", digits=2),
                "Found at capacity": _interval(row, "recall", digits=2),
            }
        )
    said = ["\\* fewer than 50 events: too few to say much. – too few to compute."]
    return (
        "For whom it holds",
        said if rows else ["The data name no group."],
        pd.DataFrame(rows),
        "",
    )


def _truth(truth: pd.DataFrame) -> Part:
    rows = [
        {
            "Measure": _TRUTH_WORDS[str(name)],
            "Model": f"{row['model']:.3f}",
            "Truth": f"{row['truth']:.3f}",
        }
        for name, row in truth.iterrows()
    ]
    said = ["The simulator knows each person's true risk and kept it from the model."]
    return "Against the truth", said, pd.DataFrame(rows), ""


def _all_measures(evaluation: Evaluation) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Measure": metric.label,
                "Value (95 % interval)": _interval(
                    {
                        metric.name + ending: evaluation.metrics.loc[metric.name, column]
                        for column, ending in (("value", ""), ("low", "_low"), ("high", "_high"))
                    },
                    metric.name,
                ),
                "What it says": metric.meaning,
                "Best": metric.better,
            }
            for metric in METRICS
        ]
    )


def _interval(row: Any, name: str, *, digits: int = 3) -> str:
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if np.isnan(value):
        return "–"
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _records(frame: pd.DataFrame, index_name: str = "") -> list[dict[str, Any]]:
    table = frame.rename_axis(index_name).reset_index() if index_name else frame
    loaded: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=10))
    return loaded


def _as_markdown(parts: list[Part], about: About) -> str:
    lines = [
        f"# {_title(about)}",
        "",
        *_banner(about, "> **Simulated people.** {}"),
        _who(about),
        "",
    ]
    for heading, said, table, picture in parts:
        lines += [f"## {heading}", ""] if heading else []
        lines += [*said, ""] if said else []
        if table is not None and len(table):
            lines += [*_markdown_table(table), ""]
        lines += [f"![{_PICTURES[picture]}]({picture})", ""] if picture else []
    return "\n".join(lines)


def _markdown_table(table: pd.DataFrame) -> list[str]:
    head = ["| " + " | ".join(table.columns) + " |", "|" + "---|" * table.shape[1]]
    return head + ["| " + " | ".join(map(str, row)) + " |" for row in table.to_numpy()]


def _as_html(parts: list[Part], about: About, figures: dict[str, bytes]) -> str:
    body = [
        f"<h1>{escape(_title(about))}</h1>",
        *_banner(about, "<p class=banner><strong>Simulated people.</strong> {}</p>"),
        f"<p>{escape(_who(about)).replace('`', '')}</p>",
    ]
    for heading, said, table, picture in parts:
        body += [f"<h2>{escape(heading)}</h2>"] if heading else []
        body += [f"<p>{_inline(line)}</p>" for line in said]
        body += [_html_table(table)] if table is not None and len(table) else []
        if picture:
            held = base64.b64encode(figures[picture]).decode()
            alt = _PICTURES[picture]
            body.append(f'<img alt="{alt}" src="data:image/png;base64,{held}">')
    return _PAGE.format(title=escape(_title(about)), body="\n".join(body))


def _inline(line: str) -> str:
    """A line of the report as HTML: escaped, bold where it is bold."""
    parts = escape(line.replace("\\", "")).split("**")
    return "".join(f"<strong>{p}</strong>" if i % 2 else p for i, p in enumerate(parts))


def _html_table(table: pd.DataFrame) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    rows = [
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in table.to_numpy()
    ]
    return (
        f'<div class=wide tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _title(about: About) -> str:
    return f"{about.label}: how good is the risk?"


def _who(about: About) -> str:
    source = f" ({about.source})" if about.source else ""
    return (
        f"Model `{about.model}` {about.version}, recipe `{about.recipe}`, {about.population} "
        f"people{source}. Outcome `{about.outcome}`."
    )


def _banner(about: About, template: str) -> list[str]:
    return [template.format(SIMULATED), ""] if about.population == "simulated" else []


_PAGE = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 17px/1.55 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;
  padding: 0 1rem; color: #1b1b1b; background: #fff; }}
h1 {{ font-size: 1.6rem; line-height: 1.25; }}
h2 {{ font-size: 1.2rem; margin-top: 2.2rem; }}
p {{ margin: .4rem 0; }}
img {{ max-width: 100%; height: auto; display: block; margin: 1rem 0; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd;
  vertical-align: top; }}
td:nth-child(-n+5) {{ white-space: nowrap; }}
.banner {{ background: #fff4d6; border-left: 4px solid #b36b00; padding: .6rem .9rem; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""
