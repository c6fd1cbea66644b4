"""Published scores on the feature table: as models, and as RISKS."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.errors import ProgrammeFault
from chw_tools.feature_engineering import Feature, Features
from chw_tools.records.derived import RISKS
from chw_tools.records.register import conform
from chw_tools.risk_prediction.explained import Explained, explain_in_parts
from chw_tools.risk_prediction.inputs import columns_of
from chw_tools.risk_prediction.published import PublishedScore
from chw_tools.risk_prediction.scores.cardiovascular import CARDIOVASCULAR
from chw_tools.risk_prediction.scores.formula import read_numbers
from chw_tools.risk_prediction.scores.points import POINTS
from chw_tools.risk_prediction.scoring import estimate_risk
from chw_tools.risk_prediction.sentences import SENTENCES
from chw_tools.risk_prediction.validity import judge_rows, worded_gaps
from chw_tools.risk_prediction.who_cvd import who_cvd_score

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from chw_tools.risk_prediction.inputs import Columns
    from chw_tools.risk_prediction.model_shape import Bands
    from chw_tools.risk_prediction.plausibility import Range
    from chw_tools.risk_prediction.published import Inputs
    from chw_tools.risk_prediction.scores.declaration import Band, Score
    from chw_tools.risk_prediction.scores.formula import Numbers

#: Every published score, by name.
SCORES: dict[str, Score] = {score.name: score for score in (*CARDIOVASCULAR, *POINTS)}


class NoBands:
    """For outcomes that no programme has decided bands for."""

    def of(self, risk: NDArray[np.float64]) -> NDArray[np.object_]:
        """No band."""
        return np.full(len(risk), None, dtype=object)


class PairwiseScore(PublishedScore):
    """A formula whose log-odds hold terms of at most two inputs.

    Then the Shapley value of an input is the mean of its effect with all others as they are
    and its effect with all others at the reference: two pairs of evaluations an input, in
    place of all subsets.
    """

    def _shares(self, inputs: Inputs) -> Numbers:
        """As of any published score, and equal to it."""
        every, players = frozenset(self.reference), list(self.reference)
        groups = [every, frozenset[str]()]
        groups += [every - {player} for player in players]
        groups += [frozenset({player}) for player in players]
        whole, nothing, *rest = self._logits(inputs, groups)
        n = len(players)
        shares = np.empty((len(whole), n))
        for at in range(n):
            shares[:, at] = (whole - rest[at] + rest[n + at] - nothing) / 2
        return shares


@dataclass(frozen=True, eq=False)
class PointsScore:
    """A score that gives points and a band; never a probability."""

    score: Score
    version: str
    digest: str
    population: str = "real"
    #: Items are read by name, and have limits in place of ranges.
    features: tuple[Feature, ...] = ()
    ranges: Mapping[str, Range] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name, for people."""
        return self.score.label

    @property
    def outcome(self) -> str:
        """What is foreseen or found."""
        return self.score.outcome

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The inputs, with the columns that decide for whom it is."""
        more = (*self.score.not_with, *self.score.applies_needs)
        return tuple(dict.fromkeys((*self.score.labels, *more)))

    def points(self, frame: pd.DataFrame) -> Numbers:
        """The points; missing where an item is."""
        items = self.contributions(frame).to_numpy()
        known = np.nansum(items, axis=1)
        unclear = np.isnan(items).any(axis=1)
        if self.score.enough is not None:
            unclear &= known < self.score.enough
        return np.where(unclear, np.nan, known)

    def predict(self, frame: pd.DataFrame) -> Numbers:
        """No probability: the score was not published as one."""
        return np.full(len(frame), np.nan)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The points of each item; together they are the score."""
        items = self.score.items(self.score.read(frame)) if self.score.items else {}
        return pd.DataFrame(dict(items), index=frame.index)

    def _words(self) -> tuple[Band, ...]:
        return (*self.score.bands, *([self.score.alarm[1]] if self.score.alarm else []))

    def _places(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """The place of each row's band among the words; -1 without points."""
        points = self.points(frame)
        lowest = [band.lowest for band in self.score.bands]
        places = np.searchsorted(lowest, points, side="right").astype("int64") - 1
        if self.score.alarm is not None:
            alone = (self.contributions(frame).to_numpy() >= self.score.alarm[0]).any(axis=1)
            places[alone & (places == 0)] = len(self.score.bands)
        places[np.isnan(points)] = -1
        return places

    def levels(self, frame: pd.DataFrame) -> NDArray[np.object_]:
        """Our band of each row, ``low`` to ``very_high``; ``None`` without points."""
        names = [*(band.level for band in self._words()), None]
        levels: NDArray[np.object_] = np.array(names, dtype=object)[self._places(frame)]
        return levels

    def judge(self, frame: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """State and note; of who has points, the note says them and the band's own word."""
        score, items = self.score, self.contributions(frame)
        inputs = columns_of(score.read(frame), frame.index)
        state, note = judge_rows(inputs, limits=score.limits, needs=[], labels=score.labels)
        points = self.points(frame)
        missing = {name: (items[name].isna() & np.isnan(points)).to_numpy() for name in items}
        least = np.nansum(items.to_numpy(), axis=1)
        for rows, text in worded_gaps(missing, score.labels, SENTENCES["not_known"]):
            kept = rows[state[rows] != "not_valid"]
            state[kept] = "not_known"
            note[kept] = [text + _at_least(n) for n in least[kept].tolist()]
        note = np.where(state == "estimated", self._told(frame), note)
        barred = {
            why: frame[flag].fillna(False).to_numpy(dtype=bool)
            for flag, why in score.not_with.items()
        }
        if score.applies is not None:
            barred[score.applies_to] = ~score.applies(frame)
        for why, rows in barred.items():
            state[rows], note[rows] = "not_valid", why
        return state, note

    def explain(self, columns: Columns) -> Explained:
        """State, note, no probability, and the points of each item."""
        return explain_in_parts(self, columns)

    def _told(self, frame: pd.DataFrame) -> NDArray[np.object_]:
        """Points and band in words; each pair is worded once."""
        pairs = np.column_stack([self.points(frame), self._places(frame)])
        distinct, which = np.unique(pairs, axis=0, return_inverse=True)
        words = self._words()
        told = [
            None
            if place < 0
            else f"{points:.0f} of {self.score.highest} points: {words[int(place)].label}."
            for points, place in distinct.tolist()
        ]
        worded: NDArray[np.object_] = np.array([*told, None], dtype=object)[which.ravel()]
        return worded


def _at_least(points: float) -> str:
    # What is missing only adds: no item takes points away.
    if points == 0:
        return ""
    return f" At least {points:.0f} point{'' if points == 1 else 's'}."


def score_model(name: str, *, region: str | None = None) -> PublishedScore | PointsScore:
    """A published score as a model of :func:`~chw_tools.risk_prediction.estimate_risk`.

    Parameters
    ----------
    name : str
        One of ``SCORES``.
    region : str, optional
        For scores that are calibrated to regions.

    Raises
    ------
    ProgrammeFault
        If there is no such score, or no such region of it.

    Examples
    --------
    >>> score_model("score2", region="low").outcome
    'mi_stroke_or_cvd_death_10y'
    """
    score = declared_score(name)
    if score.regions and region not in score.regions:
        raise ProgrammeFault(
            f"the score {name} is calibrated to regions, and this is none of them."
            if region
            else f"the score {name} is calibrated to regions: name one.",
            where="region",
            cure=f"Choose one of: {'; '.join(score.regions)}.",
        )
    if name == "who_cvd" and region:
        return who_cvd_score(region)
    version = region if score.regions and region else score.version
    numbers = json.dumps([name, region if score.regions else None, _numbers(name)], sort_keys=True)
    digest = sha256(numbers.encode()).hexdigest()
    if score.formula is None:
        return PointsScore(score, version, digest)
    formula = score.formula

    def of_inputs(inputs: Inputs) -> Numbers:
        return formula(inputs, region)

    return _of_probability(score, of_inputs, version, digest)


def declared_score(name: str) -> Score:
    """The declaration of a score.

    Raises
    ------
    ProgrammeFault
        If there is no such score.
    """
    if name not in SCORES:
        raise ProgrammeFault(
            "no such published score.", where="score", cure=f"Choose one of: {', '.join(SCORES)}."
        )
    return SCORES[name]


def _of_probability(
    score: Score, formula: Callable[[Inputs], Numbers], version: str, digest: str
) -> PublishedScore:
    kind = PairwiseScore if score.pairwise else PublishedScore
    return kind(
        name=score.label,
        version=version,
        outcome=score.outcome,
        digest=digest,
        read=score.read,
        formula=formula,
        reference=score.reference,
        labels=score.labels,
        limits=score.limits,
        not_with=score.not_with,
        remarks=score.remark,
        reference_text=score.reference_text,
    )


def estimate_score(
    name: str, features: Features, *, region: str | None = None, bands: Bands | None = None
) -> pd.DataFrame:
    """A published score of everybody, as declared in ``RISKS``.

    Where the score gives points, ``risk`` stays missing: the note says the points, ``band``
    is the one declared with the score, and reasons are the points of each item. An input that
    the feature table lacks is not known.

    Parameters
    ----------
    name : str
        One of ``SCORES``.
    features : Features
        One row per person; further inputs (such as ``uacr_mg_g``) may stand beside the
        declared features.
    region : str, optional
        For scores that are calibrated to regions.
    bands : Bands, optional
        Names the band of a probability; without it none is named.

    Raises
    ------
    ProgrammeFault
        If there is no such score or region.
    """
    model = score_model(name, region=region)
    whole = _with_inputs(features, declared_score(name), model.feature_names)
    risks = estimate_risk(model, whole, bands=bands or NoBands())
    if isinstance(model, PointsScore):
        told = (risks["state"] == "estimated").to_numpy()
        levels = np.where(told, model.levels(whole.frame), np.full(len(told), None, dtype=object))
        risks = conform(RISKS, risks.assign(band=levels))
    return risks


def _with_inputs(features: Features, score: Score, names: tuple[str, ...]) -> Features:
    """The columns that the score reads, and their ages; what is not there is not known."""
    declared, labels = features.declared(), score.labels
    declaration = tuple(
        declared.get(name) or Feature(name, labels.get(name, name), "number") for name in names
    )
    ages = [n for name in names if (n := f"{name}_days_since") in features.frame]
    frame = features.frame.reindex(columns=[*names, *ages])
    return Features(frame, declaration, features.as_of)


_FILES = {
    "who_cvd_laboratory": "who_cvd_laboratory_2019",
    "score2": "score2_2021",
    "framingham_lipids": "framingham_2008",
    "framingham_bmi": "framingham_2008",
    "pooled_cohort": "pooled_cohort_2013",
}


def _numbers(name: str) -> Any:
    """The numbers that decide a score, for its digest."""
    file = _FILES.get(name, "prevent_2023" if name.startswith("prevent") else "points")
    bands = [[band.lowest, band.label, band.level] for band in SCORES[name].bands]
    return [read_numbers(file), bands]
