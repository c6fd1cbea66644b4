"""Hours by service and community, counted by hand on a village of a few people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from chw_tools.programme import Condition, load_programme
from chw_tools.records import TABLES, conform
from chw_tools.resource_allocation.workload import Workload, check_reality, workload

if TYPE_CHECKING:
    from chw_tools.programme.scope import Service

PROGRAMME = load_programme()


def service(**changes: object) -> Service:
    one = PROGRAMME.scope.services["everybody"]
    return replace(one, visits_per_year=6.0, minutes=10.0, priority=2, **changes)  # type: ignore[arg-type]


def scoped(**services: Service):  # type: ignore[no-untyped-def]
    return replace(PROGRAMME, scope=replace(PROGRAMME.scope, services=services))


ALL = scoped(
    every=service(label="Everybody"),
    pregnant=service(
        label="Pregnant",
        who=PROGRAMME.scope.services["antenatal"].who,
        skills=("maternal",),
    ),
    risky=service(label="Risky", bands=("high", "very_high")),
)
FEATURES = pd.DataFrame(
    {
        "is_pregnant": pd.array([True, False, None], dtype="boolean"),
        "age_years": [30.0, 20.0, np.nan],
    },
    index=pd.Index(["a", "b", "c"], name="person_id"),
)
BANDS = pd.Series({"a": "low", "b": "high"})


def places(latitude: list[float] | None = None, area: str | None = "v") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person_id": ["a", "b", "c"],
            "home": ["h1", "h1", "h2"],
            "area_id": area,
            "latitude": latitude or [np.nan] * 3,
            "longitude": [36.0 if latitude else np.nan] * 3,
        }
    )


def areas(*, is_rural: bool = True) -> pd.DataFrame:
    day = pd.Timestamp("2026-01-01")
    row = {"id": "v", "name": "V", "level": "village", "is_rural": is_rural, "source": "t"}
    return conform(TABLES["areas"], pd.DataFrame([row | {"known_on": day}]))


def worked(**more: object) -> Workload:
    asked = {"places": places(), "areas": areas()} | more
    return workload(
        FEATURES,
        BANDS,
        asked["places"],
        asked["areas"],
        programme=ALL,
        workers=asked.get("workers"),
    )  # type: ignore[arg-type]


def test_each_service_counts_its_people_visits_and_hours() -> None:
    table = worked().services.set_index("service")

    assert table["n_people"].to_dict() == {"every": 3, "pregnant": 1, "risky": 1}
    assert table["visits"].to_dict() == {"every": 18, "pregnant": 6, "risky": 6}
    assert table["visit_hours"].sum() == pytest.approx(5.0)
    # Not in the register as pregnant is not pregnant; a risk that is not known may be high.
    assert table["n_unknown"].to_dict() == {"every": 0, "pregnant": 0, "risky": 1}


def test_whose_age_or_sex_is_not_known_is_not_counted_and_is_said() -> None:
    who = (Condition("age_months", "<", 60), Condition("sex", "==", "female"))
    young = scoped(young=service(label="Young", who=who))
    features = FEATURES.assign(
        age_years=[1.0, 40.0, np.nan],
        age_months=[12.0, np.nan, np.nan],
        sex=pd.array(["female", "female", None], dtype="str"),
    )
    found = workload(features, BANDS, places(), areas(), programme=young)

    # Months stand only beside children: the adult is known not to be one.
    assert found.services[["n_people", "n_unknown"]].iloc[0].tolist() == [1, 1]
    assert found.is_for["young"].tolist() == [True, False, False]


def test_people_of_one_home_are_seen_at_one_stop() -> None:
    village = worked().communities.iloc[0]

    assert (village["n_people"], village["n_homes"], village["visits"]) == (3, 2, 30)
    # The home of two is stopped at as often as its neediest member is seen (12), the other 6.
    assert village["stops"] == 18


def test_without_positions_the_usual_walk_longer_in_rural_areas() -> None:
    usual = PROGRAMME.planning.default_travel_minutes
    factor = PROGRAMME.scope.workload.rural_factor

    assert worked().communities["travel_minutes"][0] == pytest.approx(usual * factor)
    town = worked(areas=areas(is_rural=False))
    assert town.communities["travel_minutes"][0] == pytest.approx(usual)
    nowhere = worked(places=places(area=None))
    assert nowhere.communities["area_id"].tolist() == [""]
    assert nowhere.communities["travel_minutes"][0] == pytest.approx(usual)


def test_walks_grow_with_the_spread_of_homes_and_the_way_from_the_post() -> None:
    rng = np.random.default_rng(1)
    n = 400
    people = pd.DataFrame(
        {
            "person_id": [f"p{i}" for i in range(n)],
            "home": [f"h{i}" for i in range(n)],
            "area_id": "v",
            "latitude": rng.uniform(0, 0.02, n),
            "longitude": rng.uniform(36, 36.02, n),
        }
    )
    features = pd.DataFrame(
        {"is_pregnant": pd.array([False] * n, dtype="boolean"), "age_years": 30.0},
        index=pd.Index(people["person_id"], name="person_id"),
    )

    def walk(spread: float, post: float | None) -> float:
        at = people.assign(
            latitude=people["latitude"] * spread, longitude=36 + (people["longitude"] - 36) * spread
        )
        posts = None
        if post is not None:
            posts = pd.DataFrame({"latitude": [post], "longitude": [36 + 0.01 * spread]})
        found = workload(features, BANDS, at, areas(), programme=ALL, workers=posts)
        return float(found.communities["travel_minutes"][0])

    # A round of six homes in a square of 2.22 km: 0.7124 * sqrt(A * 6) / 6, with the detour.
    expected = 0.7124 * np.sqrt(2.224**2 / 6) * 1.4 / 4.5 * 60
    assert walk(1.0, None) == pytest.approx(expected, rel=0.1)
    assert walk(2.0, None) == pytest.approx(2 * walk(1.0, None), rel=0.02)
    assert walk(1.0, 0.01) == pytest.approx(walk(1.0, None), abs=0.5)
    assert walk(1.0, 0.11) > walk(1.0, 0.06) > walk(1.0, None) + 1
    nobody = pd.DataFrame({"latitude": [np.nan], "longitude": [np.nan]})
    found = workload(features, BANDS, people, areas(), programme=ALL, workers=nobody)
    assert found.communities["travel_minutes"][0] == pytest.approx(walk(1.0, None))


def test_skills_follow_from_services() -> None:
    people = worked().people

    assert people["skills"].tolist() == [frozenset({"maternal"}), frozenset(), frozenset()]
    assert people["minutes"].tolist() == [120.0, 120.0, 60.0]


def test_a_feature_that_is_not_built_is_refused() -> None:
    with pytest.raises(ValueError, match="is_pregnant"):
        workload(FEATURES.drop(columns="is_pregnant"), BANDS, places(), areas(), programme=ALL)


def staff(n: int, minutes: float | None = None) -> pd.DataFrame:
    return pd.DataFrame({"capacity_minutes": pd.Series([minutes] * n, dtype="float64")})


def checked(n: int, minutes: float | None = None):  # type: ignore[no-untyped-def]
    return check_reality(worked(), staff(n, minutes), programme=ALL)


def test_work_that_fits_needs_no_cure() -> None:
    check = checked(1)

    assert check.fits
    assert len(check.cures) == 0
    assert check.said.endswith("times the hours that 1 worker has.")


def test_each_cure_alone_is_enough_and_says_how_much() -> None:
    # Half the hours that are needed are there.
    work = worked()
    days = ALL.scope.workload.working_days
    check = checked(2, work.hours * 60 / days / 4)
    cures = check.cures.set_index("cure")

    assert check.ratio == pytest.approx(2.0)
    assert check.said == "This scope needs 2.00 times the hours that 2 workers have."
    assert cures.loc["more workers", "change"] == "1 more, 3 in all"
    assert cures.loc["fewer visits", "change"] == "50% of the visits of each service"
    assert (cures["hours"].drop("more workers") <= check.hours_there + 1e-9).all()
    # Of one priority, the last by name is given up first.
    assert cures.loc["less scope", "change"] == "without: Risky; Pregnant; Everybody" or (
        cures.loc["less scope", "hours"] <= check.hours_there
    )
    share = (check.hours_there - work.travel_hours) / work.visit_hours
    assert cures.loc["fewer minutes", "change"] == f"{share:.0%} of the minutes of each visit"


def test_walking_alone_may_be_too_much() -> None:
    cures = checked(1, 0.01).cures.set_index("cure")

    assert cures.loc["fewer minutes", "change"].startswith("not enough")


@pytest.mark.parametrize("n", [0, 3])
def test_nobody_there(n: int) -> None:
    check = checked(n, 0.0)

    assert not check.fits
    assert check.ratio == np.inf
    assert check.said.endswith("nobody is there to work them.")
    assert check.cures["cure"].tolist() == ["more workers", "fewer minutes"]


def test_caps_of_people_for_each_worker_are_said() -> None:
    work = worked()
    many = work.communities.assign(n_people=2600)
    check = check_reality(replace(work, communities=many), staff(2), programme=ALL)

    assert any("at least 3 workers" in note for note in check.notes)
    assert any(note.startswith("Risky: of 1 people") for note in check.notes)
