"""A simulated week: everybody is planned or listed, and every day holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from chw_tools.programme import load_programme
from chw_tools.resource_allocation.choice import Floor
from chw_tools.resource_allocation.required import MUST
from chw_tools.resource_allocation.solving import Stop
from chw_tools.resource_allocation.week import WeekOptions, WeekPlan, Work, plan_week
from chw_tools.workflows.assess import assess
from chw_tools.workflows.plan import situation_of

if TYPE_CHECKING:
    from chw_tools.programme import Programme
    from chw_tools.records import Register
    from chw_tools.workflows.assess import Assessment

PROGRAMME = load_programme()
AS_OF = pd.Timestamp("2025-12-31").as_unit("s")
MONDAY = pd.Timestamp("2026-01-05").as_unit("s")
STEPS = Stop(60.0, iterations=150)


@pytest.fixture(scope="module")
def assessment(small_register: Register) -> Assessment:
    return assess(small_register, programme=PROGRAMME, as_of=AS_OF)


def plan(
    assessment: Assessment,
    options: WeekOptions | None = None,
    *,
    programme: Programme = PROGRAMME,
    **changed: object,
) -> WeekPlan:
    return plan_week(
        replace(situation_of(assessment), **changed),  # type: ignore[arg-type]
        programme=programme,
        week_from=MONDAY,
        options=options or WeekOptions(stop=STEPS),
        work=Work(n_processes=1),
    )


@pytest.fixture(scope="module")
def week(assessment: Assessment) -> WeekPlan:
    return plan(assessment)


def test_everybody_with_advice_is_planned_once_or_waits_with_a_reason(
    week: WeekPlan, assessment: Assessment
) -> None:
    advised = set(assessment.recommendations["person_id"])

    assert not week.visits["person_id"].duplicated().any()
    assert set(week.visits["person_id"]) | set(week.unvisited["person_id"]) == advised
    assert not set(week.visits["person_id"]) & set(week.unvisited["person_id"])
    assert (week.unvisited["reason"].str.len() > 10).all()


def test_no_day_is_longer_than_its_minutes_and_no_two_stops_overlap(week: WeekPlan) -> None:
    days = week.visits.groupby(["worker_id", "visit_on"])
    capacity = PROGRAMME.planning.capacity_minutes
    assert (days["minutes"].sum() + days["travel_minutes"].sum() <= capacity + 1e-6).all()
    for _, day in days:
        ends = day["begins_minute"] + day["minutes"]
        gap = day["begins_minute"].to_numpy()[1:] - ends.to_numpy()[:-1]
        assert (gap >= day["travel_minutes"].to_numpy()[1:] - 1e-6).all()
        assert day["position"].tolist() == list(range(1, len(day) + 1))


def test_what_cannot_wait_is_done_on_the_first_day(week: WeekPlan) -> None:
    musts = week.visits[week.visits["is_must"]]
    assert (musts["visit_on"] == MONDAY).all()
    waiting = week.unvisited[week.unvisited["urgency"].isin(["emergency", "same_day"])]
    assert week.summary["is_feasible"] or len(waiting)


def test_a_follow_up_is_visited_within_its_window(assessment: Assessment, week: WeekPlan) -> None:
    waits = week.unvisited.loc[week.unvisited["urgency"] == "routine", "person_id"].iloc[[-1, -2]]
    follow_ups = pd.DataFrame(
        {
            "person_id": waits,
            "due_from": [MONDAY + pd.Timedelta(days=2), MONDAY - pd.Timedelta(days=3)],
            "due_by": [MONDAY + pd.Timedelta(days=3), MONDAY + pd.Timedelta(days=1)],
            "urgency": "within_days",
            "reason_key": "no_answer",
        }
    )
    made = plan(assessment, follow_ups=follow_ups).visits.set_index("person_id").loc[waits]

    assert (made["because"] == "required").all()
    day = (made["visit_on"] - MONDAY).dt.days.tolist()
    assert day[0] in (2, 3)
    assert day[1] in (0, 1)


def test_windows_that_contradict_at_one_home_leave_a_plan(assessment: Assessment) -> None:
    homes = assessment.register.people.groupby("household_id")["id"].agg(list)
    advised = set(assessment.recommendations["person_id"])
    together = next(ids[:2] for ids in homes if len(ids) > 1 and set(ids[:2]) <= advised)
    follow_ups = pd.DataFrame(
        {
            "person_id": together,
            "due_from": [MONDAY, MONDAY + pd.Timedelta(days=3)],
            "due_by": [MONDAY + pd.Timedelta(days=1), MONDAY + pd.Timedelta(days=4)],
            "urgency": "within_days",
            "reason_key": "no_answer",
        }
    )
    made = plan(assessment, follow_ups=follow_ups)
    both = made.visits.set_index("person_id").loc[together]

    assert len(set(both["visit_on"])) == 1
    assert (both["visit_on"] - MONDAY).dt.days.iloc[0] <= 1
    assert "1 home has windows that contradict; the earlier is kept" in made.summary["why_not"]


def test_households_and_follow_ups_listed_twice_count_once(
    assessment: Assessment, week: WeekPlan
) -> None:
    homes = assessment.register.households
    made = plan(assessment, households=pd.concat([homes, homes]))

    pd.testing.assert_frame_equal(made.visits, week.visits)


def test_gains_of_one_s_own_decide_who_is_put_in(assessment: Assessment) -> None:
    people = assessment.features.frame.index
    gains = pd.Series(0.0, index=people)
    wanted = plan(assessment).unvisited["person_id"].iloc[-10:]
    gains[wanted] = 5.0
    made = plan(assessment, gains=gains)
    seen = made.visits.set_index("person_id")

    assert set(wanted) & set(seen.index)
    assert (seen.loc[seen.index.isin(wanted), "benefit"] >= 5.0).all()


def test_contacts_of_mothers_and_newborns_due_this_week_are_required(
    assessment: Assessment, week: WeekPlan
) -> None:
    advice = assessment.recommendations
    friday = MONDAY + pd.Timedelta(days=4)
    is_contact = advice["rule_id"].isin(["antenatal_contact", "postnatal_contact"])
    due = set(advice.loc[is_contact & (advice["due_on"] <= friday), "person_id"])
    visits = week.visits[week.visits["person_id"].isin(due)]

    assert due
    assert set(visits["person_id"]) == due or not week.summary["is_feasible"]
    assert set(visits["because"]) <= {"required", "together"}


def test_the_same_seed_gives_the_same_week(week: WeekPlan, assessment: Assessment) -> None:
    pd.testing.assert_frame_equal(plan(assessment).visits, week.visits)


def test_floors_and_duties_reach_the_routes(assessment: Assessment) -> None:
    homes = assessment.register.households["wealth_fifth"].value_counts()
    poorest = str(homes.index.min())
    options = WeekOptions(
        stop=STEPS,
        floors=(Floor("wealth_fifth", poorest, 4),),
        most_weeks_unseen=60.0,
        risk_floor=0.05,
    )
    made = plan(assessment, options)
    of_home = assessment.register.households.set_index("id")["wealth_fifth"].astype("object")
    fifth = made.visits.drop_duplicates("household_id")["household_id"].map(of_home)

    assert (fifth.astype(str) == poorest).sum() >= 4 or not made.summary["is_feasible"]
    prices = made.summary["price_of_floors"]
    assert [price["floor"] for price in prices][-1] == "seen within 60 weeks"
    assert all(price["value_lost"] >= 0 for price in prices)
    above = made.unvisited["is_above_risk_floor"]
    assert above.sum() == made.summary["n_above_risk_floor_waiting"]
    assert made.unvisited.loc[above, "reason"].str.contains("RISK FLOOR").all()


def test_a_team_shares_its_people(assessment: Assessment) -> None:
    workers = assessment.register.workers
    two = pd.concat([workers.iloc[:1], workers.iloc[:1].assign(id="f" + workers["id"].iloc[0][1:])])
    teams = dict.fromkeys(two["id"], "both")
    made = plan(assessment, WeekOptions(stop=STEPS, teams=teams), workers=two)

    assert set(made.visits["worker_id"]) == set(two["id"])


def test_nobody_at_work_is_said(assessment: Assessment) -> None:
    gone = assessment.register.workers.assign(ended_on=pd.Timestamp("2020-01-01").as_unit("s"))
    made = plan(assessment, workers=gone)

    assert made.visits.empty
    assert (made.unvisited["reason"] == "No worker is at work.").all()
    assert not made.summary["is_feasible"] or made.summary["n_must"] == 0


def test_without_any_position_the_usual_walk_is_assumed(assessment: Assessment) -> None:
    register = assessment.register
    blank = {"latitude": np.nan, "longitude": np.nan}
    made = plan(
        assessment,
        households=register.households.assign(**blank),
        areas=register.areas.assign(**blank),
        workers=register.workers.assign(**blank),
    )
    first = made.visits[made.visits["travel_minutes"] > 0]

    assert len(first)
    assert (first["travel_minutes"] == PROGRAMME.planning.default_travel_minutes).all()


def test_a_village_that_nobody_can_reach_waits_with_the_reason(assessment: Assessment) -> None:
    def nowhere(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
        return np.full((len(latitude),) * 2, np.inf)

    made = plan(assessment, WeekOptions(stop=STEPS, travel_times=nowhere))

    assert made.visits.empty
    assert made.unvisited["reason"].str.contains("no way there").any()


def test_homes_at_a_wrong_position_wait_and_keep_no_one_else_out(
    assessment: Assessment,
) -> None:
    """Nobody walks to the pole, not even to whoever cannot wait."""
    homes = assessment.register.households
    is_wrong = np.arange(len(homes)) % 3 == 0
    urgent = assessment.recommendations["person_id"].drop_duplicates().tolist()[:30]
    made = plan(
        assessment,
        households=homes.assign(latitude=homes["latitude"].mask(is_wrong, 89.9)),
        follow_ups=asked_of(urgent, "emergency", days=1),
    )
    waits = made.unvisited.set_index("person_id")
    at_pole = set(homes.loc[is_wrong, "id"])
    home = assessment.register.people.set_index("id")["household_id"].reindex(urgent)

    assert not made.visits["household_id"].isin(at_pole).any()
    far = home.index[home.isin(at_pole)]
    assert (waits.loc[far, "reason"] == "There is no way there.").all()
    assert set(home.index[~home.isin(at_pole)]) <= set(made.visits["person_id"])


def test_workers_listed_twice_count_once(assessment: Assessment, week: WeekPlan) -> None:
    workers = assessment.register.workers
    made = plan(assessment, workers=pd.concat([workers, workers]))

    pd.testing.assert_frame_equal(made.visits, week.visits)


def test_no_minutes_at_all(assessment: Assessment) -> None:
    idle = replace(PROGRAMME, planning=replace(PROGRAMME.planning, capacity_minutes=0.0))
    workers = assessment.register.workers.assign(capacity_minutes=np.nan)
    made = plan(assessment, programme=idle, workers=workers)

    assert made.visits.empty
    assert len(made.unvisited)
    assert made.summary["n_must_waiting"] == made.unvisited["urgency"].isin(MUST).sum()


def asked_of(people: list[str], urgency: str, *, days: int) -> pd.DataFrame:
    """A visit asked for from Monday on, for each of some people, within so many days."""
    return pd.DataFrame(
        {
            "person_id": people,
            "due_from": MONDAY,
            "due_by": MONDAY + pd.Timedelta(days=days - 1),
            "urgency": urgency,
            "reason_key": "no_answer",
        }
    )


def test_emergencies_beyond_the_minutes_are_all_in_on_the_first_day_and_it_is_said(
    assessment: Assessment,
) -> None:
    people = assessment.register.people
    living = people[people["id"].isin(assessment.features.frame.index)]
    urgent = living.drop_duplicates("household_id")["id"].tolist()[:40]
    made = plan(
        assessment,
        follow_ups=asked_of(urgent, "same_day", days=1),
    )
    seen = made.visits.set_index("person_id")
    monday = made.visits[made.visits["visit_on"] == MONDAY]

    assert set(urgent) <= set(seen.index)
    assert (seen.loc[urgent, "visit_on"] == MONDAY).all()
    assert not made.unvisited["urgency"].isin(["emergency", "same_day"]).any()
    assert made.summary["n_must_waiting"] == 0
    assert set(monday["because"]) == {"required"}
    assert not made.summary["is_feasible"]
    assert any("more than the first day has; all of it is in" in w for w in made.summary["why_not"])
    # Each stop begins after the one before it, also beyond the day's hours.
    for _, day in monday.groupby("worker_id"):
        ends = (day["begins_minute"] + day["minutes"]).to_numpy()[:-1]
        assert (day["begins_minute"].to_numpy()[1:] >= ends - 1e-6).all()


def test_who_cannot_wait_is_in_where_a_week_of_one_day_holds_nobody_else(
    assessment: Assessment,
) -> None:
    advised = assessment.recommendations["person_id"].drop_duplicates().tolist()
    options = WeekOptions(days=1, stop=STEPS)
    made = plan(assessment, options, follow_ups=asked_of(advised[:60], "emergency", days=1))

    assert set(advised[:60]) <= set(made.visits["person_id"])
    assert set(made.visits["because"]) == {"required"}


def test_required_visits_without_room_in_their_window_are_late_rather_than_left_out(
    assessment: Assessment,
) -> None:
    advised = assessment.recommendations["person_id"].drop_duplicates().tolist()
    made = plan(assessment, follow_ups=asked_of(advised[:100], "within_days", days=2))
    late = made.visits["reason"].str.contains("LATE: after the last day")

    assert made.summary["n_late"] == late.sum() > 0
    assert (made.visits.loc[late, "visit_on"] > MONDAY + pd.Timedelta(days=1)).all()
    assert set(made.visits["person_id"]) & set(advised[:100])
    waits = made.unvisited["person_id"].isin(advised[:100])
    # Nobody is seen because it is on the way while somebody required waits.
    assert not waits.any() or "together" not in set(made.visits["because"])


def test_very_many_who_cannot_wait_are_all_in_without_searching_long(
    assessment: Assessment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is free goes to the nearest, where days that grow little by little take too long."""
    from chw_tools.resource_allocation import week_urgent

    monkeypatch.setattr(week_urgent, "_GROWING", 0.0)
    advised = assessment.recommendations["person_id"].drop_duplicates().tolist()[:80]
    made = plan(assessment, follow_ups=asked_of(advised, "emergency", days=1))
    seen = made.visits.set_index("person_id")

    assert (seen.loc[advised, "visit_on"] == MONDAY).all()
    monday = made.visits[made.visits["visit_on"] == MONDAY].sort_values("begins_minute")
    ends = (monday["begins_minute"] + monday["minutes"]).to_numpy()[:-1]
    assert (monday["begins_minute"].to_numpy()[1:] >= ends - 1e-6).all()


def test_why_people_who_are_due_wait_is_told_in_figures(
    assessment: Assessment, week: WeekPlan
) -> None:
    told = week.summary
    friday = MONDAY + pd.Timedelta(days=4)
    due_on = assessment.recommendations.groupby("person_id")["due_on"].min()
    said = next(note for note in week.notes if "due by 2026-01-09" in note)

    assert told["n_due"] == (due_on <= friday).sum()
    assert told["n_due_before"] == (due_on < MONDAY).sum()
    assert told["minutes_due"] > told["minutes_capacity"]
    assert f"{told['n_due']:,} people" in said
    assert f"{told['n_due_before']:,} of them since before" in said
    assert f"{told['minutes_due'] / told['minutes_capacity']:.1f} times" in said


def test_a_week_that_holds_everybody_tells_of_no_backlog(assessment: Assessment) -> None:
    workers = assessment.register.workers.assign(capacity_minutes=100_000.0)
    made = plan(assessment, WeekOptions(stop=Stop(60.0, iterations=0)), workers=workers)

    assert made.summary["minutes_due"] <= made.summary["minutes_capacity"]
    assert not any("due by" in note for note in made.notes)


def test_required_visits_that_a_week_cannot_hold_are_offered_up_to_twice_its_minutes(
    assessment: Assessment,
) -> None:
    """Nobody is lost from the lists; whoever is not in waits as required."""
    everybody = assessment.features.frame.index.tolist()
    workers = assessment.register.workers.assign(capacity_minutes=60.0)
    made = plan(assessment, workers=workers, follow_ups=asked_of(everybody, "within_days", days=2))
    waits = made.unvisited.set_index("person_id")

    assert set(made.visits["person_id"]) | set(waits.index) == set(everybody)
    assert set(made.visits["because"]) == {"required"}
    assert waits["reason"].str.contains("minutes are not enough|same home|Even alone").all()


def test_the_day_due_is_that_of_the_advice_that_is_the_reason(
    week: WeekPlan, assessment: Assessment
) -> None:
    advice = assessment.recommendations.sort_values(["person_id", "rank"], kind="stable")
    first = advice.drop_duplicates("person_id").set_index("person_id")
    seen = week.visits.set_index("person_id")

    assert (seen["due_on"] == first["due_on"].reindex(seen.index)).all()
    earliest = advice.groupby("person_id")["due_on"].min().reindex(seen.index)
    assert (seen["due_on"] != earliest).any()
