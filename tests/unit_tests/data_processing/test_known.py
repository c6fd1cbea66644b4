"""What was known on a day: corrections, merges, moves, deaths, and nothing from later."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.data_processing import as_known_on
from chw_tools.records import TABLES, Register, conform

AS_OF = pd.Timestamp("2024-03-31")
LATER = "2024-04-01"


def rows(table: str, *given: dict) -> pd.DataFrame:
    filled = [{"source": "t", "known_on": "2024-01-01", **row} for row in given]
    return conform(TABLES[table], pd.DataFrame(filled))


def person(key: str, **more) -> dict:
    return {"id": key, "sex": "female", "born_on": "1990-01-01", "born_precision": "day", **more}


def visit(key: str, who: str = "a", **more) -> dict:
    return {
        "id": key,
        "person_id": who,
        "visited_on": "2024-01-01",
        "kind": "home",
        "outcome": "seen",
        **more,
    }


def change(key: str, who: str, what: str, **more) -> dict:
    return {"id": key, "person_id": who, "change": what, "happened_on": "2024-02-01", **more}


def register(people=(), visits=(), changes=(), **tables) -> Register:
    given = {"people": people, "visits": visits, "person_changes": changes, **tables}
    return Register.of({name: rows(name, *part) for name, part in given.items() if part})


def ids(frame: pd.DataFrame) -> list[str]:
    return sorted(frame["id"])


def same(left: Register, right: Register) -> None:
    for (name, one), (_, other) in zip(left.tables(), right.tables(), strict=True):
        one, other = (f.sort_values("id").reset_index(drop=True) for f in (one, other))
        pd.testing.assert_frame_equal(one, other, obj=name)


def died_on(known: Register, who: str) -> pd.Timestamp:
    return known.people.set_index("id").loc[who, "died_on"]


def test_what_was_learnt_or_happened_later_does_not_count():
    everything = register(
        [person("a"), person("b", known_on=LATER)],
        [visit("v1"), visit("v2", known_on=LATER), visit("v3", visited_on=LATER)],
    )
    known = as_known_on(everything, AS_OF)
    assert ids(known.people) == ["a"]
    assert ids(known.visits) == ["v1"]


def test_the_day_itself_counts():
    everything = register([person("a", known_on="2024-03-31")], [visit("v", visited_on=AS_OF)])
    assert len(as_known_on(everything, AS_OF).visits) == 1
    assert len(as_known_on(everything, AS_OF + pd.Timedelta(hours=9)).people) == 1


def test_a_planned_day_may_lie_ahead():
    due = {"id": "p", "person_id": "a", "due_on": "2024-09-01"}
    known = as_known_on(register([person("a")], pregnancies=[due]), AS_OF)
    assert known.pregnancies["due_on"].iloc[0] == pd.Timestamp("2024-09-01")


def test_a_correction_replaces_its_chain_from_the_day_it_is_known():
    chain = register(
        [person("a")],
        [
            visit("v1"),
            visit("v2", supersedes_id="v1", known_on="2024-02-01"),
            visit("v3", supersedes_id="v2", known_on="2024-03-01"),
        ],
    )
    assert ids(as_known_on(chain, pd.Timestamp("2024-01-15")).visits) == ["v1"]
    assert ids(as_known_on(chain, pd.Timestamp("2024-02-15")).visits) == ["v2"]
    assert ids(as_known_on(chain, AS_OF).visits) == ["v3"]


def test_a_correction_to_a_later_day_takes_the_wrong_day_away():
    corrected = register([person("a")], [visit("v1"), visit("v2", supersedes_id="v1",
                                                           visited_on=LATER)])  # fmt: skip
    assert ids(as_known_on(corrected, AS_OF).visits) == []


def test_a_row_that_names_itself_is_not_lost():
    assert ids(as_known_on(register([person("a")], [visit("v", supersedes_id="v")]), AS_OF).visits)


def test_merged_entries_become_the_survivor_along_the_chain():
    everything = register(
        [person("a"), person("b"), person("c")],
        [visit("v1", "a"), visit("v2", "b"), visit("v3", "c")],
        [change("m1", "a", "merged", into_person_id="b"),
         change("m2", "b", "merged", into_person_id="c", known_on="2024-03-01")],
    )  # fmt: skip
    half = as_known_on(everything, pd.Timestamp("2024-02-15"))
    assert ids(half.people) == ["b", "c"]
    assert half.visits.set_index("id")["person_id"].to_dict() == {"v1": "b", "v2": "b", "v3": "c"}
    whole = as_known_on(everything, AS_OF)
    assert ids(whole.people) == ["c"]
    assert set(whole.visits["person_id"]) == {"c"}


def test_a_merge_into_an_unknown_entry_loses_nobody():
    everything = register([person("a")], [], [change("m", "a", "merged", into_person_id="z")])
    assert ids(as_known_on(everything, AS_OF).people) == ["a"]


def test_a_merge_in_a_circle_keeps_one_person():
    everything = register(
        [person("a"), person("b")],
        [visit("v", "b")],
        [change("m1", "a", "merged", into_person_id="b"),
         change("m2", "b", "merged", into_person_id="a")],
    )  # fmt: skip
    known = as_known_on(everything, AS_OF)
    assert ids(known.people) == ["a"]
    assert known.visits["person_id"].tolist() == ["a"]


def test_a_merge_that_was_undone_is_no_merge():
    everything = register(
        [person("a"), person("b")],
        [visit("v", "a")],
        [change("m", "a", "merged", into_person_id="b"),
         change("u", "a", "undone", supersedes_id="m", known_on="2024-03-01")],
    )  # fmt: skip
    assert ids(as_known_on(everything, pd.Timestamp("2024-02-15")).people) == ["b"]
    assert ids(as_known_on(everything, AS_OF).people) == ["a", "b"]


def test_to_take_back_a_taking_back_makes_the_death_count_again():
    everything = register(
        [person("a")],
        [],
        [change("d", "a", "died"), change("u1", "a", "undone", supersedes_id="d"),
         change("u2", "a", "undone", supersedes_id="u1", known_on="2024-03-01")],
    )  # fmt: skip
    assert pd.isna(died_on(as_known_on(everything, pd.Timestamp("2024-02-15")), "a"))
    assert died_on(as_known_on(everything, AS_OF), "a") == pd.Timestamp("2024-02-01")


def test_deaths_and_moves_come_from_decisions_visits_and_the_entry_itself():
    everything = register(
        [person("a"), person("b"), person("c", died_on="2024-02-20"), person("d", died_on=LATER),
         person("e"), person("f", moved_on="2023-05-01")],
        [visit("v1", "b", outcome="died", visited_on="2024-03-01"),
         visit("v2", "e", outcome="moved")],
        [change("d1", "a", "died"), change("d2", "c", "died"), change("m", "f", "moved")],
    )  # fmt: skip
    people = as_known_on(everything, AS_OF).people.set_index("id")
    died = people["died_on"].dropna().dt.strftime("%Y-%m-%d").to_dict()
    assert died == {"a": "2024-02-01", "b": "2024-03-01", "c": "2024-02-01"}
    moved = people["moved_on"].dropna().dt.strftime("%Y-%m-%d").to_dict()
    assert moved == {"e": "2024-01-01", "f": "2024-02-01"}


def test_a_corrected_death_at_a_visit_is_no_death():
    everything = register(
        [person("a")],
        [visit("v1", outcome="died"), visit("v2", supersedes_id="v1", known_on="2024-02-01")],
    )
    assert pd.isna(died_on(as_known_on(everything, AS_OF), "a"))


def test_the_death_of_a_merged_entry_is_the_survivors():
    everything = register(
        [person("a", died_on="2024-01-05"), person("b")],
        [],
        [change("m", "a", "merged", into_person_id="b")],
    )
    assert died_on(as_known_on(everything, AS_OF), "b") == pd.Timestamp("2024-01-05")


def test_what_is_not_over_yet_is_open():
    medicine = {"id": "m", "person_id": "a", "system": "s", "code": "c", "status": "completed",
                "started_on": "2024-01-01", "ended_on": LATER}  # fmt: skip
    pregnancy = {"id": "p", "person_id": "a", "last_period_on": "2023-07-01", "ended_on": LATER,
                 "outcome": "live_birth"}  # fmt: skip
    everything = register([person("a")], medications=[medicine], pregnancies=[pregnancy])
    known = as_known_on(everything, AS_OF)
    assert known.medications["status"].tolist() == ["active"]
    assert known.medications["ended_on"].isna().all()
    assert known.pregnancies[["ended_on", "outcome"]].isna().all(axis=None)


def test_a_birth_known_to_the_year_is_not_in_the_future():
    newborn = person("a", born_on="2024-07-01", born_precision="year")
    assert len(as_known_on(register([newborn]), AS_OF).people) == 1
    assert len(as_known_on(register([person("a", born_on="2024-07-01")]), AS_OF).people) == 0


def test_a_day_with_an_offset_is_the_day_on_the_wall():
    instant = pd.Timestamp("2024-03-31T23:30:00+05:30")
    assert len(as_known_on(register([person("a", known_on="2024-03-31")]), instant).people) == 1


DAYS = st.sampled_from(["2024-01-10", "2024-02-10", "2024-03-10", "2024-04-10", "2024-05-10"])
WHO = st.sampled_from(list("abcd"))
KEYS = st.sampled_from([f"e{n}" for n in range(8)])


@st.composite
def registers(draw) -> Register:
    people = [
        person(key, known_on=draw(DAYS), died_on=draw(st.none() | DAYS))
        for key in draw(st.lists(WHO, unique=True, min_size=1))
    ]
    visits = [
        visit(
            key,
            draw(WHO),
            visited_on=draw(DAYS),
            known_on=draw(DAYS),
            outcome=draw(st.sampled_from(["seen", "died", "moved"])),
            supersedes_id=draw(st.none() | KEYS),
        )
        for key in draw(st.lists(KEYS, unique=True))
    ]
    changes = [
        change(
            key,
            draw(WHO),
            draw(st.sampled_from(["merged", "moved", "died", "undone"])),
            happened_on=draw(DAYS),
            known_on=draw(DAYS),
            into_person_id=draw(st.none() | WHO),
            supersedes_id=draw(st.none() | KEYS),
        )
        for key in draw(st.lists(KEYS, unique=True))
    ]
    return register(people, visits, changes)


@given(registers())
@settings(max_examples=25, deadline=None)
def test_applying_it_twice_changes_nothing(everything):
    once = as_known_on(everything, AS_OF)
    same(as_known_on(once, AS_OF), once)


@given(registers(), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_changes_nothing(everything, chance):
    seed = chance.randrange(1000)
    shuffled = Register.of(
        {name: frame.sample(frac=1, random_state=seed) for name, frame in everything.tables()}
    )
    same(as_known_on(shuffled, AS_OF), as_known_on(everything, AS_OF))


@given(registers())
@settings(max_examples=25, deadline=None)
def test_rows_known_later_change_nothing(everything):
    earlier = replace(
        everything,
        **{n: f[f["known_on"] <= AS_OF].reset_index(drop=True) for n, f in everything.tables()},
    )
    same(as_known_on(earlier, AS_OF), as_known_on(everything, AS_OF))


@given(registers())
@settings(max_examples=25, deadline=None)
def test_one_person_alone_is_as_among_many(everything):
    known = as_known_on(everything, AS_OF)
    merged = everything.person_changes["change"] == "merged"
    # A correction or a merge may tie two people together; nothing else may.
    visits = everything.visits.assign(supersedes_id=None)
    changes = everything.person_changes[~merged].assign(supersedes_id=None)
    lone = Register.of({"people": everything.people, "visits": visits, "person_changes": changes})
    among = as_known_on(lone, AS_OF)
    for who in among.people["id"]:
        same(as_known_on(lone.of_people([who]), AS_OF), among.of_people([who]))
    assert set(known.people["id"]) <= set(everything.people["id"])


@pytest.mark.parametrize("name", list(TABLES))
def test_the_declared_columns_and_dtypes_stay(name):
    everything = register([person("a"), person("b")], [visit("v", "b", outcome="died")],
                          [change("m", "a", "merged", into_person_id="b")])  # fmt: skip
    frame = getattr(as_known_on(everything, AS_OF), name)
    assert frame.dtypes.astype(str).to_dict() == {c.name: c.dtype for c in TABLES[name].columns}


@pytest.mark.parametrize("name", ["death", "died"])
@pytest.mark.parametrize(
    ("told", "is_dead"),
    [
        ({"is_positive": True}, True),
        ({"is_positive": False}, False),
        ({"is_positive": True, "known_on": LATER}, False),
        ({"is_positive": True, "happened_on": LATER}, False),
    ],
)
def test_a_death_told_by_the_outcomes_is_a_death(name, told, is_dead):
    told = {"id": "o1", "person_id": "a", "outcome": name, "happened_on": "2024-03-01", **told}
    known = as_known_on(register([person("a"), person("b")], outcomes=[told]), AS_OF)
    assert known.people["died_on"].notna().tolist() == [is_dead, False]


def test_a_status_of_another_name_is_no_death():
    told = {"id": "o1", "person_id": "a", "outcome": "death_5y", "happened_on": "2024-03-01"}
    known = as_known_on(register([person("a")], outcomes=[told | {"is_positive": True}]), AS_OF)
    assert known.people["died_on"].isna().all()
