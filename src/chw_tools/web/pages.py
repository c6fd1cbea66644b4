"""The pages: each parses, calls one act, and shows what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from chw_tools.errors import Conflict, InputError, NotFound
from chw_tools.records import new_id
from chw_tools.records.tables import VISIT_OUTCOMES
from chw_tools.web.visit_form import Answered, Problem, form_for, read_visit

if TYPE_CHECKING:
    from chw_tools.web.acts import Acts
    from chw_tools.web.rendering import Pages
    from chw_tools.web.visit_form import Section, VisitForm
    from chw_tools.workflows.views import DayView, PersonView, VisitEntry

UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
Key = Annotated[str, Path(pattern=UUID)]
Fields = dict[str, list[str]]

#: So many who wait stand on the list's own page, which must open fast; the rest one tap away.
FIRST_WAITING = 30


@dataclass(frozen=True)
class Context:
    """Whose list, of which day, the reader came from; carried along in links as keys."""

    worker_id: str | None = None
    on: date | None = None

    @property
    def query(self) -> str:
        """The context as the query part of a link."""
        return self._with({"worker": self.worker_id, "on": self.on})

    @property
    def list_url(self) -> str:
        """Where the list is that the reader came from."""
        if self.worker_id is None:
            return "/"
        return f"/today/{self.worker_id}{self._with({'on': self.on})}"

    @staticmethod
    def _with(pairs: dict[str, Any]) -> str:
        text = urlencode({name: value for name, value in pairs.items() if value is not None})
        return f"?{text}" if text else ""


def read_context(
    worker: Annotated[str | None, Query(pattern=UUID)] = None, on: date | None = None
) -> Context:
    """The context in a link."""
    return Context(worker, on)


async def read_fields(request: Request) -> Fields:
    """The fields of a form sent as ``application/x-www-form-urlencoded``.

    Raises
    ------
    InputError
        If the body is something else, or has more fields than any form here.
    """
    try:
        text = (await request.body()).decode("utf-8")
        return parse_qs(text, max_num_fields=200)
    except ValueError:
        raise InputError("The form could not be read.", cure="Open it again.") from None


From = Annotated[Context, Depends(read_context)]
Sent = Annotated[Fields, Depends(read_fields)]


def make_pages(acts: Acts, pages: Pages) -> APIRouter:
    """Every page on its address; pages are no part of the API's description."""
    router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)
    _add_lists(router, acts, pages)
    _add_people(router, acts, pages)
    _add_visits(router, acts, pages)
    _add_homes(router, acts, pages)
    _add_changes(router, acts, pages)
    return router


def _add_lists(router: APIRouter, acts: Acts, pages: Pages) -> None:
    @router.get("/")
    def workers(on: date | None = None) -> Any:
        try:
            day = acts.show_day(visit_on=on)
        except NotFound as nothing:
            if on is not None:
                raise
            return _ask_to_plan(acts, pages, nothing)
        if len(day.workers) == 1:
            return _go(Context(day.workers[0].worker_id, day.visit_on).list_url)
        return pages.show("workers.html", day=day, population=day.population)

    @router.get("/today/{worker_id}")
    def today(worker_id: Key, on: date | None = None) -> Any:
        day = acts.show_day(worker_id=worker_id, visit_on=on)
        tomorrow = day.visit_on + timedelta(days=1)
        return pages.show(
            "today.html",
            day=day,
            first_waiting=FIRST_WAITING,
            n_done=sum(stop.done is not None for stop in day.stops),
            n_workers=len(day.workers),
            tomorrow=tomorrow if acts.is_planned(worker_id=worker_id, visit_on=tomorrow) else None,
            population=day.population,
            context=Context(worker_id, day.visit_on),
        )

    @router.get("/today/{worker_id}/waiting")
    def waiting(worker_id: Key, on: date | None = None) -> Any:
        day = acts.show_day(worker_id=worker_id, visit_on=on)
        context = Context(worker_id, day.visit_on)
        return pages.show("waiting.html", day=day, population=day.population, context=context)

    @router.get("/today/{worker_id}/print")
    def print_list(worker_id: Key, on: date | None = None, names: str = "yes") -> Any:
        day = acts.show_day(worker_id=worker_id, visit_on=on)
        return pages.show(
            "print.html",
            day=day,
            with_names=names != "no",
            population=day.population,
            context=Context(worker_id, day.visit_on),
        )

    @router.post("/plan")
    def plan() -> Any:
        acts.plan_visits()
        return _go("/")


def _add_people(router: APIRouter, acts: Acts, pages: Pages) -> None:
    def found(
        context: Context, text: str, action: str, merging: PersonView | None = None
    ) -> HTMLResponse:
        short = len(text) < 2
        people = () if short else acts.find_people(text=text)
        if merging is not None:
            people = tuple(p for p in people if p.person_id != merging.person_id)
        problems = (Problem("text", pages.words("errors.search_short")),) if short else ()
        return pages.show(
            "search.html",
            status=422 if short else 200,
            found=None if short else people,
            text=text,
            problems=problems,
            merging=merging,
            action=action,
            population=acts.population,
            context=context,
        )

    def asked(context: Context, action: str, merging: PersonView | None = None) -> HTMLResponse:
        return pages.show(
            "search.html",
            found=None,
            text="",
            problems=(),
            merging=merging,
            action=action,
            population=acts.population,
            context=context,
        )

    @router.get("/search")
    def search(context: From) -> Any:
        return asked(context, f"/search{context.query}")

    # A name is sent in the body: addresses end up in histories and logs.
    @router.post("/search")
    def search_results(context: From, fields: Sent) -> Any:
        return found(context, _field(fields, "text"), f"/search{context.query}")

    @router.get("/people/{person_id}/same")
    def same(person_id: Key, context: From) -> Any:
        person = acts.show_person(person_id=person_id)
        return asked(context, f"/people/{person_id}/same{context.query}", person)

    @router.post("/people/{person_id}/same")
    def same_results(person_id: Key, context: From, fields: Sent) -> Any:
        person = acts.show_person(person_id=person_id)
        action = f"/people/{person_id}/same{context.query}"
        return found(context, _field(fields, "text"), action, person)

    @router.get("/people/{person_id}")
    def person(person_id: Key, context: From, did: str = "") -> Any:
        view = acts.show_person(person_id=person_id)
        notice = {"changed": "person.saved", "undone": "person.undone"}.get(did)
        return pages.show(
            "person.html",
            person=view,
            signs={sign.name for sign in acts.catalogue.danger_signs()},
            phone_url=_phone_url(view.phone),
            notice=pages.words(notice) if notice else "",
            population=view.population,
            context=context,
        )


def _add_visits(router: APIRouter, acts: Acts, pages: Pages) -> None:
    @router.get("/people/{person_id}/visit")
    def visit_form(person_id: Key, context: From) -> Any:
        person = acts.show_person(person_id=person_id)
        form = form_for(person, acts.catalogue)
        return _show_form(pages, person, form, Answered(None, ()), context)

    @router.post("/people/{person_id}/visit")
    def visit(person_id: Key, context: From, fields: Sent) -> Any:
        person = acts.show_person(person_id=person_id)
        form = form_for(person, acts.catalogue)
        answered = read_visit(
            fields,
            person_id=person_id,
            worker_id=context.worker_id,
            form=form,
            words=pages.words,
            last_day=max(acts.today(), context.on or person.as_of),
        )
        if answered.entry is None:
            return _show_form(pages, person, form, answered, context, status=422)
        # Known on the day of the list that it was entered from, however long ago the visit.
        known_on = max(answered.entry.visited_on, context.on or person.as_of)
        try:
            _keep(acts, answered.entry, known_on)
        except InputError as refused:
            problem = Problem("outcome", refused.what)
            again = Answered(None, (problem,), answered.values, answered.signs)
            return _show_form(pages, person, form, again, context, status=422)
        if context.worker_id is not None:
            tomorrow = known_on + timedelta(days=1)
            acts.plan_visits(as_of=known_on, visit_on=tomorrow, worker_id=context.worker_id)
        return _go(f"/people/{person_id}/result{Context(context.worker_id, known_on).query}")

    @router.get("/people/{person_id}/result")
    def result(person_id: Key, context: From) -> Any:
        person = acts.show_person(person_id=person_id)
        day = _list_after(acts, context)
        stops = {stop.person_id for stop in day.stops} if day else set()
        waits = {p.person_id: p.reason for p in day.waiting} if day else {}
        return pages.show(
            "result.html",
            person=person,
            tomorrow=day.visit_on if day else None,
            is_on_tomorrow=person_id in stops,
            why_not=waits.get(person_id, ""),
            population=person.population,
            context=context,
        )


def _add_homes(router: APIRouter, acts: Acts, pages: Pages) -> None:
    @router.get("/households/{household_id}")
    def household(household_id: Key, context: From) -> Any:
        home = acts.show_household(household_id=household_id)
        return pages.show("household.html", home=home, population=home.population, context=context)


def _add_changes(router: APIRouter, acts: Acts, pages: Pages) -> None:
    def back(person_id: str, context: Context, did: str) -> RedirectResponse:
        return _go(f"/people/{person_id}{context.query or '?'}&did={did}".replace("?&", "?"))

    @router.post("/people/{person_id}/moved")
    def moved(person_id: Key, context: From, fields: Sent) -> Any:
        acts.move_person(person_id=person_id, on=_day(fields))
        return back(person_id, context, "changed")

    @router.post("/people/{person_id}/died")
    def died(person_id: Key, context: From, fields: Sent) -> Any:
        acts.report_death(person_id=person_id, on=_day(fields))
        return back(person_id, context, "changed")

    @router.post("/people/{person_id}/merged")
    def merged(person_id: Key, context: From, fields: Sent) -> Any:
        into = _field(fields, "into_person_id")
        acts.merge_person(person_id=person_id, into_person_id=into, on=_day(fields))
        return back(person_id, context, "changed")

    @router.post("/people/{person_id}/undo")
    def undo(person_id: Key, context: From, fields: Sent) -> Any:
        change_id = _field(fields, "change_id")
        acts.undo_change(person_id=person_id, change_id=change_id, on=_day(fields))
        return back(person_id, context, "undone")


def _show_form(
    pages: Pages,
    person: PersonView,
    form: VisitForm,
    answered: Answered,
    context: Context,
    *,
    status: int = 200,
) -> HTMLResponse:
    faulty = {problem.field for problem in answered.problems}
    day = context.on or person.as_of
    return pages.show(
        "visit.html",
        status=status,
        person=person,
        form=form,
        last={item.name: item for item in person.measurements},
        outcomes=VISIT_OUTCOMES,
        visit_id=answered.values.get("visit_id") or new_id(),
        values=answered.values,
        signs=answered.signs,
        problems=answered.problems,
        faulty=faulty,
        unusual=answered.is_unusual,
        opened={section.name for section in form.sections if _is_opened(section, answered)},
        list_day=day,
        day_before=day - timedelta(days=1),
        population=person.population,
        context=context,
    )


def _is_opened(section: Section, answered: Answered) -> bool:
    """Whether something was entered in the section, or is to be looked at again."""
    asked = {problem.field for problem in answered.problems}
    asked |= {name for name, value in answered.values.items() if value}
    return section.is_open or any(row.name in asked for row in section.rows)


def _ask_to_plan(acts: Acts, pages: Pages, nothing: NotFound) -> HTMLResponse:
    return pages.show(
        "message.html",
        heading=pages.words("plan.heading"),
        text=pages.words("plan.text"),
        cure=nothing.cure,
        can_plan=True,
        population=acts.population,
    )


def _keep(acts: Acts, entry: VisitEntry, known_on: date) -> None:
    try:
        acts.record_visit(entry=entry, known_on=known_on)
    except Conflict:
        # The form was gone back to and changed: that is a correction, and the first stays.
        corrected = replace(entry, visit_id=None, supersedes_id=entry.visit_id)
        acts.record_visit(entry=corrected, known_on=known_on)


def _list_after(acts: Acts, context: Context) -> DayView | None:
    if context.worker_id is None or context.on is None:
        return None
    try:
        return acts.show_day(worker_id=context.worker_id, visit_on=context.on + timedelta(days=1))
    except NotFound:
        return None


def _phone_url(phone: str | None) -> str:
    digits = "".join(c for c in phone or "" if c.isdigit() or c == "+")
    return f"tel:{digits}" if digits else ""


def _field(fields: Fields, name: str) -> str:
    return fields.get(name, [""])[-1].strip()


def _day(fields: Fields) -> date:
    try:
        return date.fromisoformat(_field(fields, "on"))
    except ValueError:
        raise InputError("The day is missing.", where="on", cure="Choose a day.") from None


def _go(url: str) -> RedirectResponse:
    # 303: a reload of what follows never sends the form a second time.
    return RedirectResponse(url, status_code=303)
