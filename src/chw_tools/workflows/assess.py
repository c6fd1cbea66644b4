"""Risk and advice for people of the register: load, a few stage calls, save."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from chw_tools.data_processing import as_known_on
from chw_tools.errors import (
    ModelNotFound,
    ModelRefused,
    NothingToRead,
    ProgrammeFault,
    RulesAlone,
)
from chw_tools.feature_engineering import features_as_known
from chw_tools.model_evaluation import CalibrationVerdict
from chw_tools.recommendations import (
    all_recommendations,
    first_few,
    vaccines_due,
    what_would_change,
)
from chw_tools.risk_prediction import estimate_risk, who_cvd_score
from chw_tools.risk_prediction.scores import declared_score, estimate_score
from chw_tools.workflows.people import check_people

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    from chw_tools.feature_engineering import Features
    from chw_tools.programme import Programme
    from chw_tools.programme.effects import Effects
    from chw_tools.records import Register
    from chw_tools.risk_prediction import ScoringModel
    from chw_tools.workflows.ports import ModelEntry, ModelStore, RegisterStore

#: The outcome whose model, where one may be used, orders the visits.
PRIORITY_OUTCOME = "hospital_admission_180d"
#: A model that nobody judged for this shows no number.
NOT_JUDGED = CalibrationVerdict(False, "Shown as a band only: the numbers were never judged.")
#: A published score stays shown as it was published.
PUBLISHED = CalibrationVerdict(
    True, "A published score: whether its numbers fit in this programme is not known."
)


class UsableModel(NamedTuple):
    """The trained model that may score, or none and the notes why; may its number be shown?

    A shadow is a model on trial: it scores too, is shown to nobody and orders nothing.
    """

    model: ScoringModel | None
    notes: tuple[str, ...]
    verdict: CalibrationVerdict = NOT_JUDGED
    shadow: ScoringModel | None = None


NO_MODEL = UsableModel(None, ())


@dataclass(frozen=True)
class Assessment:
    """Everybody's features, risks and advice as of a day.

    Parameters
    ----------
    as_of : Timestamp
        Day whose knowledge it rests on.
    register : Register
        The register as known that day.
    features : Features
        One row per person.
    risks, recommendations : DataFrame
        As declared in :mod:`chw_tools.records.derived`.
    everything : DataFrame
        All advice, that which is shown among it; the rest stands under "more".
    effects : Effects
        What trials say would change a risk.
    priority_outcome : str
        The outcome whose risk orders the visits.
    notes : tuple of str
        What a reader must know, such as why no model was used.
    verdicts : mapping of str to CalibrationVerdict
        Whether a number may be shown, by the model's digest.
    shadow_risks : DataFrame or None
        Those of a model on trial, to be kept apart; never in ``risks``.
    """

    as_of: pd.Timestamp
    register: Register
    features: Features
    risks: pd.DataFrame
    recommendations: pd.DataFrame
    everything: pd.DataFrame
    effects: Effects
    priority_outcome: str
    notes: tuple[str, ...]
    verdicts: Mapping[str, CalibrationVerdict] = field(default_factory=dict)
    shadow_risks: pd.DataFrame | None = None

    def more(self) -> pd.DataFrame:
        """The advice that is not among the first few, in doing order."""
        keys = ["person_id", "rule_id"]
        shown = pd.MultiIndex.from_frame(self.recommendations[keys])
        return self.everything[~pd.MultiIndex.from_frame(self.everything[keys]).isin(shown)]

    def what_if(self) -> pd.DataFrame:
        """What would change the published risks, by trials; see :func:`what_would_change`.

        Only a published score is a baseline: a model of the programme is fitted to what goes
        together, and its number is no ground to add a trial's effect to.
        """
        published = [digest for digest, held in self.verdicts.items() if held is PUBLISHED]
        baseline = self.risks[self.risks["model_digest"].isin(published)]
        return what_would_change(self.features, baseline, effects=self.effects)

    def shown_risks(self) -> pd.DataFrame:
        """The risks as people may see them: a number only where it is calibrated, and why.

        ``risks`` keeps every number, since it orders the plan.
        """
        held = self.risks["model_digest"].map(lambda digest: self.verdicts.get(digest, NOT_JUDGED))
        may = held.map(lambda verdict: verdict.shown).astype(bool)
        why = held.map(lambda verdict: verdict.why).astype("str")
        noted = (self.risks["note"].fillna("") + " " + why).str.strip()
        estimated = self.risks["state"] == "estimated"
        return self.risks.assign(
            risk=self.risks["risk"].where(may), note=self.risks["note"].mask(estimated, noted)
        )


@dataclass(frozen=True)
class PublishedRisks:
    """Published scores as of a day.

    Parameters
    ----------
    as_of : Timestamp
        Day whose knowledge it rests on.
    risks : DataFrame
        As declared in ``records.derived.RISKS``, score by score.
    names : tuple of str
        The scores, in order.
    """

    as_of: pd.Timestamp
    risks: pd.DataFrame
    names: tuple[str, ...]


def score_people(
    *,
    store: RegisterStore,
    models: ModelStore,
    programme: Programme,
    as_of: date | None = None,
    person_ids: Collection[str] | None = None,
) -> Assessment:
    """Estimate risks as of a day and keep them; they are appended, never replaced.

    Raises
    ------
    NothingToRead
        If nothing was ever recorded and no day is given.
    NotFound
        If a person asked for is not in the register.
    """
    assessment = recommend_actions(
        store=store, models=models, programme=programme, as_of=as_of, person_ids=person_ids
    )
    with store.transaction():
        keep_risks(store, assessment)
    return assessment


def keep_risks(store: RegisterStore, assessment: Assessment) -> None:
    """Add the estimates to those kept; a shadow's go to a place of their own."""
    store.save_risks(assessment.risks)
    if assessment.shadow_risks is not None:
        store.save_shadow_risks(assessment.shadow_risks)


def score_published(
    names: Collection[str],
    *,
    store: RegisterStore,
    programme: Programme,
    regions: Collection[str] = (),
    as_of: date | None = None,
    person_ids: Collection[str] | None = None,
) -> PublishedRisks:
    """Published scores as of a day, for some people or for all; nothing is kept.

    Of ``regions`` each score takes the one that it is calibrated to; those of WHO take the
    programme's where none is given. A probability has a band where the programme decided
    bands for its outcome.

    Raises
    ------
    ProgrammeFault
        If there is no such score, or a region is of none of them.
    NothingToRead
        If nothing was ever recorded and no day is given.
    NotFound
        If a person asked for is not in the register.
    """
    chosen = {name: _region_of(name, regions, programme) for name in dict.fromkeys(names)}
    _check_regions(chosen, regions)
    on = day_of(store, as_of)
    check_people(store, *(person_ids or ()))
    known = as_known_on(load_part(store, person_ids), on)
    features = features_as_known(known, as_of=on, person_ids=person_ids)
    risks = [
        estimate_score(
            name,
            features,
            region=region,
            bands=programme.risk_bands.get(declared_score(name).outcome),
        )
        for name, region in chosen.items()
    ]
    return PublishedRisks(on, pd.concat(risks, ignore_index=True), tuple(chosen))


def _region_of(name: str, regions: Collection[str], programme: Programme) -> str | None:
    offered = declared_score(name).regions
    given = [region for region in regions if region in offered]
    if given:
        return given[0]
    return programme.who_region if programme.who_region in offered else None


def _check_regions(chosen: Mapping[str, str | None], regions: Collection[str]) -> None:
    offered = {region for name in chosen for region in declared_score(name).regions}
    unused = sorted(set(regions) - offered)
    if unused:
        raise ProgrammeFault(
            "no score asked for is calibrated to this region.",
            where="region",
            cure="`chw scores list` names the regions of each score.",
        )


def recommend_actions(
    *,
    store: RegisterStore,
    models: ModelStore,
    programme: Programme,
    as_of: date | None = None,
    person_ids: Collection[str] | None = None,
) -> Assessment:
    """Risk and advice as of a day, for some people or for all; nothing is kept.

    Raises
    ------
    NothingToRead
        If nothing was ever recorded and no day is given.
    NotFound
        If a person asked for is not in the register.
    """
    on = day_of(store, as_of)
    check_people(store, *(person_ids or ()))
    return assess(
        load_part(store, person_ids),
        programme=programme,
        as_of=on,
        using=usable_model(models, store, PRIORITY_OUTCOME),
        person_ids=person_ids,
    )


def load_part(store: RegisterStore, person_ids: Collection[str] | None) -> Register:
    """The register, or as much of it as the features of some people need."""
    if person_ids is None:
        return store.load_register()
    return store.load_register(person_ids=store.related_people(person_ids))


def assess(
    register: Register,
    *,
    programme: Programme,
    as_of: pd.Timestamp,
    using: UsableModel = NO_MODEL,
    person_ids: Collection[str] | None = None,
) -> Assessment:
    """Features, risks and advice of a register as it was known on a day.

    The published cardiovascular score runs on everybody; a trained model beside it where
    one is given. With ``person_ids`` only these people are assessed, within a register that
    holds their households too.
    """
    known = as_known_on(register, as_of)
    features = features_as_known(known, as_of=as_of, person_ids=person_ids)
    score = who_cvd_score(programme.who_region)
    scorers = [score] if using.model is None else [using.model, score]
    verdicts = {score.digest: PUBLISHED}
    if using.model is not None:
        verdicts[using.model.digest] = using.verdict
    risks = pd.concat(
        [estimate_risk(s, features, bands=programme.bands_for(s.outcome)) for s in scorers],
        ignore_index=True,
    )
    vaccines = vaccines_due(
        known.people,
        known.immunisations,
        schedule=programme.vaccination,
        as_of=as_of,
        ahead_days=int(programme.planning.look_ahead_days),
        words=programme.translation(),
    )
    everything = all_recommendations(
        features, risks, programme=programme, as_of=as_of, vaccines=vaccines
    )
    return Assessment(
        as_of=as_of,
        register=known,
        features=features,
        risks=risks,
        recommendations=first_few(everything, int(programme.planning.max_recommendations)),
        everything=everything,
        effects=programme.effects_told,
        priority_outcome=scorers[0].outcome,
        notes=using.notes,
        verdicts=verdicts,
        shadow_risks=None
        if using.shadow is None
        else estimate_risk(using.shadow, features, bands=programme.bands_for(using.shadow.outcome)),
    )


def usable_model(models: ModelStore, store: RegisterStore, outcome: str) -> UsableModel:
    """The model that may score the people of a store, or none with the reason.

    Simulated people prove plumbing, not medicine: their models score only people of the same
    simulation, never others. For real people a model must have been approved by somebody. A
    model that is refused stops nobody's list: the order comes from the rules, and a note says
    why.
    """
    using = _champion(models, store, outcome)
    try:
        entry = models.find_shadow(outcome)
        if entry is None:
            return using
        return using._replace(shadow=_load_for(entry, models, store, outcome))
    except ModelRefused as error:
        note = f"The model of {outcome} on trial did not score: {error}"
        return using._replace(notes=(*using.notes, note))


def _champion(models: ModelStore, store: RegisterStore, outcome: str) -> UsableModel:
    try:
        entry = models.find(outcome)
        model = _load_for(entry, models, store, outcome)
    except RulesAlone as error:
        return _no_model(f"No model of {outcome} is in use: {error.what}.")
    except ModelNotFound:
        return _no_model(f"No model of {outcome} is registered.")
    except ModelRefused as error:
        return _no_model(str(error))
    if store.population == "real" and entry.stage != "approved":
        return _no_model(f"No model of {outcome} was approved for use.")
    return UsableModel(model, (), _verdict(entry.manifest))


def _load_for(
    entry: ModelEntry, models: ModelStore, store: RegisterStore, outcome: str
) -> ScoringModel:
    """The kept model, if it was trained on people of the kind that the store holds."""
    model, held = models.load_model(outcome, entry.version), store.population
    if model.population != held:
        raise ModelRefused(
            f"The model of {outcome} was trained on {model.population} people and does not "
            f"score {held} ones."
        )
    if held == "simulated" and not store.sources() <= set(entry.manifest.get("people_from", ())):
        raise ModelRefused(
            f"The model of {outcome} was trained on people of another simulation and does not "
            "score these."
        )
    return model


def _no_model(why: str) -> UsableModel:
    ordered = "Order comes from guideline rules, overdue time and the published score."
    return UsableModel(None, (f"{why} {ordered}",))


def _verdict(manifest: Mapping[str, Any]) -> CalibrationVerdict:
    held = manifest.get("probability")
    if not isinstance(held, dict) or "shown" not in held:
        return NOT_JUDGED
    return CalibrationVerdict(held["shown"] is True, str(held.get("why", "")))


def day_of(store: RegisterStore, as_of: date | None) -> pd.Timestamp:
    """The day asked for, or the last recorded one.

    Raises
    ------
    NothingToRead
        If nothing was ever recorded and no day is given.
    """
    day = as_of or store.last_recorded_day()
    if day is None:
        raise NothingToRead("The register is empty.", cure="Begin with: chw ingest FOLDER")
    return pd.Timestamp(day).as_unit("s")
