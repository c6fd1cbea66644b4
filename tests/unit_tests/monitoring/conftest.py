"""Small registers, told day by day."""

from __future__ import annotations

import pandas as pd
import pytest

from chw_tools.monitoring.evidence import Evidence
from chw_tools.monitoring.finding import find_follow_ups
from chw_tools.programme.monitoring import load_monitoring
from chw_tools.records import DERIVED_TABLES, WORK_TABLES, Register, conform, load_catalogue
from chw_tools.records.codes import ATC

TODAY = pd.Timestamp("2026-03-01")
CATALOGUE = load_catalogue()
RULES = load_monitoring()
PERSON = "018bcfe5-6800-7cc0-8b4f-000000000001"


def on(days_ago: int) -> pd.Timestamp:
    """A day so long before today."""
    return TODAY - pd.Timedelta(days=days_ago)


class Told:
    """Collects what is known of people; days are counted back from today."""

    def __init__(self):
        self.tables = {}
        self.advice, self.risks, self.sent, self.answers = [], [], [], []
        self.n = 0

    def row(self, table, **values):
        self.n += 1
        row = {"id": f"018bcfe5-6800-7cc0-8b4f-{self.n:012d}", "source": "test", **values}
        self.tables.setdefault(table, []).append(row)
        return self

    def person(self, person=PERSON, *, years=50.0, sex="female", since=2000, **values):
        born = TODAY - pd.Timedelta(days=round(years * 365.25))
        row = {"born_on": born, "sex": sex, "known_on": on(since), **values}
        self.tables.setdefault("people", []).append({"id": person, "source": "test", **row})
        return self

    def measured(self, name, value, days_ago, person=PERSON, known=None):
        code = CATALOGUE[name].code
        told = {"value_code": value} if isinstance(value, str) else {"value_number": value}
        return self.row(
            "observations",
            person_id=person,
            system=code.system,
            code=code.code,
            observed_on=on(days_ago),
            known_on=on(days_ago if known is None else known),
            **told,
        )

    def visit(self, days_ago, kind="home", outcome="seen", person=PERSON, known=None):
        return self.row(
            "visits",
            person_id=person,
            visited_on=on(days_ago),
            kind=kind,
            outcome=outcome,
            known_on=on(days_ago if known is None else known),
        )

    def medicine(self, started, ended=None, status="active", code="C08CA01", person=PERSON):
        return self.row(
            "medications",
            person_id=person,
            system=ATC,
            code=code,
            started_on=on(started),
            ended_on=None if ended is None else on(ended),
            status=status,
            known_on=on(started),
        )

    def advised(self, rule_id, overdue, urgency="routine", person=PERSON):
        self.advice.append(
            {
                "person_id": person,
                "rank": 1,
                "rule_id": rule_id,
                "kind": "guideline",
                "urgency": urgency,
                "action": "Do it.",
                "reason": "So.",
                "source": "test",
                "is_verified": True,
                "due_on": on(overdue),
                "as_of": TODAY,
            }
        )
        return self

    def risk(self, band, person=PERSON, state="estimated"):
        self.risks.append(
            {
                "person_id": person,
                "outcome": "hospital_admission_180d",
                "as_of": TODAY,
                "state": state,
                "band": band,
                "risk": 0.3,
                "model": "m",
                "model_digest": "d",
                "inputs_digest": "i",
            }
        )
        return self

    def message(self, hours_ago, state="delivered", person=PERSON, enrolment=None):
        at = (TODAY + pd.Timedelta(days=1)).tz_localize("UTC") - pd.Timedelta(hours=hours_ago)
        self.n += 1
        self.sent.append(
            {
                "id": f"018bcfe5-6800-7cc0-8b4f-{self.n:012d}",
                "person_id": person,
                "state": state,
                "handed_at": at,
                "enrolment_id": enrolment,
            }
        )
        return self

    def answer(self, hours_ago, person=PERSON):
        at = (TODAY + pd.Timedelta(days=1)).tz_localize("UTC") - pd.Timedelta(hours=hours_ago)
        self.answers.append({"person_id": person, "received_at": at})
        return self

    @property
    def evidence(self):
        return self.evidence_on(TODAY)

    def evidence_on(self, as_of):
        from chw_tools.data_processing import as_known_on

        register = Register.of({n: pd.DataFrame(rows) for n, rows in self.tables.items()})
        return Evidence(
            as_known_on(register, as_of),
            as_of,
            conform(DERIVED_TABLES["recommendations"], pd.DataFrame(self.advice)),
            conform(DERIVED_TABLES["risks"], pd.DataFrame(self.risks)),
            conform(WORK_TABLES["messages"], pd.DataFrame(self.sent)),
            conform(WORK_TABLES["inbound_messages"], pd.DataFrame(self.answers)),
        )

    def found(self):
        """Names of the rules that find something."""
        return set(find_follow_ups(self.evidence, rules=RULES)["rule_id"])


@pytest.fixture
def told():
    """Nothing known yet but one woman of fifty."""
    return Told().person()
