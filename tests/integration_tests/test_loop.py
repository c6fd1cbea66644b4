"""The whole loop over HTTP: a list, a visit, the next day's list; a death, and its undoing."""

from __future__ import annotations

import re
import shutil
import warnings
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from chw_tools.api.app import create_app
from chw_tools.settings import read_settings
from chw_tools.wiring import Parts, build_parts
from chw_tools.workflows.plan import plan_visits

with warnings.catch_warnings():
    # Starlette's test client asks for another HTTP client than the one declared here.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path


@dataclass(frozen=True)
class Day:
    """A browser on a store with a planned day, and who is on it."""

    browser: TestClient
    parts: Parts
    worker_id: str
    visit_on: date
    plan: pd.DataFrame

    def list_of(self, on: date) -> dict[str, Any]:
        asked = {"worker_id": self.worker_id, "visit_on": on.isoformat()}
        answer = self.browser.get("/api/v1/day", params=asked)
        assert answer.status_code == 200
        return answer.json()

    def listed(self, on: date) -> list[str]:
        return [stop["person_id"] for stop in self.list_of(on)["stops"]]

    def waiting(self, on: date) -> list[str]:
        return [person["person_id"] for person in self.list_of(on)["waiting"]]

    def person(self, person_id: str) -> dict[str, Any]:
        return self.browser.get(f"/api/v1/people/{person_id}").json()

    def plan_day(self, on: date) -> None:
        asked = {
            "visit_on": on.isoformat(),
            "as_of": (on - timedelta(days=1)).isoformat(),
            "worker_id": self.worker_id,
        }
        assert self.browser.post("/api/v1/plan", json=asked).status_code == 200

    @property
    def tomorrow(self) -> date:
        return self.visit_on + timedelta(days=1)

    @property
    def context(self) -> str:
        return f"?worker={self.worker_id}&on={self.visit_on}"


def _parts(home: Path) -> Parts:
    return build_parts(read_settings({"CHW_HOME": str(home), "CHW_MODELS": str(home / "models")}))


@pytest.fixture(scope="module")
def planned_home(small_register, tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("planned")
    parts = _parts(home)
    parts.store.register_source("simulated-programme", "simulated")
    with parts.store.transaction():
        for name, frame in small_register.tables():
            parts.store.save(name, frame)
    plan_visits(store=parts.store, models=parts.models, programme=parts.programme)
    parts.close()
    return home


@pytest.fixture
def day(planned_home, tmp_path) -> Iterator[Day]:
    home = tmp_path / "home"
    shutil.copytree(planned_home, home)
    parts = _parts(home)
    loaded = parts.store.load_plan()
    browser = TestClient(
        create_app(parts),
        base_url="http://127.0.0.1:8000",
        client=("127.0.0.1", 50000),
        headers={"sec-fetch-site": "same-origin"},
        follow_redirects=False,
    )
    yield Day(browser, parts, loaded.visits["worker_id"].iloc[0], loaded.visit_on, loaded.visits)
    parts.close()


def an_adult_who_waits(day: Day) -> str:
    """Somebody of 40 to 79 years who is not on today's list and not urgent."""
    people = day.parts.store.load_register(tables=("people",)).people.set_index("id")
    for person in day.list_of(day.visit_on)["waiting"]:
        years = person["age"].removesuffix(" years")
        sex = people.loc[person["person_id"], "sex"]
        if years.isdigit() and 40 <= int(years) < 80 and sex == "male":
            return person["person_id"]
    raise AssertionError("nobody of that age waits")


def test_a_visit_with_very_high_pressure_and_a_danger_sign_changes_tomorrows_list(day):
    person = an_adult_who_waits(day)
    before = day.person(person)
    assert "emergency" not in [item["urgency"] for item in before["advice"]]
    form = {
        "outcome": "seen",
        "systolic_mmhg": "190",
        "diastolic_mmhg": "115",
        "danger_signs": "danger_chest_pain",
        "day": day.visit_on.isoformat(),
    }
    answer = day.browser.post(f"/people/{person}/visit{day.context}", data=form)
    assert answer.status_code == 303

    result = day.browser.get(answer.headers["location"]).text
    assert "Saved. Act now" in result
    assert "Go now" in result
    assert "On tomorrow&#39;s list: yes" in result

    after = day.person(person)
    assert after["advice"][0]["urgency"] == "emergency"
    assert after["visits"][0]["visited_on"] == day.visit_on.isoformat()
    measured = {item["name"]: item["value"] for item in after["measurements"]}
    assert measured["systolic_mmhg"].startswith("190")
    assert measured["danger_chest_pain"] == "yes"

    assert person not in day.listed(day.visit_on)
    tomorrow = day.list_of(day.tomorrow)
    (stop,) = (stop for stop in tomorrow["stops"] if stop["person_id"] == person)
    assert stop["urgency"] == "emergency"
    assert stop["is_must"] is True


def test_a_sign_that_was_not_asked_about_is_not_kept_as_no(day):
    person = an_adult_who_waits(day)
    form = {
        "outcome": "seen",
        "systolic_mmhg": "130",
        "diastolic_mmhg": "80",
        "danger_signs": "none",
        "day": day.visit_on.isoformat(),
    }
    page = day.browser.get(f"/people/{person}/visit{day.context}").text
    asked = set(re.findall(r'name="danger_signs" value="(danger_\w+)"', page))
    assert day.browser.post(f"/people/{person}/visit{day.context}", data=form).status_code == 303
    register = day.parts.store.load_register(person_ids=[person])
    today = register.observations[
        register.observations["observed_on"] == pd.Timestamp(day.visit_on)
    ]
    codes = set(zip(today["system"], today["code"], strict=True))
    kept = {
        sign.name
        for sign in day.parts.catalogue.danger_signs()
        if (sign.code.system, sign.code.code) in codes
    }
    assert kept == asked


def test_going_back_and_changing_a_number_leaves_one_visit_in_force(day):
    person = an_adult_who_waits(day)
    path = f"/people/{person}/visit{day.context}"
    visit_id = re.search(r'name="visit_id" value="([^"]+)"', day.browser.get(path).text)[1]
    form = {
        "visit_id": visit_id,
        "outcome": "seen",
        "danger_signs": "none",
        "day": day.visit_on.isoformat(),
    }
    for systolic in ("150", "132"):
        typed = {**form, "systolic_mmhg": systolic, "diastolic_mmhg": "84"}
        assert day.browser.post(path, data=typed).status_code == 303
    shown = day.person(person)
    measured = {item["name"]: item["value"] for item in shown["measurements"]}
    assert measured["systolic_mmhg"].startswith("132")
    today = [v for v in shown["visits"] if v["visited_on"] == day.visit_on.isoformat()]
    assert [visit["is_corrected"] for visit in today] == [False, True]


def test_a_visit_is_ticked_off_todays_list(day):
    person = day.listed(day.visit_on)[0]
    form = {"outcome": "away", "day": day.visit_on.isoformat()}
    day.browser.post(f"/people/{person}/visit{day.context}", data=form)
    done = {stop["person_id"]: stop["done"] for stop in day.list_of(day.visit_on)["stops"]}
    assert done[person] == "away"
    page = day.browser.get(f"/today/{day.worker_id}?on={day.visit_on}").text
    assert "Done: Not at home" in page


def test_a_visit_sent_twice_over_the_api_is_one_visit(day):
    person = day.listed(day.visit_on)[0]
    visit = {
        "visit_id": "019b6f00-0000-7000-8000-0000000000b1",
        "person_id": person,
        "visited_on": day.visit_on.isoformat(),
        "worker_id": day.worker_id,
    }
    answers = [day.browser.post("/api/v1/visits", json=visit).status_code for _ in range(2)]
    assert answers == [201, 200]
    shown = [v["visit_id"] for v in day.person(person)["visits"]]
    assert shown.count(visit["visit_id"]) == 1


def test_who_died_appears_on_no_list_until_it_is_undone(day):
    person = day.listed(day.visit_on)[0]
    said = {"on": day.visit_on.isoformat()}
    death = day.browser.post(f"/people/{person}/died{day.context}", data=said)
    assert death.status_code == 303
    page = day.browser.get(death.headers["location"]).text
    assert "Has died" in page

    assert person not in day.listed(day.visit_on)
    day.plan_day(day.tomorrow)
    assert person not in day.listed(day.tomorrow) + day.waiting(day.tomorrow)
    assert day.person(person)["advice"] == []

    change_id = re.search(r'name="change_id" value="([^"]+)"', page)[1]
    undo = {**said, "change_id": change_id}
    assert day.browser.post(f"/people/{person}/undo{day.context}", data=undo).status_code == 303
    assert person in day.listed(day.visit_on)
    day.plan_day(day.tomorrow)
    assert person in day.listed(day.tomorrow) + day.waiting(day.tomorrow)
    assert day.person(person)["status"] == "in the register"


def test_two_entries_merged_are_one_until_they_are_parted(day):
    gone, stays = day.listed(day.visit_on)[:2]
    said = {"on": day.visit_on.isoformat(), "into_person_id": stays}
    answer = day.browser.post(f"/api/v1/people/{gone}/merge", json=said)
    assert answer.status_code == 201
    day.plan_day(day.tomorrow)
    assert gone not in day.listed(day.tomorrow) + day.waiting(day.tomorrow)
    assert day.browser.get(f"/people/{gone}").status_code == 200
    undo = {"person_id": gone, "on": day.visit_on.isoformat()}
    change = answer.json()["change_id"]
    assert day.browser.post(f"/api/v1/changes/{change}/undo", json=undo).status_code == 201
    day.plan_day(day.tomorrow)
    assert gone in day.listed(day.tomorrow) + day.waiting(day.tomorrow)


def test_every_page_and_answer_works_over_the_store(day):
    person = day.listed(day.visit_on)[0]
    everywhere = (
        f"/today/{day.worker_id}",
        f"/today/{day.worker_id}/print?names=no",
        f"/people/{person}{day.context}",
        f"/people/{person}/visit{day.context}",
        f"/people/{person}/same",
        "/search",
        "/healthz",
        "/api/v1/dictionary",
    )
    for path in everywhere:
        assert day.browser.get(path).status_code == 200, path
    asked = {"person_ids": [person]}
    risks = day.browser.post("/api/v1/score", json=asked)
    advice = day.browser.post("/api/v1/recommend", json=asked)
    assert {row["person_id"] for row in risks.json()} == {person}
    assert [row["rank"] for row in advice.json()] == list(range(1, len(advice.json()) + 1))


def test_a_name_is_found_and_stands_in_no_address(day):
    person = day.person(day.listed(day.visit_on)[0])
    family = person["name"].split()[-1]
    found = day.browser.post("/search", data={"text": family.upper()}).text
    assert person["person_id"] in found
    assert not [a for a in re.findall(r'(?:href|action)="([^"]*)"', found) if family in a]


def test_errors_of_the_store_name_no_person(day):
    person = day.person(day.listed(day.visit_on)[0])
    visit = {
        "person_id": person["person_id"],
        "visited_on": day.visit_on.isoformat(),
        "measurements": {"systolic_mmhg": 9999},
    }
    answer = day.browser.post("/api/v1/visits", json=visit)
    assert answer.status_code == 422
    assert "systolic_mmhg" in answer.json()["what"]
    assert "9999" not in answer.text
    assert person["name"] not in answer.text


def test_threads_may_ask_at_the_same_time(day):
    from concurrent.futures import ThreadPoolExecutor

    people = day.listed(day.visit_on)[:4]
    visits = [
        {"person_id": person, "visited_on": day.visit_on.isoformat(), "outcome": "away"}
        for person in people
    ]
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(lambda v: day.browser.post("/api/v1/visits", json=v), visits))
        shown = list(pool.map(day.person, people))
    assert [answer.status_code for answer in kept] == [201] * len(people)
    assert [view["person_id"] for view in shown] == people
    assert all(view["visits"][0]["outcome"] == "away" for view in shown)


def test_today_stays_today_after_a_visit_planned_ones_tomorrow(day):
    person = day.listed(day.visit_on)[0]
    form = {"outcome": "away", "day": day.visit_on.isoformat()}
    day.browser.post(f"/people/{person}/visit{day.context}", data=form)
    assert day.list_of(day.tomorrow)
    home = day.browser.get("/")
    assert home.headers["location"].endswith(f"?on={day.visit_on}")


def test_a_list_of_real_people_is_not_called_simulated(small_register, tmp_path):
    # The same rows under another flag: what is tested is what the pages say.
    parts = _parts(tmp_path)
    parts.store.register_source("district", "real")
    with parts.store.transaction():
        for name, frame in small_register.tables():
            parts.store.save(name, frame)
    browser = TestClient(
        create_app(parts),
        base_url="http://127.0.0.1:8000",
        client=("127.0.0.1", 50000),
        headers={"sec-fetch-site": "same-origin"},
    )
    assert "No list has been made yet" in browser.get("/").text
    page = browser.post("/plan").text
    parts.close()
    assert "people to visit" in page
    assert "Simulated people" not in page
    assert "How this order was made:" in page
    assert "No model of hospital_admission_180d is registered." in page
