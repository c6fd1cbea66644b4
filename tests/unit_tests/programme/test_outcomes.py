"""Outcome definitions are complete, or refused with every fault named."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from chw_tools.errors import ProgrammeFault
from chw_tools.programme.outcomes import Threshold, load_outcomes

_SOUND = """
[fall]
label = "A fall"
who = "Everybody"
recorded = ["fall"]
kind = "within_days"
horizon_days = 90
intended_use = "x"
not_for = "y"
"""


def test_every_shipped_definition_says_its_use_and_its_limits():
    outcomes = load_outcomes()
    assert {"hospital_admission_180d", "diabetes", "death_5y"} <= set(outcomes)
    for definition in outcomes.values():
        assert definition.intended_use
        assert definition.not_for
        assert definition.known_caveats
        assert definition.who


def test_no_shipped_definition_lets_the_answer_in_as_an_input():
    diabetes = load_outcomes()["diabetes"]
    assert "diabetes" in diabetes.exclude_condition_groups
    assert "laboratory" in diabetes.exclude_features


def test_a_programme_adds_its_own(tmp_path):
    (tmp_path / "outcomes.toml").write_text(_SOUND)
    outcomes = load_outcomes(tmp_path)
    assert outcomes["fall"].recorded == ("fall",)
    assert "death_5y" in outcomes


def test_all_faults_are_told_at_once(tmp_path):
    broken = _SOUND.replace("horizon_days = 90", "horizon = 90").replace('label = "A fall"', "")
    (tmp_path / "outcomes.toml").write_text(broken)
    with pytest.raises(ProgrammeFault) as error:
        load_outcomes(tmp_path)
    for part in ("unknown key horizon", "label is missing", "horizon_days must be"):
        assert part in str(error.value)


@pytest.mark.parametrize("text", ["[a", 'fall = "x"', '[fall]\nkind = "soon"'])
def test_what_is_no_definition_is_refused(tmp_path, text):
    (tmp_path / "outcomes.toml").write_text(text)
    with pytest.raises(ProgrammeFault):
        load_outcomes(tmp_path)


_KEYS = {
    'kind = "soon"': "kind must be one of within_days, status, measured",
    "recorded = []": "recorded must be a list of texts",
    "min_age_years = 200": "min_age_years must be a number from 0 to 130",
    "horizon_days = true": "horizon_days must be a whole number",
    "horizon_days = 0": "horizon_days must be a positive number of days",
    "knowledge_delay_days = -1": "knowledge_delay_days must be a whole number from 0",
    'sex = "woman"': "sex must be one of female, male",
    'pregnant = "yes"': "pregnant must be one of any, only, none",
    'exclude_condition_groups = ["gout"]': "names gout, which is no condition group",
    'visit_kinds = ["school"]': "names school, which is no kind of visit",
    'missed_as = ["late"]': "names late, which is no result of a visit",
    "exclude_prevalent = 1": "exclude_prevalent must be true or false",
    'competing = ["death"]': "competing must be a table",
    'competing = { war = "excluded" }': "names war; there are death, moved",
    'competing = { death = "ignored" }': "must say of each event excluded, negative, positive",
    'competing = { stillbirth = "excluded" }': "stillbirth belongs to kind birth_before only",
    'thresholds = "high"': "thresholds must be a list",
    "thresholds = [{ at_least = 1 }]": "must each have a name",
    'thresholds = [{ name = "bmi" }]': "bmi must have exactly one of at_least, below, answers",
    'thresholds = [{ name = "bmi", below = "x" }]': "at_least and below are numbers",
    'thresholds = [{ name = "bmi", answers = [] }]': "answers a list of texts",
    'index_rule = "each_visit"': "kind missed_visit and index_rule each_visit belong together",
    'index_rule = "each_pregnancy"': "kind birth_before and index_rule each_pregnancy belong",
    "birth_before_weeks = 37": "birth_before_weeks must stand with kind birth_before",
    'method = "formula"': "score must name the published score",
    'score = "who_cvd"': "score must name the published score for method formula, and only",
    "min_age_years = 50\nmax_age_years = 40": "min_age_years lies above max_age_years",
    'label = " "': "label must be a text",
    'exclude_features = ["a"]\ninclude_features = ["a"]': "name the same feature",
}


@pytest.mark.parametrize(("key", "said"), list(_KEYS.items()))
def test_each_key_is_checked_and_the_fault_names_key_and_cure(tmp_path, key, said):
    names = {line.split(" = ")[0] for line in key.splitlines()}
    kept = [line for line in _SOUND.strip().splitlines() if line.split(" = ")[0] not in names]
    (tmp_path / "outcomes.toml").write_text("\n".join([*kept, key]))
    with pytest.raises(ProgrammeFault, match="fall: ") as error:
        load_outcomes(tmp_path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("status", "", None),
        ("measured", 'thresholds = [{ name = "bmi", below = 16 }]', None),
        ("measured", "", "thresholds must name what is measured"),
        (
            "measured",
            'thresholds = [{ name = "weight_for_age_z", below = -2 }]',
            "weight_for_age_z, which the catalogue does not hold",
        ),
        ("missed_visit", 'index_rule = "each_visit"', None),
        ("birth_before", 'index_rule = "each_pregnancy"\nbirth_before_weeks = 34', None),
        ("birth_before", 'index_rule = "each_pregnancy"', "birth_before_weeks must stand"),
    ],
)
def test_each_kind_needs_its_own_keys(tmp_path, kind, more, said):
    text = _SOUND.replace("within_days", kind) + more
    if kind != "status":
        text = text.replace('recorded = ["fall"]\n', "")
    (tmp_path / "outcomes.toml").write_text(text)
    if said is None:
        assert load_outcomes(tmp_path)["fall"].kind == kind
        return
    with pytest.raises(ProgrammeFault, match=said):
        load_outcomes(tmp_path)


def test_a_death_does_not_compete_with_itself(tmp_path):
    text = _SOUND.replace('["fall"]', '["death"]') + 'competing = { death = "negative" }'
    (tmp_path / "outcomes.toml").write_text(text)
    with pytest.raises(ProgrammeFault, match="death is the outcome itself"):
        load_outcomes(tmp_path)


def test_names_are_those_of_the_rooms_that_use_them():
    """Where a definition names a score, a feature or a group, it exists."""
    from chw_tools.feature_engineering import build_features, select_for_model
    from chw_tools.records import Register
    from chw_tools.risk_prediction.scores import SCORES

    features = build_features(Register.of(), as_of=pd.Timestamp("2024-01-01"))
    for definition in load_outcomes().values():
        assert select_for_model(features, definition).declaration
        assert not definition.score or definition.score in SCORES


def test_pressure_is_no_input_of_uncontrolled_hypertension():
    definition = load_outcomes()["uncontrolled_hypertension_180d"]
    assert {"systolic_mmhg", "diastolic_mmhg"} <= set(definition.exclude_features)
    assert "measure it" in definition.not_for


def defined(**more):
    return replace(load_outcomes()["hospital_admission_180d"], knowledge_delay_days=10, **more)


@pytest.mark.parametrize(
    ("definition", "days"),
    [
        (defined(), 190),
        (defined(kind="status", horizon_days=None), 0),
        (defined(kind="measured", horizon_days=None), 0),
        (defined(kind="measured"), 190),
        (defined(kind="missed_visit", horizon_days=None, index_every_days=7), 17),
        (defined(kind="birth_before", birth_before_weeks=37), 7 * 37 + 10),
        (defined(kind="birth_before", birth_before_weeks=None), 10),
    ],
)
def test_labels_are_settled_when_all_that_counts_is_known(definition, days):
    assert definition.settle_days == days


def test_a_limit_is_told_by_its_answers_or_from_either_side():
    from chw_tools.programme.outcomes_page import describe_outcome

    limits = (
        Threshold("tobacco", answers=("never", "former")),
        Threshold("systolic_mmhg", at_least=140),
        Threshold("haemoglobin_g_dl", below=11),
        Threshold("no_such_measure", below=3),
    )
    told = defined(kind="measured", thresholds=limits)
    said = "\n".join(text for _, text in describe_outcome(told))
    assert (
        "Tobacco use: never, former or Systolic blood pressure 140 mm[Hg] or more or "
        "Haemoglobin below 11 g/dL or no_such_measure below 3, the last measurement within"
    ) in said
    assert "10 days after the last day that counts" in said
    at_once = dict(describe_outcome(replace(told, knowledge_delay_days=0)))
    assert "When the horizon ends: what becomes known later does not count" in at_once.values()


def test_nothing_competes_where_no_time_passes():
    from chw_tools.programme.outcomes_page import list_competing

    assert list_competing(defined(kind="status", horizon_days=None)) == ()
    assert list_competing(defined()) != ()


def test_the_page_tells_of_every_outcome():
    from chw_tools.programme.outcomes_page import outcomes_page

    page = outcomes_page()
    for definition in load_outcomes().values():
        assert f"## `{definition.name}`" in page
        for text in (definition.not_for, definition.who, *definition.known_caveats):
            assert text in page
