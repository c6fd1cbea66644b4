"""What TRIPOD+AI and PROBAST+AI ask, in our own words, and which known facts answer it.

Of TRIPOD+AI the numbers and topics of items 1 to 6 were compared with a public list of them; the
rest is to be confirmed. Of PROBAST+AI the number of questions and the domains were confirmed from
the paper's abstract; the wording and the order within a domain are paraphrased and to be
confirmed.
"""

from __future__ import annotations

from typing import NamedTuple


class Item(NamedTuple):
    """One item: its number, topic, what is asked, and keys of the facts that answer it."""

    number: str
    topic: str
    asks: str
    answers: tuple[str, ...] = ()


TRIPOD: tuple[Item, ...] = (
    Item("1", "Title", "Names a prediction model, the people and the outcome.", ("title",)),
    Item("2", "Abstract", "A structured summary."),
    Item("3a", "Background", "Why such a model, and which exist.", ("use",)),
    Item(
        "3b",
        "Background",
        "Whom it is for, at which point of care, used by whom.",
        ("use", "not_for"),
    ),
    Item("3c", "Background", "Known health inequalities between groups."),
    Item("4", "Objectives", "Development, evaluation or both.", ("objective",)),
    Item("5a", "Data", "Where the data come from, and whom they represent.", ("source",)),
    Item("5b", "Data", "First and last dates of data and of follow-up.", ("dates",)),
    Item("6a", "Participants", "Setting, and where the places are."),
    Item("6b", "Participants", "Who was let in.", ("eligibility",)),
    Item("6c", "Participants", "Treatments received, and how they were handled."),
    Item("7", "Data preparation", "Cleaning and checking, alike in all groups.", ("preparation",)),
    Item("8a", "Outcome", "What it is, over which time, and how it is told.", ("outcome",)),
    Item("8b", "Outcome", "Who judged it, where judgement is needed."),
    Item("8c", "Outcome", "Whether who judged it knew the inputs.", ("outcome_blind",)),
    Item("9a", "Predictors", "How the first set of inputs was chosen.", ("predictors",)),
    Item(
        "9b",
        "Predictors",
        "Each input: what, how and when measured.",
        ("predictors", "predictors_timing"),
    ),
    Item("9c", "Predictors", "Who judged inputs, where judgement is needed."),
    Item(
        "10",
        "Sample size",
        "How it was arrived at, and whether it is enough.",
        ("sample_size", "judged_size"),
    ),
    Item("11", "Missing data", "How gaps were handled.", ("missing",)),
    Item("12a", "Analysis", "Which data were used for what.", ("split",)),
    Item("12b", "Analysis", "How inputs were handled in the model.", ("missing", "model")),
    Item("12c", "Analysis", "Kind of model, how built, tuned and checked.", ("model", "split")),
    Item("12d", "Analysis", "Differences between clusters or places.", ("clustering",)),
    Item("12e", "Analysis", "All measures of performance and why.", ("measures",)),
    Item("12f", "Analysis", "Any updating after evaluation.", ("edits", "updating")),
    Item("12g", "Analysis", "How predictions are computed in an evaluation.", ("specification",)),
    Item(
        "13", "Class imbalance", "Whether and how it was handled, and recalibrated.", ("imbalance",)
    ),
    Item("14", "Fairness", "What was done for it and why.", ("fairness",)),
    Item("15", "Model output", "Probability or class, and thresholds.", ("output",)),
    Item("16", "Training and evaluation", "How the two data sets differ.", ("split",)),
    Item("17", "Ethical approval", "Committee, and consent or its waiver."),
    Item("18a", "Open science", "Funding."),
    Item("18b", "Open science", "Conflicts of interest."),
    Item("18c", "Open science", "Where the protocol is."),
    Item("18d", "Open science", "Registration."),
    Item("18e", "Open science", "Whether data can be had.", ("digest",)),
    Item("18f", "Open science", "Whether the code can be had.", ("code",)),
    Item("19", "Patients and public", "How they took part."),
    Item(
        "20a",
        "Participants",
        "How many, with and without the outcome; follow-up.",
        ("participants",),
    ),
    Item("20b", "Participants", "Who they are, as a whole and by place, and their gaps."),
    Item(
        "20c", "Participants", "For evaluation, how they differ from those trained on.", ("split",)
    ),
    Item("21", "Model development", "People and events in each analysis.", ("sample_size",)),
    Item(
        "22",
        "Model specification",
        "The whole model, so that others can use it.",
        ("specification",),
    ),
    Item(
        "23a",
        "Model performance",
        "Measures with intervals, also for key groups.",
        ("performance", "fairness"),
    ),
    Item("23b", "Model performance", "Differences in performance between places."),
    Item("24", "Model updating", "Results of any updating.", ("updating", "edits")),
    Item("25", "Interpretation", "What the results mean, fairness included.", ("interpretation",)),
    Item("26", "Limitations", "What limits them.", ("limitations",)),
    Item("27a", "Usability", "What to do with poor or missing inputs in use.", ("missing",)),
    Item("27b", "Usability", "What its users must do and know."),
    Item("27c", "Usability", "What research should come next."),
)

_PEOPLE, _INPUTS = "1 Participants and data sources", "2 Predictors"
_OUTCOME, _ANALYSIS = "3 Outcome", "4 Analysis"

PROBAST_DEVELOPMENT: tuple[Item, ...] = (
    Item("D1.1", _PEOPLE, "Do the data sources suit the question?", ("source", "dates")),
    Item("D1.2", _PEOPLE, "Were the right people let in and left out?", ("eligibility",)),
    Item(
        "D1.3",
        _PEOPLE,
        "Do they represent those it is meant for, no group left aside?",
        ("use", "fairness"),
    ),
    Item("D2.1", _INPUTS, "Were inputs defined and measured alike for all?", ("predictors",)),
    Item("D2.2", _INPUTS, "Were inputs taken without knowing the outcome?", ("predictors_timing",)),
    Item(
        "D2.3",
        _INPUTS,
        "Can all inputs be had when the model is used?",
        ("predictors_timing", "preparation"),
    ),
    Item(
        "D3.1",
        _OUTCOME,
        "Was the outcome told in a sound and standard way, alike for all?",
        ("outcome",),
    ),
    Item(
        "D3.2",
        _OUTCOME,
        "Are inputs no part of the outcome, and was it told without them?",
        ("outcome_blind",),
    ),
    Item("D3.3", _OUTCOME, "Is the time between inputs and outcome right?", ("outcome", "dates")),
    Item("D4.1", _ANALYSIS, "Were there enough people and events?", ("sample_size",)),
    Item(
        "D4.2",
        _ANALYSIS,
        "Were all people who were let in analysed, and gaps handled well?",
        ("missing",),
    ),
    Item("D4.3", _ANALYSIS, "Were inputs handled and chosen well?", ("model",)),
    Item("D4.4", _ANALYSIS, "Were censoring and competing events handled?", ("outcome",)),
    Item(
        "D4.5",
        _ANALYSIS,
        "Was imbalance of the outcome handled without spoiling the risks?",
        ("imbalance",),
    ),
    Item(
        "D4.6",
        _ANALYSIS,
        "Was over-fitting guarded against (tuning, shrinkage)?",
        ("model", "split"),
    ),
    Item(
        "D4.7",
        _ANALYSIS,
        "Were people who belong together (households, places) handled so?",
        ("clustering",),
    ),
)

PROBAST_EVALUATION: tuple[Item, ...] = (
    Item("E1.1", _PEOPLE, "Do the data sources suit the question?", ("source", "dates")),
    Item("E1.2", _PEOPLE, "Were the right people let in and left out?", ("eligibility",)),
    Item(
        "E1.3",
        _PEOPLE,
        "Do they represent those it is meant for, no group left aside?",
        ("use", "fairness"),
    ),
    Item(
        "E2.1",
        _INPUTS,
        "Were inputs defined and measured alike, as in development?",
        ("predictors", "preparation"),
    ),
    Item("E2.2", _INPUTS, "Were inputs taken without knowing the outcome?", ("predictors_timing",)),
    Item("E2.3", _INPUTS, "Can all inputs be had when the model is used?", ("predictors_timing",)),
    Item("E3.1", _OUTCOME, "Was the outcome told in a sound and standard way?", ("outcome",)),
    Item("E3.2", _OUTCOME, "Alike for everybody?", ("outcome",)),
    Item(
        "E3.3",
        _OUTCOME,
        "Are inputs no part of it, and was it told without them?",
        ("outcome_blind",),
    ),
    Item("E3.4", _OUTCOME, "Is the time between inputs and outcome right?", ("outcome", "dates")),
    Item(
        "E4.1",
        _ANALYSIS,
        "Were there enough people with the event?",
        ("participants", "judged_size"),
    ),
    Item("E4.2", _ANALYSIS, "Were all people who were let in analysed?", ("participants",)),
    Item("E4.3", _ANALYSIS, "Were gaps handled well?", ("missing",)),
    Item("E4.4", _ANALYSIS, "Were censoring and competing events handled?", ("outcome",)),
    Item(
        "E4.5",
        _ANALYSIS,
        "Was nothing of the judged people used in training (leaks)?",
        ("split", "clustering"),
    ),
    Item(
        "E4.6",
        _ANALYSIS,
        "Were the right measures taken: discrimination, calibration, benefit?",
        ("measures", "calibration"),
    ),
    Item("E4.7", _ANALYSIS, "Were groups judged apart?", ("fairness",)),
    Item("E4.8", _ANALYSIS, "Was it compared with what is there already?", ("comparison",)),
)
