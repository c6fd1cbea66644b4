"""What may stand in an outcome definition, key by key, and what must stand there together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chw_tools.errors import ProgrammeFault
from chw_tools.records.catalogue import load_catalogue
from chw_tools.records.condition_groups import load_code_groups
from chw_tools.records.tables import DEATHS, VISITS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    Check = Callable[[Any], str | None]

KINDS = ("within_days", "status", "measured", "missed_visit", "birth_before")
INDEX_RULES = ("index_days", "each_visit", "each_pregnancy")
METHODS = ("trained", "formula")
COUNTS = ("excluded", "negative", "positive")
#: What may come in between, for every outcome and for a pregnancy's end.
COMPETING = ("death", "moved")
PREGNANCY_ENDS = ("stillbirth", "miscarriage", "termination")
_NEEDED = ("label", "who", "kind", "intended_use", "not_for")
#: The longest horizon: a life.
_MOST_DAYS = 36_525


def check_outcomes(entries: Mapping[str, Any]) -> None:
    """Refuse definitions that are incomplete or contradict themselves.

    Raises
    ------
    ProgrammeFault
        With every fault of every definition, each naming outcome and key.
    """
    problems = [said for name, entry in entries.items() for said in _problems(name, entry)]
    if problems:
        raise ProgrammeFault(
            "; ".join(problems),
            where="outcomes.toml",
            cure="Mend the named keys; docs/outcomes.md and the shipped "
            "chw_tools/programme/defaults/outcomes.toml show each.",
        )


def _problems(name: str, entry: object) -> list[str]:
    if not isinstance(entry, dict):
        return [f"{name} is not a table; write [{name}] and its keys below"]
    found = [f"unknown key {key}" for key in sorted(set(entry) - set(_CHECKS))]
    found += [f"{key} is missing" for key in _NEEDED if key not in entry]
    wrong = {key: _CHECKS[key](entry[key]) for key in _CHECKS.keys() & entry.keys()}
    found += sorted(f"{key} {said}" for key, said in wrong.items() if said)
    sound = {key: entry[key] for key, said in wrong.items() if not said}
    if "kind" in sound:
        found += [said for is_wrong, said in _together(sound) if is_wrong]
    return [f"{name}: {said}" for said in found]


def _together(entry: dict[str, Any]) -> list[tuple[bool, str]]:
    """What must stand together among the keys that are sound by themselves."""
    kind, method = entry["kind"], entry.get("method", "trained")
    rule = entry.get("index_rule", "index_days")
    low, high = entry.get("min_age_years", 0), entry.get("max_age_years", _MOST_DAYS)
    horizon = entry.get("horizon_days")
    names = [one["name"] for one in entry.get("thresholds", [])]
    unknown = [name for name in names if horizon and name not in load_catalogue().entries]
    recorded = set(entry.get("recorded", ()))
    ends = set(entry.get("competing", {})) & set(PREGNANCY_ENDS)
    return [
        (
            kind in ("within_days", "status") and not recorded,
            f"recorded must name what counts in the outcomes table, for kind {kind}",
        ),
        (
            kind not in ("within_days", "status") and bool(recorded),
            f"recorded does not belong to kind {kind}; leave it out",
        ),
        (
            kind == "within_days" and not horizon,
            "horizon_days must be a positive number of days for kind within_days",
        ),
        (kind == "measured" and not names, "thresholds must name what is measured"),
        (kind == "measured" and horizon is None, "horizon_days must be given; 0 is the day itself"),
        (
            bool(unknown),
            f"thresholds name {', '.join(unknown)}, which the catalogue does not hold; a computed "
            "value can only be used with horizon_days = 0",
        ),
        (
            (kind == "missed_visit") != (rule == "each_visit"),
            "kind missed_visit and index_rule each_visit belong together",
        ),
        (
            (kind == "birth_before") != (rule == "each_pregnancy"),
            "kind birth_before and index_rule each_pregnancy belong together",
        ),
        (
            (kind == "birth_before") != ("birth_before_weeks" in entry),
            "birth_before_weeks must stand with kind birth_before, and only with it",
        ),
        (
            bool(ends) and kind != "birth_before",
            f"competing: {', '.join(sorted(ends))} belongs to kind birth_before only",
        ),
        (
            bool(recorded & set(DEATHS)) and "death" in entry.get("competing", {}),
            "competing: death is the outcome itself; leave it out",
        ),
        (
            (method == "formula") != bool(entry.get("score")),
            "score must name the published score for method formula, and only for it",
        ),
        (low > high, "min_age_years lies above max_age_years"),
        (
            bool(set(entry.get("exclude_features", ())) & set(entry.get("include_features", ()))),
            "include_features and exclude_features name the same feature",
        ),
    ]


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "must be a text"


def _texts(value: Any) -> str | None:
    if isinstance(value, list) and value and all(_text(one) is None for one in value):
        return None
    return 'must be a list of texts, such as ["one"]'


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _number(low: float, high: float, *, whole: bool) -> Check:
    def check(value: Any) -> str | None:
        kinds = int if whole else int | float
        if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
            return f"must be a {'whole ' if whole else ''}number from {low:g} to {high:g}"
        return None

    return check


def _one_of(allowed: Collection[str]) -> Check:
    return lambda value: (
        None
        if isinstance(value, str) and value in allowed
        else f"must be one of {', '.join(allowed)}"
    )


def _some_of(allowed: Collection[str], of: str) -> Check:
    def check(value: Any) -> str | None:
        said = _texts(value)
        unknown = [] if said else [one for one in value if one not in allowed]
        return said or (f"names {', '.join(unknown)}, which is no {of}" if unknown else None)

    return check


def _groups(value: Any) -> str | None:
    return _some_of(load_code_groups().conditions, "condition group")(value)


def _competing(value: Any) -> str | None:
    if not isinstance(value, dict):
        return 'must be a table, such as { death = "excluded" }'
    events = (*COMPETING, *PREGNANCY_ENDS)
    unknown = [name for name in value if name not in events]
    if unknown:
        return f"names {', '.join(unknown)}; there are {', '.join(events)}"
    if any(counts not in COUNTS for counts in value.values()):
        return f"must say of each event {', '.join(COUNTS)}"
    return None


def _thresholds(value: Any) -> str | None:
    if not isinstance(value, list) or not value:
        return 'must be a list, such as [{ name = "systolic_mmhg", at_least = 140 }]'
    for one in value:
        if not isinstance(one, dict) or _text(one.get("name")):
            return "must each have a name"
        limits = set(one) - {"name"}
        if len(limits) != 1 or not limits <= {"at_least", "below", "answers"}:
            return f"{one['name']} must have exactly one of at_least, below, answers"
        said = _texts(one["answers"]) if "answers" in one else None
        numbers = [one[key] for key in ("at_least", "below") if key in one]
        if said or any(_number(-1e6, 1e6, whole=False)(number) for number in numbers):
            return f"{one['name']}: at_least and below are numbers, answers a list of texts"
    return None


_CHECKS: dict[str, Check] = {
    "label": _text,
    "who": _text,
    "kind": _one_of(KINDS),
    "recorded": _texts,
    "intended_use": _text,
    "not_for": _text,
    "known_caveats": _texts,
    "horizon_days": _number(0, _MOST_DAYS, whole=True),
    "knowledge_delay_days": _number(0, _MOST_DAYS, whole=True),
    "index_rule": _one_of(INDEX_RULES),
    "index_every_days": _number(1, 366, whole=True),
    "min_age_years": _number(0, 130, whole=False),
    "max_age_years": _number(0, 130, whole=False),
    "sex": _one_of(("female", "male")),
    "pregnant": _one_of(("any", "only", "none")),
    "with_condition_groups": _groups,
    "without_condition_groups": _groups,
    "exclude_condition_groups": _groups,
    "exclude_features": _texts,
    "include_features": _texts,
    "trusted_features": _texts,
    "exclude_prevalent": _flag,
    "thresholds": _thresholds,
    "visit_kinds": _some_of(VISITS.column("kind").allowed, "kind of visit"),
    "missed_as": _some_of(VISITS.column("outcome").allowed, "result of a visit"),
    "birth_before_weeks": _number(20, 42, whole=True),
    "competing": _competing,
    "method": _one_of(METHODS),
    "score": _text,
}
