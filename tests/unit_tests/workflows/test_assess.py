"""A number is shown only where it is calibrated; what is kept and orders the plan stays."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import ModelNotFound, ModelRefused, RulesAlone
from chw_tools.model_evaluation import CalibrationVerdict
from chw_tools.programme import load_programme
from chw_tools.records import TABLES, Register, conform, load_catalogue
from chw_tools.risk_prediction.explained import Explained
from chw_tools.workflows import wording
from chw_tools.workflows.assess import (
    NOT_JUDGED,
    PRIORITY_OUTCOME,
    PUBLISHED,
    UsableModel,
    assess,
    usable_model,
)

ADA = "018bcfe5-6800-7cc0-8b4f-00000000000a"
DAY = pd.Timestamp("2026-01-05")
_MEASURED = {"systolic_mmhg": 150.0, "bmi": 27.0, "tobacco": "never"}


class Model:
    """A trained model that gives everybody one risk."""

    name, version, digest = "additive", "v1", "d" * 64
    outcome, population = PRIORITY_OUTCOME, "real"
    feature_names = ("age_years",)
    features, ranges = (), {}

    def predict(self, frame):
        return np.full(len(frame), 0.12)

    def explain(self, columns):
        n_people = len(columns)
        return Explained(
            state=np.full(n_people, "estimated", object),
            note=np.full(n_people, None, object),
            risk=self.predict(columns.frame),
            effects=None,
        )


def _rows(table, *rows):
    told = {"source": "test", "known_on": pd.Timestamp("2025-06-01")}
    return conform(TABLES[table], pd.DataFrame([told | row for row in rows]))


@pytest.fixture(scope="module")
def register():
    catalogue = load_catalogue()
    people = [{"id": ADA, "sex": "female", "born_on": pd.Timestamp("1970-05-01")}]
    observations = [
        {
            "id": f"018bcfe5-6800-7cc0-8b4f-00000000010{n}",
            "person_id": ADA,
            "system": catalogue[name].code.system,
            "code": catalogue[name].code.code,
            "value_code" if isinstance(value, str) else "value_number": value,
            "observed_on": pd.Timestamp("2025-06-01"),
        }
        for n, (name, value) in enumerate(_MEASURED.items())
    ]
    return Register.of(
        {
            "people": _rows("people", *people),
            "observations": _rows("observations", *observations),
        }
    )


def _assessed(register, verdict):
    using = UsableModel(Model(), (), verdict)
    return assess(register, programme=load_programme(), as_of=DAY, using=using)


@pytest.mark.parametrize("shown", [True, False])
def test_a_trained_models_number_is_shown_only_where_it_is_calibrated(register, shown):
    verdict = CalibrationVerdict(shown, "The reason why.")
    assessed = _assessed(register, verdict)
    rows = assessed.shown_risks().set_index("outcome")
    row = wording.risk_shown(rows.reset_index().iloc[0], "real")
    assert (row.risk, row.of_100) == ((0.12, "about 12") if shown else (None, None))
    assert row.band == "high"
    assert row.note == "The reason why."
    assert assessed.risks["risk"].iloc[0] == 0.12  # kept: it orders the plan


def test_a_published_score_stays_shown_and_says_what_is_not_known(register):
    assessed = _assessed(register, NOT_JUDGED)
    row = assessed.shown_risks().set_index("outcome").loc["cvd_10y"]
    assert row["state"] == "estimated"
    assert row["risk"] > 0
    assert row["note"].endswith(PUBLISHED.why)


def test_who_has_no_estimate_is_told_why_and_nothing_of_numbers(register):
    bare = Register.of({"people": register.people})
    row = _assessed(bare, NOT_JUDGED).shown_risks().set_index("outcome").loc["cvd_10y"]
    assert row["state"] == "not_known"
    assert PUBLISHED.why not in row["note"]


@pytest.mark.parametrize(
    ("manifest", "verdict"),
    [
        ({"probability": {"shown": True, "why": "Fits."}}, CalibrationVerdict(True, "Fits.")),
        ({"probability": {"shown": False, "why": "No."}}, CalibrationVerdict(False, "No.")),
        ({"probability": {"shown": 1, "why": "No yes."}}, CalibrationVerdict(False, "No yes.")),
        ({}, NOT_JUDGED),
    ],
)
def test_the_manifests_verdict_comes_with_the_model(manifest, verdict):
    entry = SimpleNamespace(version="v1", stage="approved", manifest=manifest)
    models = SimpleNamespace(
        find=lambda *_: entry, load_model=lambda *_: Model(), find_shadow=lambda _: None
    )
    store = SimpleNamespace(population="real", sources=set)
    assert usable_model(models, store, PRIORITY_OUTCOME).verdict == verdict


def _offered(*, trained_on, people_from=(), stage="candidate"):
    entry = SimpleNamespace(version="v1", stage=stage, manifest={"people_from": people_from})
    model = SimpleNamespace(population=trained_on)
    return SimpleNamespace(
        find=lambda *_: entry, load_model=lambda *_: model, find_shadow=lambda _: None
    )


@pytest.mark.parametrize(
    ("models", "population", "sources", "is_used"),
    [
        (_offered(trained_on="simulated", people_from=["a"]), "simulated", {"a"}, True),
        (_offered(trained_on="simulated", people_from=["a", "b"]), "simulated", {"a"}, True),
        (_offered(trained_on="simulated", people_from=["a"]), "simulated", {"a", "b"}, False),
        (_offered(trained_on="simulated", people_from=["a"]), "simulated", {"b"}, False),
        (_offered(trained_on="simulated"), "simulated", {"a"}, False),
        (_offered(trained_on="simulated", people_from=["a"]), "real", {"a"}, False),
        (_offered(trained_on="simulated", stage="approved"), "real", {"a"}, False),
        (_offered(trained_on="real", people_from=["a"]), "simulated", {"a"}, False),
        (_offered(trained_on="real", people_from=["a"]), "real", {"a"}, False),
        (_offered(trained_on="real", stage="approved"), "real", {"b"}, True),
    ],
)
def test_a_model_scores_its_own_simulation_or_real_people_by_approval_and_nobody_else(
    models, population, sources, is_used
):
    store = SimpleNamespace(population=population, sources=lambda: sources)
    using = usable_model(models, store, PRIORITY_OUTCOME)
    assert (using.model is not None) == is_used
    assert bool(using.notes) != is_used


def _refusing(error):
    def refuse(*_):
        raise error

    return refuse


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModelRefused("files were changed (model.json)"), "files were changed"),
        (RulesAlone("it was decided to go without a model (Dr Achieng: odd)"), "Dr Achieng: odd"),
        (ModelNotFound("none"), "is registered"),
    ],
)
def test_a_model_that_cannot_be_used_leaves_the_rules_in_force(register, error, said):
    models = SimpleNamespace(find=_refusing(error), find_shadow=lambda _: None)
    store = SimpleNamespace(population="real", sources=set)
    using = usable_model(models, store, PRIORITY_OUTCOME)
    assert using.model is None
    assert said in using.notes[0]
    assert "guideline rules" in using.notes[0]
    assessed = assess(register, programme=load_programme(), as_of=DAY, using=using)
    assert len(assessed.recommendations)


def _with_shadow(shadow):
    champion = SimpleNamespace(version="v1", stage="approved", manifest={})
    trial = SimpleNamespace(version="v2", stage="candidate", manifest={})
    return SimpleNamespace(
        find=lambda *_: champion,
        find_shadow=lambda _: trial,
        load_model=lambda _, version: shadow if version == "v2" else Model(),
    )


class Shadow(Model):
    """A model on trial, that sees more risk."""

    version, digest = "v2", "e" * 64

    def predict(self, frame):
        return np.full(len(frame), 0.9)


def test_a_shadow_scores_beside_and_changes_nothing_that_is_seen(register):
    store = SimpleNamespace(population="real", sources=set)
    using = usable_model(_with_shadow(Shadow()), store, PRIORITY_OUTCOME)
    alone = using._replace(shadow=None)
    seen, unseen = (
        assess(register, programme=load_programme(), as_of=DAY, using=one) for one in (using, alone)
    )
    assert seen.shadow_risks["risk"].tolist() == [0.9]
    assert unseen.shadow_risks is None
    pd.testing.assert_frame_equal(seen.risks, unseen.risks)
    pd.testing.assert_frame_equal(seen.recommendations, unseen.recommendations)
    assert seen.shown_risks().equals(unseen.shown_risks())


def test_a_shadow_that_is_refused_or_of_other_people_stops_nothing():
    store = SimpleNamespace(population="real", sources=set)
    other = SimpleNamespace(population="simulated")
    using = usable_model(_with_shadow(other), store, PRIORITY_OUTCOME)
    assert (using.model is not None, using.shadow) == (True, None)
    assert "on trial" in using.notes[0]
