"""Guideline rules as data: whom they are about, what sets them off, what to do, by when.

A rule holds no code. A condition is ``[feature, op, value]``. A comparison with a value that
is not known is never true; ``not`` before an operator turns it round, so that ``["age_years",
"not <", 18]`` also holds where the age is not known. Freshness is the rule's ``within_days``
and ``older_than_days``; they bind every measured feature of ``all`` and ``any``. Of ``any``
one must hold, or as many as ``at_least`` says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from chw_tools.records import load_catalogue
from chw_tools.records.derived import RECOMMENDATIONS

FILE = "rules.toml"
#: The rule sets, in doing order; each is one shipped file.
RULE_SETS = (
    "danger_signs",
    "children",
    "pregnancy",
    "infections",
    "heart",
    "mind",
    "habits",
    "questions",
    "visits",
)
#: The set of a rule that a folder adds.
OWN_SET = "own"
KINDS = RECOMMENDATIONS.column("kind").allowed
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in")
OPS = (
    *_COMPARISONS,
    *(f"not {comparison}" for comparison in _COMPARISONS),
    "is_known",
    "is_missing",
)
#: What stands for ``days_since_visit`` in ``due_from``.
VISIT = "visit"

#: Features a rule may name beside those of the catalogue, ``has_<group>`` and ``takes_<group>``.
_FEATURES = frozenset(
    {
        "age_years",
        "age_months",
        "sex",
        "education",
        "is_pregnant",
        "gestational_weeks",
        "weeks_postpartum",
        "n_active_medicines",
        "n_visits_365d",
        "n_missed_visits_365d",
        "n_facility_visits_365d",
        "n_inpatient_365d",
        "days_since_visit",
        "wealth_fifth",
        "facility_km",
        "household_size",
        "is_rural",
        "has_safe_water",
        "has_clean_fuel",
        "has_danger_sign",
        "growth_is_implausible",
        "gravidity",
        "pressure_is_reversed",
        "pressure_is_highest",
        "pressure_differs",
        "weight_differs",
        "glucose_differs",
    }
)
#: Computed from measurements of one day, with a ``_days_since`` of their own.
_GROWTH = frozenset(
    {
        "weight_for_age_z",
        "height_for_age_z",
        "weight_for_height_z",
        "bmi_for_age_z",
        "muac_for_age_z",
        "head_for_age_z",
    }
)
_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")
#: Placeholders of a reason that are no features.
WORDS = ("signs", "signs_on", "contact", "contacts", "pressure")
_PRESSURE = ("systolic_mmhg", "diastolic_mmhg")


@dataclass(frozen=True)
class Condition:
    """One comparison of one feature."""

    feature: str
    op: str
    value: Any = None

    @cached_property
    def said(self) -> str:
        """The comparison in one line, by which its answer is kept."""
        return f"{self.feature} {self.op} {self.value!r}"


@dataclass(frozen=True)
class Schedule:
    """Contacts due at set values of a feature, such as weeks of pregnancy.

    Parameters
    ----------
    feature : str
        Feature that tells how far the person is.
    at : tuple of float
        Value at which each contact is due, rising.
    days_per_unit : float
        Days in one unit of the feature.
    early_days : int
        A visit so many days before counts as that contact.
    """

    feature: str
    at: tuple[float, ...]
    days_per_unit: float
    early_days: int


@dataclass(frozen=True)
class Rule:
    """One piece of advice and when it holds; see the module for how conditions are read.

    ``rows`` names the rows of decision tables that the rule carries out, such as
    ``CHE.DT.01.CL03`` or ``CHE.DT.01.CL03-CL11``; ``at_visit`` says that the advice waits for a
    visit that is made for something else; ``year`` the year of the document that ``source`` names
    first; ``rule_set`` the shipped file it stands in.
    """

    id: str
    label: str
    kind: Literal["danger_sign", "guideline", "measure", "risk"]
    urgency: str
    action: str
    reason: str
    source: str
    verified: bool
    in_chw_scope: bool = True
    who: tuple[Condition, ...] = ()
    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    at_least: int = 1
    within_days: int | None = None
    older_than_days: int | None = None
    due_days: int = 0
    due_from: str = ""
    at_visit: bool = False
    schedule: Schedule | None = None
    ahead_days: int = 14
    overdue_days: int = 0
    overdue_urgency: str = ""
    replaces: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    year: int | None = None
    rule_set: str = OWN_SET

    @cached_property
    def group(self) -> str:
        """Whom the rule is about in one line, by which the answer is kept."""
        return " and ".join(condition.said for condition in self.who)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """What the templates of action and reason ask for."""
        return tuple(_PLACEHOLDER.findall(f"{self.action} {self.reason}"))

    def features(self) -> frozenset[str]:
        """Every feature the rule reads, those of freshness and dates among them."""
        return self._read

    @cached_property
    def _read(self) -> frozenset[str]:
        names = {c.feature for c in (*self.who, *self.all, *self.any)}
        measured = {c.feature for c in (*self.all, *self.any) if is_measured(c.feature)}
        if self.within_days is not None or self.older_than_days is not None:
            names |= {f"{name}_days_since" for name in measured}
        if "signs_on" in self.placeholders:
            names |= {f"{c.feature}_days_since" for c in self.any}
        if self.due_from:
            names.add(since(self.due_from))
        if self.schedule:
            names |= {self.schedule.feature, "days_since_visit"}
        return frozenset(names | self._features_of_texts())

    def _features_of_texts(self) -> set[str]:
        names = set()
        for name in self.placeholders:
            if name == "pressure":
                names |= {*_PRESSURE, *map(since, _PRESSURE), "pressure_is_highest"}
            if name in WORDS:
                continue
            stem = name.removesuffix("_on")
            names.add(name if stem == name else since(stem))
        return names


def is_measured(feature: str) -> bool:
    """Whether the feature is an observation, or computed from one: it has a day of its own."""
    return feature in load_catalogue().entries or feature in _GROWTH


def since(name: str) -> str:
    """The feature that tells days since a measurement, or since the last visit."""
    return "days_since_visit" if name == VISIT else f"{name}_days_since"


def is_known_feature(name: str) -> bool:
    """Whether features of that name are built; a misspelt one would silence its rule."""
    entries = load_catalogue().entries
    stem = name.removesuffix("_days_since").removesuffix("_per_year")
    known = name in _FEATURES or stem in entries or name.removesuffix("_days_since") in _GROWTH
    return known or bool(re.fullmatch(r"(has|takes)_[a-z0-9_]+", name))
