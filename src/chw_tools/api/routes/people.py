"""People: finding, showing, and decisions about register entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, Path

from chw_tools.api import examples
from chw_tools.api.examples import answers
from chw_tools.api.schemas import (
    UUID,
    ChangeKept,
    DeathSent,
    MergeSent,
    MoveSent,
    SearchSent,
    UndoSent,
)
from chw_tools.workflows.views import HouseholdView, PersonFound, PersonView

if TYPE_CHECKING:
    from chw_tools.web.acts import Acts

PersonKey = Annotated[str, Path(pattern=UUID, examples=[examples.PERSON])]
HouseholdKey = Annotated[str, Path(pattern=UUID, examples=[examples.HOUSEHOLD])]
ChangeKey = Annotated[str, Path(pattern=UUID, examples=[examples.CHANGE])]

_CHANGED = answers({"change_id": examples.CHANGE}, status=201, errors=(404, 409))


def make_routes(acts: Acts) -> APIRouter:
    """The routes of people."""
    router = APIRouter(tags=["people"])
    _add_reading(router, acts)
    _add_changes(router, acts)
    return router


def _add_reading(router: APIRouter, acts: Acts) -> None:
    @router.post("/people/search", operation_id="find_people", responses=answers(examples.FOUND))
    def find_people(asked: Annotated[SearchSent, Body()]) -> tuple[PersonFound, ...]:
        """People whose name fits; the name travels in the body, never in an address."""
        return acts.find_people(text=asked.text, limit=asked.limit)

    @router.get(
        "/people/{person_id}",
        operation_id="show_person",
        responses=answers(examples.PERSON_VIEW, errors=(404,)),
    )
    def show_person(person_id: PersonKey) -> PersonView:
        """One person: what to do, why, and how sure."""
        return acts.show_person(person_id=person_id)

    @router.get(
        "/households/{household_id}",
        operation_id="show_household",
        responses=answers(examples.HOUSEHOLD_VIEW, errors=(404,)),
    )
    def show_household(household_id: HouseholdKey) -> HouseholdView:
        """One visit, several people: what to do for each in the home, most urgent first."""
        return acts.show_household(household_id=household_id)


def _add_changes(router: APIRouter, acts: Acts) -> None:
    @router.post(
        "/people/{person_id}/merge",
        operation_id="merge_person",
        status_code=201,
        responses=_CHANGED,
    )
    def merge_person(person_id: PersonKey, said: Annotated[MergeSent, Body()]) -> ChangeKept:
        """Say that two entries are one person."""
        change_id = acts.merge_person(
            person_id=person_id, into_person_id=said.into_person_id, on=said.on
        )
        return ChangeKept(change_id=change_id)

    @router.post(
        "/people/{person_id}/moved",
        operation_id="move_person",
        status_code=201,
        responses=_CHANGED,
    )
    def move_person(person_id: PersonKey, said: Annotated[MoveSent, Body()]) -> ChangeKept:
        """Say that a person left the programme's area."""
        change_id = acts.move_person(person_id=person_id, on=said.on, area_id=said.area_id)
        return ChangeKept(change_id=change_id)

    @router.post(
        "/people/{person_id}/died",
        operation_id="report_death",
        status_code=201,
        responses=_CHANGED,
    )
    def report_death(person_id: PersonKey, said: Annotated[DeathSent, Body()]) -> ChangeKept:
        """Say that a person died."""
        return ChangeKept(change_id=acts.report_death(person_id=person_id, on=said.on))

    @router.post(
        "/changes/{change_id}/undo",
        operation_id="undo_change",
        status_code=201,
        responses=_CHANGED,
    )
    def undo_change(change_id: ChangeKey, said: Annotated[UndoSent, Body()]) -> ChangeKept:
        """Take a decision back."""
        key = acts.undo_change(person_id=said.person_id, change_id=change_id, on=said.on)
        return ChangeKept(change_id=key)
