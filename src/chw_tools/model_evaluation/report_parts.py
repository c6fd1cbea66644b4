"""The parts of a model's report in reading order: in plain words first, pictures, then tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.model_evaluation.card import SIMULATED, list_facts
from chw_tools.model_evaluation.document import (
    Document,
    KeyFigure,
    KeyFigures,
    Notice,
    Picture,
    Points,
    Section,
    Table,
    Text,
)
from chw_tools.model_evaluation.figures_compared import say_name
from chw_tools.model_evaluation.metrics import METRICS
from chw_tools.model_evaluation.report_tables import (
    comparison_table,
    drift_tables,
    interval,
    measures_table,
    share_interval,
    stability_table,
    subgroup_difference_table,
    subgroup_table,
    truth_table,
)
from chw_tools.model_evaluation.verdict import compute_calibration_verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chw_tools.model_evaluation.card import About
    from chw_tools.model_evaluation.document import Block
    from chw_tools.model_evaluation.evaluation import Evaluation


def compose(evaluation: Evaluation, about: About) -> Document:
    """The whole report of a model."""
    sections = [
        _calibration(evaluation),
        _rules(evaluation),
        _list(evaluation),
        _benefit(evaluation),
        _discrimination(evaluation),
        _for_whom(evaluation),
    ]
    if evaluation.drift is not None:
        sections.insert(0, _drift(evaluation))
    if evaluation.truth is not None:
        sections.append(_truth(evaluation))
    sections.append(Section("Every measure", [Table(measures_table(evaluation, METRICS))]))
    sections.append(_to_know(about, evaluation))
    return Document(
        title=f"{about.label}: how good is the risk?",
        subtitle=_who(about),
        opening=_opening(evaluation, about),
        sections=sections,
    )


def _who(about: About) -> str:
    source = f", {about.source}" if about.source else ""
    return (
        f"Model `{about.model}` {about.version}, recipe `{about.recipe}`, {about.population} "
        f"people{source}; outcome `{about.outcome}`."
    )


def _opening(evaluation: Evaluation, about: About) -> list[Block]:
    """The first screen: what it is, for whom, may it be shown, how good, what it beats."""
    blocks: list[Block] = []
    if about.population == "simulated":
        blocks.append(Notice(f"**Simulated people.** {SIMULATED}", "warning"))
    shown, why = compute_calibration_verdict(evaluation)
    unknown = "" if about.may_know_them else " whom it was not trained on"
    use = f" It is meant for: {_lower(about.intended_use)}" if about.intended_use else ""
    never = f" It is not for: {_lower(about.not_for)}" if about.not_for else ""
    blocks += [
        Text(
            f"This model gives each person a number for “{_lower(about.label)}”. It was judged by "
            f"{evaluation.n:,} people{unknown}; {evaluation.n_events:,} of them "
            f"({evaluation.n_events / evaluation.n:.1%}) had the event.{use}{never}"
        ),
        Notice(
            f"**The number {'may' if shown else 'may not'} be shown to people.** {why}",
            "good" if shown else "warning",
        ),
        _key_figures(evaluation),
    ]
    if len(evaluation.comparisons) > 1:
        blocks.append(Points(_beaten(evaluation.comparisons)))
    return blocks


def _key_figures(evaluation: Evaluation) -> KeyFigures:
    metrics, at = evaluation.metrics, evaluation.capacity
    share = at.loc["recall", "n_called"] / evaluation.n
    order, ratio = metrics.loc["auc"], metrics.loc["observed_to_expected"]
    # The same intervals as in the table of measures: the list is not cut anew in each sample.
    found, precision = metrics.loc["recall"], metrics.loc["precision"]
    return KeyFigures(
        [
            KeyFigure(
                f"{found['value']:.0%}",
                f"of all events are found by a list of the {share:.0%} with the highest risk",
                share_interval(found),
            ),
            KeyFigure(
                f"{precision['value']:.0%}",
                "of those on that list have the event; of everybody "
                f"{evaluation.n_events / evaluation.n:.1%} have",
                share_interval(precision),
            ),
            KeyFigure(
                f"{order['value']:.0%}",
                "of pairs, one with the event and one without, are put in the right order (AUC)",
                share_interval(order),
            ),
            KeyFigure(
                f"{100 * ratio['value']:.0f}",
                "events happened for every 100 foreseen",
                f"{100 * ratio['low']:.0f} to {100 * ratio['high']:.0f}",
            ),
        ]
    )


def _beaten(comparisons: pd.DataFrame) -> list[str]:
    """A sentence for each plain rule: beaten by how much, or not shown to be beaten."""
    return [_one_beaten(say_name(name), row) for name, row in comparisons.iloc[1:].iterrows()]


def _one_beaten(name: str, row: Mapping[str, float]) -> str:
    gain = (
        f"AUC {row['auc_gain']:+.3f} ({row['auc_gain_low']:+.3f} to {row['auc_gain_high']:+.3f}), "
        f"events found at capacity {100 * row['recall_gain']:+.0f} of 100 "
        f"({100 * row['recall_gain_low']:+.0f} to {100 * row['recall_gain_high']:+.0f})"
    )
    if row["auc_gain_low"] > 0:
        return f"**Orders people better than {_lower(name)}**: {gain}."
    if row["auc_gain_high"] < 0:
        return f"**Orders people worse than {_lower(name)}**: {gain}."
    return f"**Not shown to order people better than {_lower(name)}**: {gain}."


def _calibration(evaluation: Evaluation) -> Section:
    slope = evaluation.metrics.loc["calibration_slope"]
    verdict = "fit"
    if slope["high"] < 1:
        verdict = "are too extreme"
    elif slope["low"] > 1:
        verdict = "are too timid"
    ratio = evaluation.metrics.loc["observed_to_expected"]
    verdict += " in their spread"
    if ratio["high"] < 1:
        verdict += ", and **are too high on the whole**"
    elif ratio["low"] > 1:
        verdict += ", and **are too low on the whole**"
    error, chance = evaluation.metrics.loc["calibration_error", "value"], evaluation.chance
    by_chance = (
        f"The calibration error is {error:.4f}. A perfectly calibrated model of as many people "
        f"would by chance show up to {chance.p95:.4f} nineteen times in twenty"
    )
    said = (
        f"{by_chance}: chance alone explains it."
        if error <= chance.p95
        else f"{by_chance}: **chance does not explain it**."
    )
    return Section(
        "Do the risks have the right size?",
        [
            Text(f"By the slope and its interval, the risks {verdict}. {said}"),
            Picture(
                "calibration.png",
                f"Calibration curve. {_calibration_words(evaluation)}",
                "Each orange point is a tenth of the people; the grey band is where it would lie "
                "if the risks were right. Below: how many people have which risk.",
            ),
        ],
    )


def _calibration_words(evaluation: Evaluation) -> str:
    first, last = evaluation.calibration.iloc[0], evaluation.calibration.iloc[-1]
    return (
        f"In the lowest tenth the mean risk is {first['mean_risk']:.1%} and "
        f"{first['observed']:.1%} had the event; in the highest {last['mean_risk']:.1%} and "
        f"{last['observed']:.1%}."
    )


def _rules(evaluation: Evaluation) -> Section:
    table = comparison_table(evaluation.comparisons)
    if len(evaluation.comparisons) < 2:
        return Section("Beside plain rules", [Text("It was compared with none.")])
    best = evaluation.comparisons.iloc[1:]["auc"].idxmax()
    top = evaluation.comparisons.iloc[0]
    return Section(
        "Beside plain rules",
        [
            Text(
                "What the model adds to simple ways of ordering the same people. All are judged "
                "by the same bootstrap samples, so a gain has an interval of its own."
            ),
            Picture(
                "comparison.png",
                f"AUC and events found at capacity of the model and {len(best_names(evaluation))} "
                f"plain rules. The model's AUC is {top['auc']:.3f}; the best rule is "
                f"{_lower(say_name(best))} with {evaluation.comparisons.loc[best, 'auc']:.3f}.",
                "Bars are 95 % intervals. A thin orange line is what the luck of equal places "
                "could make of a rule's list.",
            ),
            Table(table, "Model and plain rules, 95 % intervals"),
        ],
    )


def best_names(evaluation: Evaluation) -> list[str]:
    """Names of the rules that the model is compared with."""
    return [str(name) for name in evaluation.comparisons.index[1:]]


def _list(evaluation: Evaluation) -> Section:
    at = evaluation.capacity.loc["recall"]
    blocks: list[Block] = [
        Text(
            f"People with a risk of {evaluation.threshold:.1%} or more are called: "
            f"{evaluation.capacity_share:.1%} of all. The threshold follows from how many can be "
            "visited, and is not a clinical limit."
        ),
        Picture("confusion_matrix.png", f"Confusion matrix. {_confusion_words(evaluation)}"),
    ]
    if at["n_tied"]:
        blocks.append(
            Text(
                f"{at['n_tied']:.0f} people have the same risk where the list ends: by luck of "
                f"their order it finds {at['worst']:.1%} to {at['best']:.1%} of events."
            )
        )
    blocks.append(Text(_promise(evaluation)))
    if len(evaluation.stability):
        blocks += [
            Text(
                "How far the list changes from one index day to the next, among people who are in "
                "both. Some change is what the model is for; a list drawn by lot would keep "
                f"{evaluation.stability['retained_by_chance'].mean():.0%}."
            ),
            Picture("stability.png", _stability_words(evaluation.stability)),
            Table(stability_table(evaluation.stability), "Overlap of lists", folded=True),
        ]
    return Section("The list at the programme's capacity", blocks)


def _confusion_words(evaluation: Evaluation) -> str:
    counts = evaluation.confusion
    return (
        f"{counts['true_positive']:,} events found, {counts['false_negative']:,} missed, "
        f"{counts['false_positive']:,} people called in vain, {counts['true_negative']:,} left in "
        "peace."
    )


def _promise(evaluation: Evaluation) -> str:
    promise = evaluation.recall_threshold
    if promise is None:
        return (
            "To promise that 90 % of events are found, with 90 % confidence, there are too few "
            "events among the judged."
        )
    return (
        f"To find at least {promise.target:.0%} of events with {promise.confidence:.0%} "
        f"confidence, everybody from a risk of {promise.threshold:.2%} must be called: "
        f"**{promise.list_share:.0%} of all people**. The promise holds for people like those "
        "judged, and for one list, not for each group in it."
    )


def _stability_words(stability: pd.DataFrame) -> str:
    kept = "; ".join(
        f"{row['first']} to {row['second']}: {row['retained']:.0%}"
        for row in stability.to_dict("records")
    )
    return f"Share of each list that is on the next one. {kept}."


def _benefit(evaluation: Evaluation) -> Section:
    table = evaluation.net_benefit
    better = table["gain_low"] > 0
    said = "Acting on the model is nowhere shown to beat both calling everybody and nobody."
    if better.any():
        low, high = table.loc[better, "threshold"].min(), table.loc[better, "threshold"].max()
        said = (
            "Acting on the model is shown to beat both calling everybody and calling nobody for "
            f"somebody who would act from a risk between about {low:.1%} and {high:.1%}."
        )
    return Section(
        "Is it worth acting on?",
        [
            Text(said),
            Picture(
                "net_benefit.png",
                f"Decision curve: net benefit of the model over thresholds. {said}",
                "Who would call a person from a risk of 10 % holds a missed event for nine times "
                "as bad as a visit in vain. Highest is best.",
            ),
        ],
    )


def _discrimination(evaluation: Evaluation) -> Section:
    auc, average = (evaluation.metrics.loc[name] for name in ("auc", "average_precision"))
    return Section(
        "Who is put before whom?",
        [
            Text("The order alone, for every length of list."),
            Picture(
                "roc_curve.png",
                f"ROC curve: events found against false alarms. AUC {interval(auc)}.",
            ),
            Picture(
                "precision_recall_curve.png",
                "Precision over recall. Average precision "
                f"{interval(average)}; a coin reaches {evaluation.n_events / evaluation.n:.3f}.",
            ),
        ],
    )


def _for_whom(evaluation: Evaluation) -> Section:
    heading = "For whom does it hold?"
    groups = evaluation.subgroups
    if not len(groups):
        return Section(heading, [Text("The data name no group.")])
    blocks: list[Block] = [Text(_off_groups(groups))]
    if groups["auc"].notna().any():
        blocks.append(
            Picture(
                "subgroups.png",
                f"Observed over expected, and AUC, of {int(groups['auc'].notna().sum())} groups "
                "with 95 % intervals; the table below holds the numbers.",
                "In brackets the events. Hollow: fewer than 50 events, too few to say much. "
                "Dotted: everybody. The grey band is 0.9 to 1.1.",
            )
        )
    blocks += [
        Table(
            subgroup_table(groups),
            "By group, with 95 % intervals. \\* fewer than 50 events; – too few to compute",
        ),
        Table(
            subgroup_difference_table(groups),
            "Between groups: against the largest of its kind, with 95 % intervals",
            folded=True,
        ),
    ]
    return Section(heading, blocks)


def _off_groups(groups: pd.DataFrame) -> str:
    judged = groups[groups["observed_to_expected"].notna() & ~groups["is_few"]]
    off = judged[
        (judged["observed_to_expected_low"] > 1.1) | (judged["observed_to_expected_high"] < 0.9)
    ]
    if not len(judged):
        return "No group has 50 events: nothing can be said of any group on its own."
    if not len(off):
        n_groups = f"{len(judged)} group" + ("s" if len(judged) > 1 else "")
        return (
            f"{n_groups} with 50 events or more: in none does the interval of observed / expected "
            "lie wholly outside 0.9 to 1.1."
        )
    named = "; ".join(
        f"{row['by'].lower()} {row['group']} "
        f"({row['observed_to_expected']:.2f}, {row['observed_to_expected_low']:.2f} to "
        f"{row['observed_to_expected_high']:.2f})"
        for row in off.to_dict("records")
    )
    return f"**The risks have the wrong size in some groups** (observed / expected): {named}."


def _truth(evaluation: Evaluation) -> Section:
    truth = evaluation.truth
    assert truth is not None  # noqa: S101  # compose asks for this part only where there is one
    reached = truth.loc["net_benefit_reached", "model"]
    return Section(
        "Against the truth",
        [
            Text(
                "The simulator knows each person's true risk and kept it from the model. "
                + (
                    f"The model reaches {reached:.0%} of the best possible net benefit at capacity."
                    if reached == reached
                    else ""
                )
            ),
            Picture(
                "truth.png",
                "True probability by estimated risk; rank correlation "
                f"{truth.loc['rank_correlation', 'model']:.2f}.",
                "The band holds eight of ten people: how much of what decides their fate the "
                "model does not see.",
            ),
            Table(truth_table(truth)),
        ],
    )


def _drift(evaluation: Evaluation) -> Section:
    drift = evaluation.drift
    assert drift is not None  # noqa: S101  # compose asks for this part only where there is one
    performance, inputs = drift_tables(drift)
    blocks: list[Block] = [
        Notice(drift.advice, "plain"),
        Text(
            "Only people whose outcome is settled were judged by."
            if drift.matured_share == 1
            else f"Of {drift.matured_share:.0%} of the people the outcome is settled; only by them "
            "was it judged."
        ),
        Table(performance, "In the order in which a remedy is looked for"),
    ]
    if drift.inputs["psi_excess"].notna().any():
        blocks.append(
            Picture(
                "drift.png",
                "Population stability index of each input, less what chance gives.",
            )
        )
    if len(inputs):
        blocks.append(Table(inputs, "Inputs, then and now", folded=True))
    return Section("What changed since it was trained", blocks)


def _to_know(about: About, evaluation: Evaluation) -> Section:
    drawn = "households" if evaluation.draws_households else "people one by one"
    return Section(
        "What to know",
        [
            Points([*about.caveats] or ["No caveat was declared."]),
            Text(
                f"Intervals are 95 % percentiles of 200 bootstrap samples that draw {drawn}. How "
                "the items of TRIPOD+AI and PROBAST+AI are answered stands in `tripod_ai.md` and "
                "`probast_ai.md`, what the model is in `card.md`."
            ),
            Table(
                pd.DataFrame(list_facts(about), columns=["What", "Value"]),
                "How it was made",
                folded=True,
            ),
        ],
    )


def _lower(text: str) -> str:
    """The first letter small, for the middle of a sentence; abbreviations stay."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
