"""Names that a person writes, held against those there are; what is unknown is never silent."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.errors import InputError
from chw_tools.records import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chw_tools.records import Register
    from chw_tools.resource_allocation.choice import Floor
    from chw_tools.workflows.ports import RegisterStore

#: So many names are offered where one is not known.
_OFFERED = 5
_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def worker_names(workers: pd.DataFrame) -> dict[str, str]:
    """What each worker is called, by key: the name, else the code of the source, else the key."""
    called = workers["name"].astype("object").where(workers["name"].fillna("").str.strip() != "")
    called = called.fillna(workers["source_id"].astype("object")).fillna(workers["id"])
    return dict(zip(workers["id"], called.astype(str), strict=True))


def area_and_worker_names(register: Register) -> dict[str, str]:
    """What areas and workers are called, by key; no person of the programme is among them."""
    areas = zip(register.areas["id"], register.areas["name"].astype(str), strict=True)
    return {**dict(areas), **worker_names(register.workers)}


def people_names(people: pd.DataFrame) -> dict[str, str]:
    """The name of each person who has one, by key."""
    full = people["given_name"].fillna("") + " " + people["family_name"].fillna("")
    both = zip(people["id"], full.str.strip(), strict=True)
    return {key: name for key, name in both if name}


def with_names(text: str, names: Mapping[str, str]) -> str:
    """A sentence with names in place of the keys that it holds.

    >>> key = "00000000-0000-7000-8000-0000000000aa"
    >>> with_names(f"worker {key}: full", {key: "Worker 1"})
    'worker Worker 1: full'
    """
    return _KEY.sub(lambda found: names.get(found[0], found[0]), text)


def find_workers(workers: pd.DataFrame, wanted: Sequence[str], *, where: str) -> list[str]:
    """The keys of workers named by key, name or code, in any case.

    Raises
    ------
    InputError
        With all that fit nobody, or more than one, and the names that are near.
    """
    spelt: dict[str, list[str]] = {}
    for key, *words in zip(workers["id"], workers["name"], workers["source_id"], strict=True):
        for word in {key, *(str(w) for w in words if pd.notna(w))}:
            spelt.setdefault(_plain(word), []).append(key)
    names = [*worker_names(workers).values()]
    return [_only(spelt, word, names, "worker", where) for word in wanted]


def find_worker(store: RegisterStore, wanted: str | None, *, where: str) -> str | None:
    """One worker of the register by key, name or code; None where nobody is named."""
    if wanted is None:
        return None
    workers = store.load_register(tables=("workers",)).workers
    return find_workers(workers, [wanted], where=where)[0]


def find_floors(
    floors: Sequence[Floor], areas: pd.DataFrame, *, where: str = "floor"
) -> tuple[Floor, ...]:
    """Floors whose groups there are; an area may be given by its name.

    Raises
    ------
    InputError
        If a floor names a group that is not there, with the names that are near.
    """
    return tuple(replace(one, name=_group(one, areas, where)) for one in floors)


def _group(floor: Floor, areas: pd.DataFrame, where: str) -> str:
    if floor.group == "area_id":
        spelt: dict[str, list[str]] = {}
        for key, name in zip(areas["id"], areas["name"], strict=True):
            for word in {key, str(name)}:
                spelt.setdefault(_plain(word), []).append(key)
        return _only(spelt, floor.name, list(areas["name"].dropna()), "area", where)
    known = _values(floor.group)
    spelt = {value: [value] for value in known}
    return _only(spelt, floor.name, known, floor.group, where)


def _values(group: str) -> list[str]:
    """What a group of people may be, as declared."""
    if group == "sex":
        return list(TABLES["people"].column("sex").allowed)
    fifth = TABLES["households"].column("wealth_fifth")
    return [str(number) for number in range(int(fifth.low or 1), int(fifth.high or 5) + 1)]


def _only(
    spelt: dict[str, list[str]], word: str, names: Sequence[str], what: str, where: str
) -> str:
    found = list(dict.fromkeys(spelt.get(_plain(word), [])))
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{len(found)} are called so.", where=where, cure="Give the key instead.")
    raise InputError(f"there is no such {what}.", where=where, cure=_offer(word, names))


def _offer(word: str, names: Sequence[str]) -> str:
    by_plain = {_plain(name): name for name in names}
    near = get_close_matches(_plain(word), by_plain, n=_OFFERED, cutoff=0.5)
    if near:
        return f"Near to it: {', '.join(by_plain[one] for one in near)}."
    some = [name for name, _ in Counter(names).most_common()][: 2 * _OFFERED]
    if not some:
        return "There are none yet."
    more = f" and {len(set(names)) - len(some):,} more" if len(set(names)) > len(some) else ""
    return f"There are {', '.join(some)}{more}."


def _plain(word: str) -> str:
    return " ".join(str(word).split()).casefold()
