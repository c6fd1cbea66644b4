"""The form ``chw-additive/1``: what a model file must hold, problem by problem."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from chw_tools.feature_engineering import Feature

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FORMAT = "chw-additive/1"
_TEXTS = ("name", "version", "outcome", "population")
_FEATURE_KINDS = ("number", "choice", "flag")


def check_structure(read: Any) -> list[str]:
    """Every contradiction of the form, in words; empty where the file is sound."""
    if not isinstance(read, dict) or read.get("format") != FORMAT:
        return [f"its format is not {FORMAT}"]
    problems = check_declaration(read)
    if not _is_number(read.get("intercept")):
        problems.append("intercept must be a number")
    declared = {f["name"]: f for f in _sound_features(read)}
    problems += list(_terms(read.get("terms"), declared))
    return problems


def check_declaration(read: Any) -> list[str]:
    """Every contradiction in what a model says of itself, whatever its kind."""
    if not isinstance(read, dict):
        return ["it is no description of a model"]
    problems = [f"{key} is missing" for key in _TEXTS if not isinstance(read.get(key), str)]
    if read.get("population") not in ("simulated", "real"):
        problems.append("population must be simulated or real")
    problems += _calibration(read.get("calibration"))
    problems += list(_features(read.get("features")))
    problems += list(_validity(read))
    return problems


def feature_of(declared: Mapping[str, Any]) -> Feature:
    """The declaration of one input, as read from a file."""
    return Feature(
        name=declared["name"],
        label=declared["label"],
        kind=declared["kind"],
        unit=declared.get("unit", ""),
        allowed=tuple(declared.get("allowed", ())),
        group=declared.get("group", "demography"),
    )


def _sound_features(read: dict[str, Any]) -> list[dict[str, Any]]:
    found = read.get("features")
    return [f for f in found if _is_feature(f)] if isinstance(found, list) else []


def _calibration(found: Any) -> list[str]:
    if not isinstance(found, dict) or not all(
        _is_number(found.get(key)) for key in ("slope", "intercept")
    ):
        return ["calibration must hold slope and intercept"]
    # A negative slope would turn the model's order round.
    return ["calibration slope is negative"] if found["slope"] < 0 else []


def _features(found: Any) -> Iterator[str]:
    if not isinstance(found, list):
        yield "features must be a list of declarations"
        return
    if not all(_is_feature(feature) for feature in found):
        yield "a declared feature lacks name, label or kind"


def _is_feature(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and all(isinstance(found.get(key), str) for key in ("name", "label", "kind"))
        and found["kind"] in _FEATURE_KINDS
        and _is_texts(found.get("allowed", []))
    )


def _terms(found: Any, declared: dict[str, dict[str, Any]]) -> Iterator[str]:
    if not isinstance(found, list) or not all(isinstance(term, dict) for term in found):
        yield "terms must be a list"
        return
    names = [term.get("feature") for term in found]
    if not all(isinstance(name, str) and name in declared for name in names):
        yield "a term has no declared feature"
        return
    if len(set(names)) < len(names):
        yield "a feature has two terms"
    for term in found:
        yield from _term(term, declared[term["feature"]])


def _term(term: dict[str, Any], feature: dict[str, Any]) -> Iterator[str]:
    name = term["feature"]
    is_choice = feature["kind"] == "choice"
    if term.get("kind") != ("choice" if is_choice else "number"):
        yield f"{name}: kind of the term and of the feature differ"
        return
    scores = term.get("scores")
    if not isinstance(scores, list) or not all(_is_number(score) for score in scores):
        yield f"{name}: scores must be numbers"
        return
    if is_choice:
        levels: Any = term.get("levels")
        if not _is_texts(levels) or len(set(levels)) < len(levels):
            yield f"{name}: levels must be distinct texts"
        elif len(scores) != len(levels) + 2:
            yield f"{name}: must have a score for missing, for each level and for unknown"
        return
    cuts = term.get("cuts")
    if not isinstance(cuts, list) or not all(_is_number(cut) for cut in cuts):
        yield f"{name}: cuts must be numbers"
    elif any(a >= b for a, b in pairwise(cuts)):
        yield f"{name}: cuts must rise"
    elif len(scores) != len(cuts) + 2:
        yield f"{name}: must have a score for missing and for each bin"


def _validity(read: dict[str, Any]) -> Iterator[str]:
    names = {f["name"] for f in _sound_features(read)}
    limits, needs = read.get("limits", {}), read.get("needs", [])
    if not isinstance(limits, dict) or not all(_is_limit(pair) for pair in limits.values()):
        yield "limits must name the lowest and highest, or null"
    elif not set(limits) <= names:
        yield "limits name a feature that is not declared"
    if not _is_texts(needs) or not set(needs) <= names:
        yield "needs name a feature that is not declared"


def _is_limit(found: Any) -> bool:
    return (
        isinstance(found, list)
        and len(found) == 2
        and all(end is None or _is_number(end) for end in found)
    )


def _is_texts(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(one, str) for one in found)


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
