"""A day in progress: done visits never move, nothing urgent is lost, nobody vanishes."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.programme import load_programme
from chw_tools.records import conform
from chw_tools.records.derived import PLANNED_VISITS, URGENCY_LEVEL
from chw_tools.resource_allocation.clock_times import as_minute, clock
from chw_tools.resource_allocation.rest_of_day import OPENS, DayInProgress, plan_rest

PLANNING = load_programme().planning
ON = pd.Timestamp("2026-01-05")


def a_day(stops, *, n_workers=2, capacity=300.0, **progress):
    """A day in progress from (worker, urgency, metres east) for each person, in list order."""
    frame = pd.DataFrame(stops, columns=["worker", "urgency", "metres"])
    people = [f"person-{number}" for number in range(len(frame))]
    visits = pd.DataFrame(
        {
            "person_id": people,
            "worker_id": frame["worker"].map(lambda n: f"worker-{n}"),
            "visit_on": ON,
            "position": frame.groupby("worker").cumcount() + 1,
            "urgency": frame["urgency"],
            "is_must": frame["urgency"].isin(["emergency", "same_day"]),
            "reason": "Because.",
            "benefit": 0.1,
            "minutes": 34.0,
            "travel_minutes": 5.0,
        }
    )
    places = pd.DataFrame(
        {
            "home": [
                f"home-{number // 2 if progress.get('pairs') else number}"
                for number in range(len(frame))
            ],
            "latitude": 0.0,
            "longitude": frame["metres"].to_numpy() / 111_195.0,
        },
        index=people,
    )
    workers = pd.DataFrame(
        {
            "id": [f"worker-{number}" for number in range(n_workers)],
            "capacity_minutes": capacity,
            "latitude": 0.0,
            "longitude": 0.0,
        }
    )
    progress.pop("pairs", None)
    return DayInProgress(conform(PLANNED_VISITS, visits), places, workers, **progress)


def order_of(rest, worker="worker-0"):
    own = rest.visits[rest.visits["worker_id"] == worker].sort_values("position")
    return own["person_id"].tolist()


STOP = st.tuples(
    st.integers(0, 1),
    st.sampled_from(["emergency", "same_day", "within_days", "routine"]),
    st.integers(-4_000, 4_000),
)


@given(
    stops=st.lists(STOP, min_size=1, max_size=9),
    done=st.sets(st.integers(0, 8)),
    minute=st.floats(0, 1439),
    ill=st.sampled_from([(), ("worker-0",), ("worker-0", "worker-1")]),
)
def test_whatever_happens_done_stays_urgent_is_seen_and_nobody_vanishes(stops, done, minute, ill):
    keys = [f"person-{number}" for number in done if number < len(stops)]
    day = a_day(stops, minute=minute, done=keys, absent=ill)
    rest = plan_rest(day, planning=PLANNING)

    both = [*rest.visits["person_id"], *rest.waiting["person_id"]]
    assert sorted(both) == sorted(day.visits["person_id"])
    before = day.visits.set_index("person_id")
    after = rest.visits.set_index("person_id")
    pd.testing.assert_frame_equal(after.loc[keys], before.loc[keys])
    assert not rest.visits.duplicated(["worker_id", "position"]).any()
    musts = set(before.index[before["is_must"]])
    if len(ill) < 2:
        assert musts <= set(after.index)
    else:
        assert set(after.index) == set(keys)
        assert rest.waiting["reason"].str.contains("fell out").all()
    others = before.index[~before["worker_id"].isin(ill)]
    kept = after.index.intersection(others)
    if ill:
        # Who works on keeps the whole list.
        assert set(others) <= set(after.index)
    assert (after.loc[kept, "worker_id"] == before.loc[kept, "worker_id"]).all()
    assert not set(after.index[after["worker_id"].isin(ill)]) - set(keys)
    for _, own in rest.visits[~rest.visits["person_id"].isin(keys)].groupby("worker_id"):
        level = own.sort_values("position")["urgency"].astype(str).map(URGENCY_LEVEL).clip(upper=2)
        assert level.is_monotonic_increasing
    for worker, ends in rest.ends.items():
        rows = rest.visits[~rest.visits["person_id"].isin(keys)]
        mine = rows[rows["worker_id"] == worker]
        is_own = mine["person_id"].isin(others) if ill else False
        can_wait = ~(mine["is_must"].astype(bool) | is_own)
        assert ends <= OPENS + 300 + 1e-6 or not can_wait.any()
    assert all(reason.endswith(".") for reason in rest.waiting["reason"])


def test_the_rest_begins_where_the_worker_is():
    stops = [(0, "routine", 3_000), (0, "routine", 100), (0, "routine", 2_900)]
    day = a_day(stops, minute=540.0, done=["person-0"], at={"worker-0": "person-0"})
    rest = plan_rest(day, planning=PLANNING)

    assert order_of(rest) == ["person-0", "person-2", "person-1"]
    assert rest.visits["position"].tolist() == [1, 2, 3]
    unasked = plan_rest(a_day(stops, minute=540.0, done=["person-0"]), planning=PLANNING)
    assert order_of(unasked) == ["person-0", "person-1", "person-2"]


def test_late_in_the_day_only_what_cannot_wait_is_left_and_it_is_said():
    stops = [(0, "routine", 100), (0, "same_day", 200)]
    rest = plan_rest(a_day(stops, minute=OPENS + 299), planning=PLANNING)

    assert order_of(rest) == ["person-1"]
    assert rest.waiting["reason"].tolist() == ["No minutes left in the rest of the day."]
    assert "hand some over" in rest.notes[0]


def test_whoever_falls_ill_hands_over_to_who_is_nearest():
    stops = [(0, "emergency", 3_000), (0, "routine", 3_100), (1, "routine", 3_050)]
    day = a_day(stops, minute=500.0, absent=["worker-0"], at={"worker-1": "person-2"})
    rest = plan_rest(day, planning=PLANNING)

    assert order_of(rest, "worker-1")[0] == "person-0"
    assert set(order_of(rest, "worker-1")) == {"person-0", "person-1", "person-2"}
    assert rest.n_handed_over == 2


def test_people_of_one_home_are_seen_one_after_the_other():
    stops = [(0, "routine", 100), (0, "routine", 100), (0, "routine", -900), (0, "routine", -900)]
    rest = plan_rest(a_day(stops, minute=500.0, pairs=True), planning=PLANNING)

    walked = rest.visits.sort_values("position")["travel_minutes"].tolist()
    assert walked[1] == walked[3] == 0
    assert min(walked[0], walked[2]) > 0


def test_who_died_or_left_is_off_the_list():
    day = a_day([(0, "same_day", 100), (0, "routine", 200)], minute=500.0, gone=["person-0"])
    rest = plan_rest(day, planning=PLANNING)
    assert [*rest.visits["person_id"], *rest.waiting["person_id"]] == ["person-1"]


@pytest.mark.parametrize("wrong", ["", "noon", "24:00", "12:60", "12.30", "-1:00", "12:3"])
def test_a_time_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="HH:MM"):
        as_minute(wrong)


@given(st.integers(0, 1439))
def test_times_come_back_as_they_were(minute):
    assert as_minute(clock(minute)) == minute
