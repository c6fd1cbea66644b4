"""The pages over fake acts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from chw_tools.errors import NotFound
from chw_tools.testing.acts import ADULT, CHILD, HOUSEHOLD, LIST_DAY, WORKER, an_adult

CONTEXT = f"?worker={WORKER}&on={LIST_DAY}"
LIST = f"/today/{WORKER}?on={LIST_DAY}"
PAGES = [
    LIST,
    f"/today/{WORKER}/print?on={LIST_DAY}",
    f"/today/{WORKER}/waiting?on={LIST_DAY}",
    f"/people/{ADULT}{CONTEXT}",
    f"/people/{CHILD}",
    f"/people/{ADULT}/visit{CONTEXT}",
    f"/people/{CHILD}/visit",
    f"/people/{ADULT}/result{CONTEXT}",
    f"/people/{ADULT}/same",
    f"/people/{ADULT}/messages{CONTEXT}",
    "/outreach",
    "/outreach/rehearsal",
    "/calls",
    "/outreach/experiments",
    f"/households/{HOUSEHOLD}{CONTEXT}",
    "/search",
    "/nowhere",
]
NAMES = ("Invented Person", "Invented Child")
VISIT = {
    "outcome": "seen",
    "systolic_mmhg": "150",
    "diastolic_mmhg": "94",
    "danger_signs": "none",
    "day": LIST_DAY.isoformat(),
}


class Page(HTMLParser):
    """What a test asks of a page: its elements, in order, with their attributes."""

    VOID = ("input", "meta", "link", "br")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.misnested: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.misnested.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_labelled_and_self_contained(browser, path):
    page = Page(browser.get(path).text)
    assert not page.misnested
    assert not page.open
    assert page.all("html")[0]["lang"] == "en-GB"
    assert len(page.all("h1")) == len(page.all("main")) == 1
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    labelled = {a.get("for") for a in page.all("label")}
    for field in page.all("input"):
        if field.get("type") not in {"hidden", "radio", "checkbox"}:
            assert field["id"] in labelled
            assert "placeholder" not in field
    for _, attributes in page.elements:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "action"):
            assert not (attributes.get(name) or "").startswith(("http", "//", "javascript"))
    assert all("src" in script for script in page.all("script"))


@pytest.mark.parametrize("path", PAGES)
def test_no_name_stands_in_a_title_or_an_address(browser, path):
    page = browser.get(path).text
    title = re.search("<title>(.*?)</title>", page)[1]
    addresses = re.findall(r'(?:href|action|src)="([^"]*)"', page)
    for part in ("Invented", "Person "):
        assert part not in title
        assert not [a for a in addresses if part in a]


@pytest.mark.parametrize("path", PAGES[:-1])
def test_the_banner_says_that_people_are_simulated(browser, acts, path):
    assert "Simulated people. Proves plumbing, not medicine." in browser.get(path).text
    acts.population = "real"
    acts.people = {k: replace(p, population="real") for k, p in acts.people.items()}
    assert "Simulated people" not in browser.get(path).text


def test_a_list_of_real_people_says_how_its_order_was_made(browser, acts):
    acts.population = "real"
    page = browser.get(LIST).text
    assert "How this order was made: Danger signs first, then guideline rules." in page
    assert "A note." in page


def test_one_worker_is_taken_straight_to_the_list(browser, acts):
    assert browser.get("/").headers["location"] == LIST
    acts.n_workers = 3
    page = browser.get("/")
    assert page.status_code == 200
    assert page.text.count('class="cover"') == 3


def test_where_nothing_is_planned_the_page_offers_to_plan(browser, acts):
    def nothing(**_):
        raise NotFound("That day was not planned.", cure="Plan it.")

    acts.show_day = nothing
    assert 'action="/plan"' in browser.get("/").text
    assert browser.post("/plan").status_code == 303
    assert len(acts.planned) == 1


def test_a_card_shows_urgency_as_word_and_shape_and_the_first_thing_to_do(browser):
    page = browser.get(LIST).text
    card = page[page.index('<li class="card') : page.index("</ol>")]
    assert "Today</span>" in card
    assert "<svg" in card
    assert "Must be today" in card
    assert "Refer to the health centre today." in card
    assert "Blood pressure was 168/98" in card
    assert f'href="/people/{ADULT}/visit?worker={WORKER}&amp;on={LIST_DAY}"' in card


def test_who_waits_is_folded_away_with_the_reason(browser):
    page = browser.get(LIST).text
    folded = page[page.index("<details") : page.index("</details>")]
    assert "Invented Child" in folded
    assert "No minutes left today" in folded


def test_a_long_queue_is_one_tap_away_and_whole(browser, acts):
    more = {str(i).zfill(36): replace(acts.people[CHILD], person_id=str(i)) for i in range(50)}
    acts.people |= more
    page = browser.get(LIST).text
    assert "51 people wait." in page
    assert page.count("No minutes left today") == 30
    assert "See all 51" in page
    whole = browser.get(f"/today/{WORKER}/waiting?on={LIST_DAY}").text
    assert whole.count("No minutes left today") == 51


def test_the_print_view_can_leave_out_every_name(browser):
    with_names = browser.get(f"/today/{WORKER}/print?on={LIST_DAY}").text
    without = browser.get(f"/today/{WORKER}/print?on={LIST_DAY}&names=no").text
    assert "Invented Person" in with_names
    assert not [name for name in NAMES if name in without]
    assert "Village 3" not in without[without.index("<table") : without.index("</table>")]
    assert 'class="box"' in without


def test_a_person_page_puts_action_before_reason_before_risk(browser):
    page = browser.get(f"/people/{ADULT}{CONTEXT}").text
    order = [
        page.index("Refer to the health centre today."),
        page.index("Blood pressure was 168/98"),
        page.index("About 12 of 100 people like this."),
    ]
    assert order == sorted(order)
    assert "source to be confirmed" in page
    assert "↑" in page
    assert "This raises the risk." in page
    assert "168 mmHg" in page
    assert "mm[Hg]" not in page


def test_without_an_estimate_no_number_is_shown(browser, acts):
    risk = replace(acts.people[ADULT].risks[0], of_100=None, band=None, state="not_known")
    acts.people[ADULT] = replace(acts.people[ADULT], risks=(risk,))
    page = browser.get(f"/people/{ADULT}").text
    assert "No estimate. Follow the guidelines." in page
    assert "of 100 people" not in page


def test_the_same_action_for_two_reasons_stands_once(browser, acts):
    first = acts.people[ADULT].advice[0]
    twice = (first, replace(first, reason="A second reason."))
    acts.people[ADULT] = replace(acts.people[ADULT], advice=twice)
    page = browser.get(f"/people/{ADULT}").text
    assert page.count("Refer to the health centre today.") == 1
    assert "A second reason." in page


def test_the_two_blood_pressures_of_a_day_stand_together(browser, acts):
    systolic = acts.people[ADULT].measurements[0]
    lower = replace(systolic, name="diastolic_mmhg", label="Diastolic", value="98 mm[Hg]")
    acts.people[ADULT] = replace(acts.people[ADULT], measurements=(lower, systolic))
    assert "168/98 mmHg" in browser.get(f"/people/{ADULT}").text
    older = replace(lower, observed_on=date(2025, 1, 1))
    acts.people[ADULT] = replace(acts.people[ADULT], measurements=(older, systolic))
    page = browser.get(f"/people/{ADULT}").text
    assert "168/98" not in page[page.index("Latest measurements") :]
    assert "98 mmHg" in page


def test_not_measured_is_said_not_to_be_normal(browser):
    assert "Not measured is not normal." in browser.get(f"/people/{CHILD}").text


HOSTILE = '<script>alert(1)</script>"onmouseover="x" {{7*7}}' + chr(0x202E) + chr(0)


@pytest.mark.parametrize("path", PAGES[:-1])
def test_a_hostile_name_is_inert_on_every_page(browser, acts, path):
    acts.people = {
        key: replace(person, name=HOSTILE, place=HOSTILE, conditions=(HOSTILE,), notes=(HOSTILE,))
        for key, person in acts.people.items()
    }
    page = browser.get(path).text
    assert "<script>alert" not in page
    assert "{{7*7}}" in page or "alert" not in page
    assert "49" not in re.sub(r"[0-9a-f-]{36}", "", page).replace("2649", "")
    assert chr(0x202E) not in page
    assert chr(0) not in page
    assert not [a for _, a in Page(page).elements if "onmouseover" in a]


def test_a_hostile_search_text_is_inert(browser):
    page = browser.post("/search", data={"text": HOSTILE}).text
    assert "<script>alert" not in page
    assert not [a for _, a in Page(page).elements if "onmouseover" in a]


def test_a_search_finds_by_a_form_and_asks_for_two_letters(browser):
    page = browser.post(f"/search{CONTEXT}", data={"text": "child"})
    assert f'href="/people/{CHILD}?worker={WORKER}&amp;on={LIST_DAY}"' in page.text
    short = browser.post("/search", data={"text": "c"})
    assert short.status_code == 422
    assert "at least two letters" in short.text
    assert browser.get("/search?text=child").text.count("Invented") == 0


def test_a_visit_is_recorded_tomorrow_is_planned_and_the_result_shown(browser, acts):
    answer = browser.post(f"/people/{ADULT}/visit{CONTEXT}", data=VISIT)
    assert answer.status_code == 303
    (visit,) = acts.visits.values()
    assert visit.measurements["systolic_mmhg"] == 150
    assert visit.worker_id == WORKER
    (plan,) = acts.planned
    assert (plan["as_of"], plan["worker_id"]) == (LIST_DAY, WORKER)
    assert (plan["visit_on"] - LIST_DAY).days == 1
    page = browser.get(answer.headers["location"]).text
    assert "Refer to the health centre today." in page
    assert "On tomorrow&#39;s list: yes" in page
    done = browser.get(LIST).text
    assert "Done: Seen" in done


def test_the_same_form_sent_twice_is_one_visit(browser, acts):
    form = browser.get(f"/people/{ADULT}/visit{CONTEXT}").text
    visit_id = re.search(r'name="visit_id" value="([0-9a-f-]{36})"', form)[1]
    for _ in range(2):
        data = {**VISIT, "visit_id": visit_id}
        assert browser.post(f"/people/{ADULT}/visit{CONTEXT}", data=data).status_code == 303
    assert list(acts.visits) == [visit_id]


def test_going_back_and_changing_a_number_corrects_the_visit(browser, acts):
    data = {**VISIT, "visit_id": ADULT.replace("0001", "00b1")}
    browser.post(f"/people/{ADULT}/visit{CONTEXT}", data=data)
    again = browser.post(f"/people/{ADULT}/visit{CONTEXT}", data={**data, "systolic_mmhg": "160"})
    assert again.status_code == 303
    first, second = acts.visits.values()
    assert first.measurements["systolic_mmhg"] == 150
    assert second.measurements["systolic_mmhg"] == 160
    assert second.supersedes_id == data["visit_id"]


def test_a_faulty_form_comes_back_with_what_was_typed(browser, acts):
    data = {**VISIT, "systolic_mmhg": "15o", "danger_signs": "danger_chest_pain"}
    answer = browser.post(f"/people/{ADULT}/visit{CONTEXT}", data=data)
    assert answer.status_code == 422
    page = Page(answer.text)
    fields = {a.get("name"): a for a in page.all("input")}
    assert fields["systolic_mmhg"]["value"] == "15o"
    assert fields["systolic_mmhg"]["aria-invalid"] == "true"
    assert fields["diastolic_mmhg"]["value"] == "94"
    chosen = [a["value"] for a in page.all("input") if "checked" in a]
    assert {"seen", "danger_chest_pain", LIST_DAY.isoformat()} <= set(chosen)
    summary = next(a for _, a in page.elements if a.get("id") == "problems")
    assert summary["role"] == "alert"
    assert "autofocus" in summary
    assert "autofocus" not in fields["systolic_mmhg"]
    message = "Systolic blood pressure: write a number, with digits only."
    assert answer.text.count(message) == 2
    assert not acts.visits


def test_an_unusual_number_asks_to_be_confirmed(browser, acts):
    data = {**VISIT, "systolic_mmhg": "260"}
    asked = browser.post(f"/people/{ADULT}/visit{CONTEXT}", data=data)
    assert 'name="confirmed"' in asked.text
    data["confirmed"] = "yes"
    assert browser.post(f"/people/{ADULT}/visit{CONTEXT}", data=data).status_code == 303
    assert len(acts.visits) == 1


def test_numbers_are_typed_with_a_number_keyboard(browser):
    page = Page(browser.get(f"/people/{ADULT}/visit{CONTEXT}").text)
    digits = [a for a in page.all("input") if a.get("class") == "digits"]
    assert digits
    assert all(a["inputmode"] == "decimal" for a in digits)
    # A cursor in the first number would scroll past the danger signs.
    assert not [a for a in digits if "autofocus" in a]


def test_danger_signs_are_asked_before_anything_is_measured(browser):
    for person in (ADULT, CHILD):
        page = browser.get(f"/people/{person}/visit").text
        first_number = page.index('class="digits"')
        assert page.index('id="danger_signs"') < first_number < page.index("<details")


def test_a_section_is_folded_until_something_stands_in_it(browser):
    page = Page(browser.get(f"/people/{CHILD}/visit").text)
    sections = [a for a in page.all("details") if "part" in (a.get("class") or "")]
    assert len(sections) == 6
    assert not [a for a in sections if "open" in a]
    data = {**VISIT, "danger_signs": "", "cough_days": "3"}
    del data["systolic_mmhg"], data["diastolic_mmhg"]
    again = Page(browser.post(f"/people/{CHILD}/visit", data=data).text)
    opened = [a for a in again.all("details") if "open" in a]
    assert len(opened) == 1


def test_what_can_be_an_emergency_of_a_baby_is_in_sight(browser, acts):
    acts.people[CHILD] = replace(acts.people[CHILD], age="3 weeks")
    page = browser.get(f"/people/{CHILD}/visit").text
    opened = page[page.index(" open><summary>") :]
    opened = opened[: opened.index("</details>")]
    assert "Moves only when touched" in opened
    assert "Yellow palms or soles" in opened


def test_a_home_shows_everybody_and_one_day_to_come_again(browser):
    page = browser.get(f"/households/{HOUSEHOLD}{CONTEXT}").text
    assert "Refer to the health centre today." in page
    assert page.index("Invented Person") < page.index("Invented Child")
    assert f'href="/people/{CHILD}?worker={WORKER}' in page
    assert "Nothing to do now." in page
    assert "by 5 Jan 2026" in page
    assert browser.get(f"/households/{ADULT}").status_code == 404


def test_a_visit_of_the_day_before_is_known_on_the_day_of_the_list(browser, acts):
    data = {**VISIT, "day": "other", "other_day": "2026-01-02"}
    browser.post(f"/people/{ADULT}/visit{CONTEXT}", data=data)
    ((visit_id, visit),) = acts.visits.items()
    assert visit.visited_on.isoformat() == "2026-01-02"
    assert acts.known_on[visit_id] == LIST_DAY
    assert acts.planned[0]["as_of"] == LIST_DAY


def test_a_visit_without_a_list_plans_nothing(browser, acts):
    answer = browser.post(f"/people/{ADULT}/visit", data={**VISIT, "day": "2026-01-04"})
    assert not acts.planned
    assert "not made yet" in browser.get(answer.headers["location"]).text


@pytest.mark.parametrize(
    ("what", "status"), [("died", "died"), ("moved", "moved away"), ("merged", "merged into")]
)
def test_a_decision_is_kept_and_can_be_undone(browser, acts, what, status):
    form = {"on": "2026-01-05", "into_person_id": CHILD}
    answer = browser.post(f"/people/{ADULT}/{what}{CONTEXT}", data=form)
    assert answer.status_code == 303
    assert acts.people[ADULT].status.startswith(status)
    page = browser.get(answer.headers["location"]).text
    assert "Nothing is due now" not in page
    assert f'class="button" href="/people/{ADULT}/visit' not in page  # no visit is urged
    change_id = re.search(r'name="change_id" value="([^"]+)"', page)[1]
    undo = {"on": "2026-01-05", "change_id": change_id}
    browser.post(f"/people/{ADULT}/undo", data=undo)
    assert acts.people[ADULT].status == "in the register"


def test_a_decision_needs_its_day(browser, acts):
    assert browser.post(f"/people/{ADULT}/died", data={}).status_code == 422
    assert acts.people[ADULT].status == "in the register"


def test_the_same_person_twice_is_looked_for_and_never_offers_itself(browser):
    page = browser.post(f"/people/{ADULT}/same{CONTEXT}", data={"text": "invented"}).text
    assert f'name="into_person_id" value="{CHILD}"' in page
    assert f'name="into_person_id" value="{ADULT}"' not in page


def test_a_phone_number_cannot_become_another_link(browser, acts):
    acts.people[ADULT] = replace(an_adult(), phone="javascript:alert(1)")
    assert "javascript:" not in str(Page(browser.get(f"/people/{ADULT}").text).all("a"))


def test_nobody_is_shown_for_a_key_that_is_none(browser):
    for path in ("/people/me", f"/people/{'0' * 36}", f"/today/{ADULT}"):
        answer = browser.get(path)
        assert answer.status_code == 404
        assert "There is no such page or person here." in answer.text
