"""Skills of workers decide whose homes are whose, as far as they are recorded."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from chw_tools.programme import load_programme
from chw_tools.records import TABLES, conform
from chw_tools.resource_allocation.solving import Stop
from chw_tools.workflows.assess import assess
from chw_tools.workflows.caseloads import plan_caseloads
from chw_tools.workflows.needs import needs_of

PROGRAMME = load_programme()
STOP = Stop(20.0, iterations=2000)


@pytest.fixture(scope="module")
def needs(small_register):
    """Of the small programme, with a second worker at the same place and time for all."""
    first = small_register.workers.iloc[[0]].assign(capacity_minutes=900.0)
    second = first.assign(id="w-second", source_id="second")
    workers = conform(TABLES["workers"], pd.concat([first, second], ignore_index=True))
    register = replace(small_register, workers=workers)
    using = SimpleNamespace(model=None, shadow=None, notes=())
    found = assess(register, programme=PROGRAMME, as_of=pd.Timestamp("2025-12-31"), using=using)
    return needs_of(found, programme=PROGRAMME)


def with_skills(needs, *skills):
    return replace(needs, workers=needs.workers.assign(skills=pd.array(skills, dtype="str")))


def asked_homes(needs):
    """Homes with somebody whom a maternal service is for."""
    asked = needs.work.people["skills"].map(bool)
    return set(needs.work.people["home"][asked])


def test_nothing_recorded_is_said_and_not_regarded(needs):
    made = plan_caseloads(needs, programme=PROGRAMME, stop=STOP)

    assert asked_homes(needs)
    assert made.table["worker_id"].notna().all()
    assert any("not recorded; maternal: not regarded" in note for note in made.notes)


def test_homes_that_ask_for_a_skill_go_to_who_has_it(needs):
    first, second = needs.workers["id"]
    for skills, able in ((("none", "tb maternal"), second), (("maternal", None), first)):
        made = plan_caseloads(with_skills(needs, *skills), programme=PROGRAMME, stop=STOP)
        worker = made.table.set_index("home")["worker_id"]

        assert set(worker[list(asked_homes(needs))]) == {able}
        # The others are shared out.
        assert worker.nunique() == 2
        said = [note for note in made.notes if "count as having none" in note]
        assert len(said) == (skills[1] is None)


def test_a_skill_that_nobody_has_leaves_the_home_with_its_reason(needs):
    made = plan_caseloads(with_skills(needs, "tb", "none"), programme=PROGRAMME, stop=STOP)
    rows = made.table.set_index("home")
    left = rows[rows["worker_id"].isna()]

    assert set(left.index) == asked_homes(needs)
    assert set(left["reason"]) == {"No worker has the skills that the home needs."}
    assert np.isfinite(made.plan.cost)
