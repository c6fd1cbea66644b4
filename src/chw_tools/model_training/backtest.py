"""Would it have worked? At each of several days, train on what was known and judge by what came.

At an *origin* the register is cut to what was known that day. Training looks back to index days
whose outcomes were settled and reported by then: the horizon and a gap for late reports lie
between the last of them and the origin. The model is judged by what happened after the origin
to everybody in the programme, as a list made that day would have been; people trained on at
earlier days are among them, as they are in use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from chw_tools.errors import NotEnoughData
from chw_tools.feature_engineering import Features, build_features
from chw_tools.model_evaluation import Resampling, compare_models
from chw_tools.model_evaluation.stability import compute_refit_stability, compute_stability
from chw_tools.model_training.cohorts import make_cohorts
from chw_tools.model_training.train import train

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from chw_tools.model_training.cohorts import Cohorts
    from chw_tools.model_training.recipes import Recipe
    from chw_tools.model_training.train import FittedModel
    from chw_tools.programme.outcomes import OutcomeDefinition
    from chw_tools.records import Register

#: Days in which what happened is reported; an outcome is taken for settled only after them. A
#: decision of this project; a programme knows its own.
KNOWLEDGE_DAYS = 30
#: Index days that are learnt from at each origin, a horizon apart.
N_TRAINING_DAYS = 3
#: Household bootstrap samples on which the last model is fitted again.
N_REFITS = 5


class Rule(Protocol):
    """A plain way of ordering people: from the features of a day, a number, highest first."""

    def __call__(self, features: Features, *, seed: int) -> NDArray[np.float64]:
        """One number a row."""


@dataclass(frozen=True)
class Backtest:
    """How a recipe and plain rules would have done.

    Parameters
    ----------
    table : DataFrame
        ``origin``, ``rule`` (the recipe first), ``n``, ``n_events``, ``n_trained_events`` and
        the columns of :func:`chw_tools.model_evaluation.compare_models`.
    stability : DataFrame
        Overlap of the lists of one origin and the next, each by the model of its day.
    refits : DataFrame
        Overlap, on the last origin, of the model's list with those of the same recipe fitted
        to households drawn again with other seeds.
    notes : tuple of str
        What a reader must know.
    """

    table: pd.DataFrame
    stability: pd.DataFrame
    refits: pd.DataFrame
    notes: tuple[str, ...]


def rank_at_random(features: Features, *, seed: int) -> NDArray[np.float64]:
    """A list by lot."""
    return np.random.default_rng(seed).random(len(features.frame))


def rank_oldest(features: Features, *, seed: int) -> NDArray[np.float64]:
    """Oldest first; people of unknown age last."""
    return rank_by("age_years")(features, seed=seed)


def rank_most_overdue(features: Features, *, seed: int) -> NDArray[np.float64]:
    """Longest without a visit first; people never visited before all others."""
    days = features.frame["days_since_visit"].astype("Float64").astype("float64")
    return np.asarray(days.fillna(days.max() + 1 if days.notna().any() else 0.0), dtype=float)


def rank_by(name: str, *, lowest_first: bool = False) -> Rule:
    """The rule that orders by one feature; people of whom it is not known come last.

    Not known is not low: that they come last is what a list made from this feature alone does.
    """

    def rank(features: Features, *, seed: int) -> NDArray[np.float64]:
        values = features.frame[name].astype("Float64").astype("float64").to_numpy()
        return _last_where_unknown(-values if lowest_first else values)

    return rank


def rank_by_model(predict: Any) -> Rule:
    """The rule of a published score, or of any ``predict(frame)``; the invalid come last."""

    def rank(features: Features, *, seed: int) -> NDArray[np.float64]:
        return _last_where_unknown(np.asarray(predict(features.frame), dtype=float))

    return rank


#: The rules that need nothing but the register.
SIMPLE_RULES: Mapping[str, Rule] = {
    "random": rank_at_random,
    "oldest": rank_oldest,
    "most_overdue": rank_most_overdue,
}


def choose_origins(
    last_known_on: pd.Timestamp, definition: OutcomeDefinition, *, n_origins: int = 3
) -> list[pd.Timestamp]:
    """Origins back from the end of the data, a horizon apart, earliest first.

    What came after the last of them is settled by the end of the data.

    Raises
    ------
    NotEnoughData
        If the outcome is a status, which has no before and after.
    """
    if definition.kind != "within_days" or not definition.horizon_days:
        raise NotEnoughData(
            "what is not within a horizon of index days has no before and after to test over",
            where=definition.name,
            cure="Choose an outcome with a horizon.",
        )
    step = pd.Timedelta(days=definition.horizon_days)
    return [last_known_on - step * (n_origins - i) for i in range(n_origins)]


def backtest(
    register: Register,
    definition: OutcomeDefinition,
    *,
    recipe: str | Recipe,
    seed: int,
    origins: Sequence[pd.Timestamp],
    rules: Mapping[str, Rule] = SIMPLE_RULES,
    population: str = "simulated",
    n_training_days: int = N_TRAINING_DAYS,
    knowledge_days: int = KNOWLEDGE_DAYS,
    n_refits: int = N_REFITS,
) -> Backtest:
    """Train at each origin on what was known, and judge by what came, beside plain rules.

    Parameters
    ----------
    register : Register
        All that was recorded.
    definition : OutcomeDefinition
        What is foreseen, within a horizon.
    recipe : str or Recipe
        How the model is made.
    seed : int
        All chance comes from it.
    origins : sequence of Timestamp
        See :func:`choose_origins`.
    rules : mapping of str to Rule
        Beside the recipe and the prevalence.
    population : {"simulated", "real"}
        Whom the rows are about.
    n_training_days : int
        Index days learnt from at each origin, a horizon apart.
    knowledge_days : int
        Days between the end of a training horizon and the origin; no fewer than the outcome's
        own ``knowledge_delay_days``.
    n_refits : int
        Refits on the last origin, for the stability of the list.

    Raises
    ------
    NotEnoughData
        If at no origin enough was known to train on, or nothing came to judge by.
    """
    parts, lists, notes, last = [], {}, [], None
    for origin in sorted(origins):
        try:
            learnt = _learn(register, definition, origin, n_training_days, knowledge_days)
            model = _fit(learnt, definition, recipe, seed=seed, population=population)
            judged = make_cohorts(register, definition, index_days=[origin])
        except NotEnoughData as error:
            notes.append(f"{origin:%Y-%m-%d} is left out: {error.what}.")
            continue
        features = _features_of(register, judged, origin)
        scores = _score(model, learnt, judged, features, rules, seed=seed)
        parts.append(_judge(scores, judged, learnt, rules, origin=origin, seed=seed))
        lists[f"{origin:%Y-%m-%d}"] = pd.Series(scores[model.name], judged.labels.index)
        last = (learnt, judged, model)
    if last is None:
        raise NotEnoughData(
            "at no origin was enough known to train on and to judge by",
            where=definition.name,
            cure="Give a longer record, fewer training days or a shorter gap.",
        )
    refits = _refit(*last, definition, recipe, seed=seed, n_refits=n_refits)
    late = max(knowledge_days, definition.knowledge_delay_days)
    gap = f"{definition.horizon_days} days of horizon and {late} of reporting"
    notes.append(f"Between the last training day and each origin lie {gap}.")
    return Backtest(
        pd.concat(parts, ignore_index=True), compute_stability(lists), refits, tuple(notes)
    )


def cut_to_known(register: Register, day: pd.Timestamp) -> Register:
    """The rows that the programme had by a day, before anything is resolved among them."""
    kept = {name: frame[frame["known_on"] <= day] for name, frame in register.tables()}
    return replace(register, **kept)


def _learn(
    register: Register,
    definition: OutcomeDefinition,
    origin: pd.Timestamp,
    n_days: int,
    knowledge_days: int,
) -> Cohorts:
    horizon = pd.Timedelta(days=definition.horizon_days or 0)
    gap = max(knowledge_days, definition.knowledge_delay_days)
    newest = origin - horizon - pd.Timedelta(days=gap)
    days = [newest - k * horizon for k in range(n_days)]
    return make_cohorts(cut_to_known(register, origin), definition, index_days=days)


def _fit(
    learnt: Cohorts,
    definition: OutcomeDefinition,
    recipe: str | Recipe,
    *,
    seed: int,
    population: str,
) -> FittedModel:
    return train(
        learnt.features,
        learnt.labels,
        recipe=recipe,
        seed=seed,
        groups=learnt.households.to_numpy(),
        outcome=definition.name,
        population=population,
    )


def _features_of(register: Register, judged: Cohorts, origin: pd.Timestamp) -> Features:
    """Every feature of the judged, also those that the model may not use."""
    everything = build_features(register, as_of=origin)
    return Features(
        everything.frame.loc[judged.labels.index], everything.declaration, everything.as_of
    )


def _score(
    model: FittedModel,
    learnt: Cohorts,
    judged: Cohorts,
    features: Features,
    rules: Mapping[str, Rule],
    *,
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    prevalence = float(learnt.labels.astype(float).mean())
    return {
        model.name: model.predict(judged.features.frame),
        "prevalence": np.full(len(judged.labels), prevalence),
        **{name: rule(features, seed=seed) for name, rule in rules.items()},
    }


def _judge(
    scores: Mapping[str, NDArray[np.float64]],
    judged: Cohorts,
    learnt: Cohorts,
    rules: Mapping[str, Rule],
    *,
    origin: pd.Timestamp,
    seed: int,
) -> pd.DataFrame:
    happened = judged.labels.astype(float).to_numpy()
    drawn = Resampling(len(happened), seed=seed, groups=judged.households.to_numpy())
    table = compare_models(happened, scores, drawn, only_ordering=tuple(rules))
    facts = {
        "origin": f"{origin:%Y-%m-%d}",
        "n": len(happened),
        "n_events": int(happened.sum()),
        "n_trained_events": int(learnt.labels.astype(float).sum()),
    }
    return table.rename_axis("rule").reset_index().assign(**facts)


def _refit(
    learnt: Cohorts,
    judged: Cohorts,
    model: FittedModel,
    definition: OutcomeDefinition,
    recipe: str | Recipe,
    *,
    seed: int,
    n_refits: int,
) -> pd.DataFrame:
    """The list of the model beside those of refits on households drawn with replacement."""
    if not n_refits:
        return pd.DataFrame()
    people = judged.labels.index
    scores = {"in use": pd.Series(model.predict(judged.features.frame), people)}
    for number in range(1, n_refits + 1):
        drawn = _draw_households(learnt, seed=seed + number)
        again = _fit(drawn, definition, recipe, seed=seed + number, population=model.population)
        scores[f"refit {number}"] = pd.Series(again.predict(judged.features.frame), people)
    return compute_refit_stability(scores)


def _draw_households(learnt: Cohorts, *, seed: int) -> Cohorts:
    """As many households as there are, drawn with replacement; one drawn twice stands twice."""
    generator = np.random.default_rng(seed)
    codes, names = pd.factorize(learnt.households)
    counts = np.bincount(generator.integers(0, len(names), len(names)), minlength=len(names))
    rows = np.repeat(np.arange(len(codes)), counts[codes])
    held = learnt.features
    return replace(
        learnt,
        features=Features(held.frame.iloc[rows], held.declaration, held.as_of),
        labels=learnt.labels.iloc[rows],
        as_of=learnt.as_of.iloc[rows],
        households=learnt.households.iloc[rows],
        judged_by=learnt.judged_by.iloc[rows],
    )


def _last_where_unknown(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = values[~np.isnan(values)]
    return np.where(np.isnan(values), known.min() - 1 if known.size else 0.0, values)
