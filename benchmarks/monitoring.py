"""How long the monitoring rules take over a million people.

    python benchmarks/monitoring.py --people 1000000

What is measured is CPU time of :func:`chw_tools.monitoring.find_follow_ups` with all shipped
rules on one core: from tables in memory, as known on the day (register, advice, risks,
messages), to the table of findings; living people, ages and every rule are in it. Reading the
store, cutting the register to what was known, and making the advice and the risks are not:
they are measured by ``features.py`` and ``recommend.py``. The tables are drawn at random with
about the density of a register of long standing; they prove nothing but the time.

Measured on one core of a shared machine of two: 300,000 people with 2.5 million observations,
1.2 million visits and 600,000 pieces of advice, 12 rules, 476,294 findings: 10.4 s.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.monitoring import Evidence, find_follow_ups
from chw_tools.programme.monitoring import load_monitoring
from chw_tools.records import DERIVED_TABLES, WORK_TABLES, Register, load_catalogue
from chw_tools.records.codes import ATC, CVX
from chw_tools.records.register import empty_table

if TYPE_CHECKING:
    from collections.abc import Sequence

AS_OF = pd.Timestamp("2026-03-01").as_unit("s")
#: Readings a person, by measure: mean and spread of the value.
_READINGS = {
    "systolic_mmhg": (3.0, 130.0, 20.0),
    "diastolic_mmhg": (3.0, 82.0, 12.0),
    "glucose_mmol_l": (0.4, 6.0, 1.5),
    "fasting_glucose_mmol_l": (0.3, 5.8, 1.4),
    "weight_kg": (1.5, 60.0, 12.0),
}
_ADVICE = (
    "antenatal_contact",
    "vaccines_due",
    "bp_follow_up_high",
    "visit_anyone",
    "tobacco_advice",
)


def ids(prefix: int, n: int) -> np.ndarray:
    """So many keys, as text."""
    return np.array([f"018bcfe5-68{prefix:02x}-7cc0-8b4f-{i:012d}" for i in range(n)], dtype=object)


def days(rng: np.random.Generator, n: int, most: int) -> np.ndarray:
    """Days in the past, at most so many ago."""
    ago = rng.integers(0, most, n).astype("timedelta64[D]")
    return (np.datetime64(AS_OF.date(), "D") - ago).astype("datetime64[s]")


def make_register(rng: np.random.Generator, n: int) -> Register:
    """A register of random people."""
    people = ids(0, n)
    tables = {
        "people": pd.DataFrame(
            {
                "id": people,
                "sex": rng.choice(["female", "male"], n),
                "born_on": days(rng, n, 80 * 365),
                "source": "bench",
                "known_on": days(rng, n, 2000),
            }
        ),
        "observations": _observations(rng, people),
        "visits": _visits(rng, people),
        "medications": _medicines(rng, people),
        "immunisations": _doses(rng, people),
    }
    return Register.of(tables)


def _observations(rng: np.random.Generator, people: np.ndarray) -> pd.DataFrame:
    catalogue, parts = load_catalogue(), []
    for name, (each, mean, spread) in _READINGS.items():
        n = int(len(people) * each)
        code = catalogue[name].code
        parts.append(
            pd.DataFrame(
                {
                    "person_id": people[rng.integers(0, len(people), n)],
                    "system": code.system,
                    "code": code.code,
                    "value_number": np.round(rng.normal(mean, spread, n), 1).clip(1),
                    "observed_on": days(rng, n, 900),
                }
            )
        )
    signs = catalogue.danger_signs()
    n = len(people) // 5
    parts.append(
        pd.DataFrame(
            {
                "person_id": people[rng.integers(0, len(people), n)],
                "system": signs[0].code.system,
                "code": rng.choice([sign.code.code for sign in signs], n),
                "value_code": rng.choice(["yes", "no"], n, p=[0.05, 0.95]),
                "observed_on": days(rng, n, 900),
            }
        )
    )
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(id=ids(1, len(rows)), source="bench", known_on=rows["observed_on"])


def _visits(rng: np.random.Generator, people: np.ndarray) -> pd.DataFrame:
    n = 4 * len(people)
    on = days(rng, n, 900)
    return pd.DataFrame(
        {
            "id": ids(2, n),
            "person_id": people[rng.integers(0, len(people), n)],
            "visited_on": on,
            "kind": rng.choice(["home", "facility", "phone"], n, p=[0.7, 0.25, 0.05]),
            "outcome": rng.choice(["seen", "away"], n, p=[0.85, 0.15]),
            "source": "bench",
            "known_on": on,
        }
    )


def _medicines(rng: np.random.Generator, people: np.ndarray) -> pd.DataFrame:
    n = len(people) // 2
    on = days(rng, n, 900)
    return pd.DataFrame(
        {
            "id": ids(3, n),
            "person_id": people[rng.integers(0, len(people) // 4 + 1, n)],
            "system": ATC,
            "code": rng.choice(["C08CA01", "A10BA02", "J05AR10", "N02BE01"], n),
            "started_on": on,
            "status": "active",
            "source": "bench",
            "known_on": on,
        }
    )


def _doses(rng: np.random.Generator, people: np.ndarray) -> pd.DataFrame:
    n = len(people) // 4
    on = days(rng, n, 900)
    return pd.DataFrame(
        {
            "id": ids(4, n),
            "person_id": people[rng.integers(0, len(people), n)],
            "system": CVX,
            "code": "107",
            "given_on": on,
            "source": "bench",
            "known_on": on,
        }
    )


def make_evidence(rng: np.random.Generator, register: Register) -> Evidence:
    """What was known of them on the day: advice, risks and messages at random too."""
    people = register.people["id"].to_numpy()
    n = 2 * len(people)
    advice = pd.DataFrame(
        {
            "person_id": people[rng.integers(0, len(people), n)],
            "rule_id": rng.choice(_ADVICE, n),
            "urgency": rng.choice(["routine", "within_days"], n),
            "action": "Do it.",
            "due_on": days(rng, n, 120),
        }
    )
    risks = pd.DataFrame(
        {
            "person_id": people,
            "state": "estimated",
            "band": rng.choice(["low", "moderate", "high", "very_high"], len(people)),
        }
    )
    n = len(people) // 5
    messages = pd.DataFrame(
        {
            "id": ids(5, n),
            "person_id": people[rng.integers(0, len(people), n)],
            "state": "delivered",
            "handed_at": pd.Series(days(rng, n, 60)).dt.tz_localize("UTC"),
        }
    )
    made = {
        name: empty_table(table).reindex(range(len(frame))).assign(**frame)
        for name, table, frame in (
            ("recommendations", DERIVED_TABLES["recommendations"], advice),
            ("risks", DERIVED_TABLES["risks"], risks),
            ("messages", WORK_TABLES["messages"], messages),
        )
    }
    return Evidence(register, AS_OF, made["recommendations"], made["risks"], made["messages"])


def main(args: Sequence[str] | None = None) -> None:
    """Draw, find, and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(args)
    rng = np.random.default_rng(asked.seed)
    evidence = make_evidence(rng, make_register(rng, asked.people))
    rules = load_monitoring()
    begun, wall = time.process_time(), time.perf_counter()
    found = find_follow_ups(evidence, rules=rules)
    seconds, clock = time.process_time() - begun, time.perf_counter() - wall
    known = evidence.known
    print(
        f"{asked.people:,} people, {len(known.observations):,} observations, "
        f"{len(known.visits):,} visits, {len(evidence.recommendations):,} pieces of advice, "
        f"{len(rules)} rules: {seconds:.1f} s of one core ({clock:.1f} s by the clock), "
        f"{len(found):,} findings"
    )
    print(found.groupby("rule_id").size().to_string())


if __name__ == "__main__":
    main()
