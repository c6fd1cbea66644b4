"""Groups of codes: what counts as hypertension, and what as a medicine against it.

A diagnosis reaches us in ICD-10, in SNOMED CT, or under this project's own names; features,
rules and reports speak of groups. A code in no group is kept in the register and seen by no
rule: the import report lists it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.records.codes import ATC, CHW, ICD10, ICD10CM, RXNORM, SNOMED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True)
class CodeGroup:
    """A condition or a kind of medicine, as the codes that mean it.

    Parameters
    ----------
    name : str
        Name in features (``has_<name>``, ``takes_<name>``).
    label : str
        In the field's words.
    exact : frozenset of (system, code)
        Codes that mean it.
    prefixes : mapping of system to tuple of str
        Beginnings of codes that mean it, points left out.
    lifelong : bool
        Whether it counts although its end is recorded.
    treats : tuple of str
        For medicines: conditions whose diagnosis it gives away.
    """

    name: str
    label: str
    exact: frozenset[tuple[str, str]]
    prefixes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lifelong: bool = False
    treats: tuple[str, ...] = ()

    def holds(self, system: str, code: str) -> bool:
        """Whether the code means this group.

        >>> load_code_groups().conditions["hypertension"].holds(ICD10, "I11.9")
        True
        """
        if (system, code) in self.exact:
            return True
        return code.replace(".", "").upper().startswith(self.prefixes.get(system, ("\0",)))


@dataclass(frozen=True)
class CodeGroups:
    """All groups, by name."""

    conditions: Mapping[str, CodeGroup]
    medicines: Mapping[str, CodeGroup]


@cache
def load_code_groups() -> CodeGroups:
    """The groups shipped with the package."""
    text = files("chw_tools.records").joinpath("condition_groups.toml").read_text(encoding="utf-8")
    read = tomllib.loads(text)
    return CodeGroups(
        conditions={name: _read(name, entry) for name, entry in read["conditions"].items()},
        medicines={name: _read(name, entry) for name, entry in read["medicines"].items()},
    )


def group_members(
    groups: Iterable[CodeGroup], systems: pd.Series, codes: pd.Series
) -> dict[str, NDArray[np.bool_]]:
    """Which rows belong to each group; each distinct code is looked up once.

    Parameters
    ----------
    groups : iterable of CodeGroup
        The groups asked about.
    systems, codes : Series of str, equally long
        Code system and code of each row.

    Returns
    -------
    dict of str to ndarray of bool
        By group name, one flag a row.
    """
    number, system_of, code_of = distinct_codes(systems, codes)
    return {
        group.name: np.fromiter(
            (group.holds(s, c) for s, c in zip(system_of, code_of, strict=True)),
            dtype=bool,
            count=len(code_of),
        )[number]
        for group in groups
    }


def distinct_codes(
    systems: pd.Series, codes: pd.Series
) -> tuple[NDArray[np.intp], list[str], list[str]]:
    """Number each row by its distinct (system, code): the numbers, the systems, the codes."""
    s_number, s_values = pd.factorize(systems, use_na_sentinel=False)
    c_number, c_values = pd.factorize(codes, use_na_sentinel=False)
    number, pairs = pd.factorize(s_number.astype("int64") * max(len(c_values), 1) + c_number)
    width = max(len(c_values), 1)
    return (
        number,
        [_text(s_values[pair // width]) for pair in pairs],
        [_text(c_values[pair % width]) for pair in pairs],
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _read(name: str, entry: dict[str, Any]) -> CodeGroup:
    exact = {(CHW, name), (CHW, name.replace("_", "-"))}
    exact |= {(SNOMED, code) for code in entry.get("snomed", ())}
    exact |= {(RXNORM, code) for code in entry.get("rxnorm", ())}
    icd10, atc = tuple(entry.get("icd10", ())), tuple(entry.get("atc", ()))
    prefixes = {ICD10: icd10, ICD10CM: icd10, ATC: atc}
    return CodeGroup(
        name=name,
        label=entry["label"],
        exact=frozenset(exact),
        prefixes={system: codes for system, codes in prefixes.items() if codes},
        lifelong=entry.get("lifelong", False),
        treats=tuple(entry.get("treats", ())),
    )
