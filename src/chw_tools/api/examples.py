"""Examples for the API's description. Everybody in them is invented."""

from __future__ import annotations

from typing import Any

PERSON = "019b6f00-0000-7000-8000-000000000001"
OTHER = "019b6f00-0000-7000-8000-000000000002"
WORKER = "019b6f00-0000-7000-8000-00000000000a"
VISIT = "019b6f00-0000-7000-8000-0000000000b1"
CHANGE = "019b6f00-0000-7000-8000-0000000000c1"
HOUSEHOLD = "019b6f00-0000-7000-8000-0000000000e1"
RUN = "019b6f00-0000-7000-8000-0000000000d1"

ERROR = {
    "error": "NotFound",
    "what": "No such person in the register.",
    "where": "",
    "cure": "Search for it by name.",
}

ADVICE = {
    "rank": 1,
    "urgency": "same_day",
    "action": "Refer to the health centre today.",
    "reason": "Blood pressure was 168/98 on 3 Jan 2026.",
    "source": "WHO HEARTS, evidence-based treatment protocols, 2018",
    "is_verified": False,
    "due_on": "2026-01-05",
    "rule_id": "blood_pressure_same_day",
    "kind": "guideline",
}

WORKER_DAY = {
    "worker_id": WORKER,
    "name": "Worker 1",
    "place": "Village 3",
    "n_visits": 1,
    "n_urgent": 1,
    "n_waiting": 1,
    "minutes": 42.0,
    "capacity_minutes": 300.0,
}

DAY = {
    "visit_on": "2026-01-05",
    "as_of": "2026-01-04",
    "population": "simulated",
    "ordered_by": "guideline urgency, then expected benefit a minute",
    "workers": [WORKER_DAY],
    "worker": WORKER_DAY,
    "stops": [
        {
            "position": 1,
            "person_id": PERSON,
            "household_id": None,
            "name": "Invented Person",
            "sex": "female",
            "age": "58 years",
            "place": "Village 3",
            "urgency": "same_day",
            "reason": "Blood pressure was 168/98 on 3 Jan 2026.",
            "actions": ["Refer to the health centre today."],
            "due_on": "2026-01-05",
            "overdue_days": 0,
            "minutes": 34.0,
            "travel_minutes": 8.0,
            "is_must": True,
            "done": None,
        }
    ],
    "waiting": [
        {
            "person_id": OTHER,
            "name": "Another Person",
            "age": "3 years",
            "urgency": "routine",
            "reason": "No minutes left today; next in line.",
            "due_on": "2026-01-09",
        }
    ],
    "notes": ["Simulated people. Proves plumbing, not medicine."],
}

PERSON_VIEW = {
    "person_id": PERSON,
    "name": "Invented Person",
    "sex": "female",
    "age": "58 years",
    "place": "Village 3",
    "household_id": None,
    "phone": None,
    "status": "active",
    "as_of": "2026-01-04",
    "risks": [
        {
            "outcome": "hospital_admission_180d",
            "label": "Hospital stay within 180 days",
            "state": "estimated",
            "band": "high",
            "of_100": "12",
            "risk": 0.12,
            "reasons": [
                {
                    "label": "Systolic blood pressure",
                    "value": "168 mmHg",
                    "raises": True,
                    "effect": 0.61,
                }
            ],
            "note": "",
            "model": "admission 1",
            "population": "simulated",
        }
    ],
    "advice": [ADVICE],
    "more_advice": [],
    "measurements": [
        {
            "name": "systolic_mmhg",
            "label": "Systolic blood pressure",
            "value": "168 mmHg",
            "observed_on": "2026-01-03",
        }
    ],
    "conditions": ["Hypertension"],
    "visits": [
        {
            "visit_id": VISIT,
            "visited_on": "2026-01-03",
            "kind": "home",
            "outcome": "seen",
            "minutes": 31.0,
            "is_corrected": False,
        }
    ],
    "changes": [],
    "population": "simulated",
    "notes": [],
}

HOUSEHOLD_VIEW = {
    "household_id": HOUSEHOLD,
    "place": "Village 3",
    "as_of": "2026-01-04",
    "members": [
        {
            "person_id": PERSON,
            "name": "Invented Person",
            "sex": "female",
            "age": "58 years",
            "advice": [ADVICE],
        },
        {
            "person_id": OTHER,
            "name": "Another Person",
            "sex": "male",
            "age": "3 years",
            "advice": [],
        },
    ],
    "follow_up_on": "2026-01-05",
    "population": "simulated",
    "notes": [],
}

FOUND = [
    {
        "person_id": PERSON,
        "name": "Invented Person",
        "sex": "female",
        "age": "58 years",
        "place": "Village 3",
        "status": "active",
    }
]

VISIT_SENT = {
    "visit_id": VISIT,
    "person_id": PERSON,
    "visited_on": "2026-01-05",
    "outcome": "seen",
    "worker_id": WORKER,
    "measurements": {"systolic_mmhg": 150, "diastolic_mmhg": 94},
    "danger_signs": {"danger_chest_pain": False, "danger_stroke_signs": False},
}

PLAN_MADE = {
    "run_id": RUN,
    "as_of": "2026-01-04",
    "visit_on": "2026-01-05",
    "n_visits": 1,
    "n_unvisited": 1,
    "notes": [],
}

RISKS = [
    {
        "person_id": PERSON,
        "outcome": "hospital_admission_180d",
        "as_of": "2026-01-04",
        "state": "estimated",
        "risk": 0.12,
        "band": "high",
        "reasons": [
            {
                "feature": "systolic_mmhg",
                "label": "Systolic blood pressure",
                "value": "168 mmHg",
                "effect": 0.61,
            }
        ],
        "note": None,
        "model": "admission 1",
        "model_digest": "0" * 64,
        "inputs_digest": "1" * 64,
    }
]

RECOMMENDATIONS = [{**ADVICE, "person_id": PERSON, "as_of": "2026-01-04"}]

JOB = {
    "job_id": CHANGE,
    "kind": "week",
    "state": "running",
    "what": "weeks planned",
    "done": 3,
    "total": 10,
    "run_id": None,
    "error": None,
}

KEPT_RUN = {
    "run_id": RUN,
    "kind": "caseloads",
    "as_of": "2026-01-04",
    "from_on": None,
    "made_at": "2026-01-04T18:00:00+00:00",
    "summary": {"gap": 0.01, "notes": ["Simulated people. Proves plumbing, not medicine."]},
    "tables": {
        "caseloads": [
            {
                "home": OTHER,
                "worker_id": WORKER,
                "worker_before": None,
                "load_minutes": 24.0,
                "reason": None,
            }
        ]
    },
}

REST_MADE = {
    "run_id": RUN,
    "visit_on": "2026-01-05",
    "n_done": 3,
    "n_left": 4,
    "n_waiting": 1,
    "n_handed_over": 0,
    "ends_at": {WORKER: "12:40"},
    "notes": ["Ordered anew at 11:30 from where it stood."],
}

DICTIONARY = [
    {
        "name": "consents",
        "meaning": "A permission given, refused or withdrawn.",
        "columns": [
            {
                "name": "decided_on",
                "kind": "day",
                "meaning": "Day of the decision.",
                "unit": "",
                "required": True,
                "allowed": [],
                "low": None,
                "high": None,
                "refers_to": "",
                "identifying": False,
                "source": "",
            }
        ],
        "event_day": "decided_on",
        "is_event": True,
        "key": "id",
    }
]


def answers(example: Any, *, status: int = 200, errors: tuple[int, ...] = ()) -> dict[Any, Any]:
    """The ``responses`` of a route: an example of its answer, and of each error."""
    said = {status: _shown(example, "Done.")}
    said |= {error: _shown(ERROR, "Not done, and why.") for error in (422, *errors)}
    return said


def _shown(example: Any, description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"example": example}},
    }


CALLS = {
    "today": "2026-01-05",
    "rows": [
        {
            "task_id": VISIT,
            "position": 1,
            "kind": "call",
            "urgency": "within_days",
            "person_id": PERSON,
            "name": "Invented Person",
            "facts": "58 years · Village 3",
            "phone": "+99900000001",
            "reason": "Blood pressure was 140/90 or more on 2 days, the last on 3 January 2026: "
            "150/95, 148/92.",
            "why": "silent",
            "due_on": "2026-01-07",
            "waiting_days": 1,
            "late_days": 0,
            "tries": 0,
            "worker_id": WORKER,
        }
    ],
    "n_snoozed": 2,
    "population": "simulated",
    "worker_id": None,
}
