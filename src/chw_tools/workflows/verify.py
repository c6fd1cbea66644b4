"""Every stored risk computed again, bit for bit: from the register as known that day, by the
model with the digest that stands beside it.

What is computed again is what was known at the time: events recorded after the estimate are left
out by their place in the order of commits, even where they are dated to the same day.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.data_processing import as_known_on
from chw_tools.errors import ModelError
from chw_tools.feature_engineering import features_as_known
from chw_tools.risk_prediction import estimate_risk, who_cvd_regions, who_cvd_score

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from chw_tools.programme import Programme
    from chw_tools.records import Register
    from chw_tools.risk_prediction import ScoringModel
    from chw_tools.workflows.ports import KeptRisks, ModelStore, Progress

#: Why a stored risk is not what is computed again, and what to do; the first that holds is told.
CAUSES = {
    "changed_in_store": "the stored row is not as it was added; restore the store from a backup",
    "model_missing": "no model or published score with its digest is kept; restore its folder",
    "inputs": "the register tells otherwise of that day than when it was scored: a person's or a "
    "household's own entry was brought up to date in place, or rows are lost",
    "bands": "the bands are decided otherwise now; verify with the programme of that day",
    "code": "the same inputs and model give another result; see what version of the code made it",
}
_COMPARED = ("state", "risk", "reasons", "note", "model")
#: People whose estimates are held in memory at a time.
BATCH = 5_000


@dataclass(frozen=True)
class Verification:
    """What came of computing stored risks again.

    Parameters
    ----------
    n_people, n_risks, n_equal : int
        Of how many people, how many estimates, and how many of these are equal bit for bit.
    differences : DataFrame
        One row for each that is not: ``person_id``, ``outcome``, ``as_of``, ``model``,
        ``model_digest`` and ``cause``, a key of :data:`CAUSES`.
    """

    n_people: int
    n_risks: int
    n_equal: int
    differences: pd.DataFrame

    @property
    def is_equal(self) -> bool:
        """Whether every one is."""
        return len(self.differences) == 0

    def by_cause(self) -> dict[str, int]:
        """How many differ for each cause."""
        counted = self.differences["cause"].value_counts()
        return {cause: int(counted[cause]) for cause in CAUSES if cause in counted}


@dataclass
class _Scorers:
    """Models and published scores by their digest; None where there is none."""

    models: ModelStore
    found: dict[str, ScoringModel | None] = field(default_factory=dict)

    def of(self, digest: str) -> ScoringModel | None:
        if not self.found:
            scores = (who_cvd_score(region) for region in who_cvd_regions())
            self.found = {score.digest: score for score in scores}
        if digest not in self.found:
            try:
                self.found[digest] = self.models.load_scorer(digest)
            except ModelError:
                self.found[digest] = None
        return self.found[digest]


def verify_scores(
    *,
    store: KeptRisks,
    models: ModelStore,
    programme: Programme,
    outcome: str | None = None,
    since: date | None = None,
    sample: int | None = None,
    seed: int = 1,
    shadow: bool = False,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> Verification:
    """Compute stored risks again and compare them: inputs, risk, band, reasons, note.

    Parameters
    ----------
    store, models, programme
        The parts.
    outcome : str, optional
        Only risks of this outcome.
    since : date, optional
        Only risks as of this day or later.
    sample : int, optional
        Only of so many people, drawn at random.
    seed : int
        Of the draw.
    shadow : bool
        The risks of models on trial instead of those in use.
    batch : int
        People at a time.
    progress : callable, optional
        Told how far it has come.
    """
    people = store.scored_people(outcome=outcome, since=since, shadow=shadow)
    if sample is not None and sample < len(people):
        drawn = np.random.default_rng(seed).choice(len(people), sample, replace=False)
        people = [people[at] for at in sorted(drawn)]
    scorers, judged = _Scorers(models), [_no_risks()]
    for done, part in _parts(people, batch):
        kept = store.load_kept_risks(part, outcome=outcome, since=since, shadow=shadow)
        judged.append(_judge(kept, store, scorers, programme))
        if progress:
            progress("people", done, len(people))
    every = pd.concat(judged, ignore_index=True)
    off = every[every["cause"] != ""].reset_index(drop=True)
    return Verification(len(people), len(every), len(every) - len(off), off)


def _parts(people: Sequence[str], batch: int) -> Iterator[tuple[int, list[str]]]:
    for first in range(0, len(people), batch):
        part = list(people[first : first + batch])
        yield first + len(part), part


def _no_risks() -> pd.DataFrame:
    return pd.DataFrame(columns=["person_id", "outcome", "as_of", "model", "model_digest", "cause"])


def _judge(
    kept: pd.DataFrame, store: KeptRisks, scorers: _Scorers, programme: Programme
) -> pd.DataFrame:
    register = _related(store, kept["person_id"], None)
    causes = _causes(kept, register, scorers, programme)
    # What was entered later on the day of the estimate is dated to it, and was not known then.
    late = causes.isin(["inputs"])
    for before, rows in _by_state_of_register(kept[late], store):
        then = _related(store, rows["person_id"], before)
        causes.loc[rows.index] = _causes(rows, then, scorers, programme)
    causes = causes.mask(~kept["is_intact"], "changed_in_store")
    return kept.assign(cause=causes)[list(_no_risks().columns)]


def _related(store: KeptRisks, people: pd.Series, before_seq: int | None) -> Register:
    return store.load_register(
        person_ids=store.related_people(sorted(set(people))), before_seq=before_seq
    )


def _by_state_of_register(
    rows: pd.DataFrame, store: KeptRisks
) -> Iterator[tuple[int, pd.DataFrame]]:
    """The rows in groups between which nothing was recorded, each with its first place."""
    if rows.empty:
        return
    places = rows["server_seq"].astype("int64")
    events = np.asarray(store.event_places(int(places.min()), int(places.max())), dtype="int64")
    for _, group in rows.groupby(np.searchsorted(events, places.to_numpy())):
        yield int(group["server_seq"].min()), group


def _causes(
    kept: pd.DataFrame, register: Register, scorers: _Scorers, programme: Programme
) -> pd.Series:
    """Why each kept row is not what is computed again; empty where it is."""
    causes = pd.Series("model_missing", index=kept.index, dtype="object")
    for as_of, of_day in kept.groupby("as_of"):
        day = pd.Timestamp(str(as_of)).as_unit("s")
        features = features_as_known(
            as_known_on(register, day), as_of=day, person_ids=set(of_day["person_id"])
        )
        for digest, rows in of_day.groupby("model_digest"):
            scorer = scorers.of(str(digest))
            if scorer is None:
                continue
            outcome = str(rows["outcome"].iloc[0])
            again = estimate_risk(scorer, features, bands=programme.bands_for(outcome))
            causes.loc[rows.index] = _compare(rows, again.set_index("person_id"))
    return causes


def _compare(kept: pd.DataFrame, again: pd.DataFrame) -> list[str]:
    there = again.reindex(kept["person_id"])
    named = [
        ("inputs", _differs(kept["inputs_digest"], there["inputs_digest"])),
        ("code", np.any([_differs(kept[name], there[name]) for name in _COMPARED], axis=0)),
        ("bands", _differs(kept["band"], there["band"])),
    ]
    causes = np.full(len(kept), "", dtype=object)
    for cause, differs in reversed(named):
        causes[differs] = cause
    return list(causes)


def _differs(kept: pd.Series, again: pd.Series) -> Any:
    pairs = zip(map(_plain, kept), map(_plain, again), strict=True)
    return np.array([one != other for one, other in pairs], dtype=bool)


def _plain(value: Any) -> Any:
    """A value that equals another only where both are the same to the last bit."""
    if isinstance(value, list | dict):
        return json.dumps(value, sort_keys=True)
    if value is None or value is pd.NA or value != value:
        return None
    return float(value).hex() if isinstance(value, float) else value
