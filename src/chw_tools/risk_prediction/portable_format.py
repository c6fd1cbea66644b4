"""The form ``chw-model/2``: what a model file must hold, problem by problem.

The prose is in ``docs/model_format.md`` and the JSON Schema in ``chw_model_2.schema.json``;
here is what neither can say (names that agree, borders that rise), and how a file of the
first form, ``chw-additive/1``, is read.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

from chw_tools.errors import ModelRefused
from chw_tools.feature_engineering import Feature
from chw_tools.model_evaluation.calibration import PROBABILITY_MARGIN, compute_logit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FORMAT = "chw-model/2"
FIRST_FORMAT = "chw-additive/1"
#: As in training, log-odds are held here before calibration; contributions are not held.
MOST_SURE = float(compute_logit([1 - PROBABILITY_MARGIN])[0])
#: A model of a hundred features takes half a megabyte; what is larger is no model of ours.
LARGEST_FILE = 20_000_000
_TEXTS = ("name", "version", "outcome", "population")
_FEATURE_KINDS = ("number", "choice", "flag")
_OF_TERM = {
    "steps": ("cuts", "scores"),
    "levels": ("scores", "unknown"),
    "linear": ("slope", "at"),
    "pieces": ("knots",),
}


def parse(text: str) -> dict[str, Any]:
    """The content of a model file, sound in structure; its digest is not checked here.

    Raises
    ------
    ModelRefused
        If it is not JSON, too large, of another form, or contradicts itself; the first
        problems are named.
    """
    content = parse_json(text)
    problems = check_structure(content)
    if problems:
        raise ModelRefused(
            "; ".join(problems[:5]), where="model file", cure="Restore it, or train again."
        )
    found: dict[str, Any] = content
    return found


def parse_json(text: str) -> Any:
    """The JSON of a file that somebody else may have written.

    Raises
    ------
    ModelRefused
        If it is too large or too deep, not JSON, names a key twice, or holds NaN.
    """
    if len(text) > LARGEST_FILE:
        raise ModelRefused(
            f"the model file is longer than {LARGEST_FILE:,} characters",
            where="model file",
            cure="Export the model again; no model of this form is so large.",
        )
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_distinct)
    except RecursionError as error:
        raise ModelRefused(
            "the model file is nested too deeply",
            where="model file",
            cure="Export the model again.",
        ) from error
    except ValueError as error:
        raise ModelRefused(
            "the model file is not JSON", where="model file", cure="Restore it, or train again."
        ) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ModelRefused(
        f"the model file holds {name}, which is no number",
        where="model file",
        cure="Restore it, or train again.",
    )


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # Readers differ in which of the two they take.
        raise ModelRefused(
            "the model file names a key twice", where="model file", cure="Export the model again."
        )
    return found


def check_structure(read: Any) -> list[str]:
    """Every contradiction of the form, in words; empty where the file is sound."""
    if not isinstance(read, dict):
        return ["it holds no model"]
    if read.get("format") != FORMAT:
        return [f"its format is not {FORMAT}"]
    problems = check_declaration(read)
    if not is_number(read.get("intercept")):
        problems.append("intercept must be a number")
    declared = {f["name"]: f for f in _sound_features(read)}
    problems += list(_terms(read.get("terms"), declared))
    problems += list(_ranges(read.get("features")))
    problems += list(_thresholds(read.get("thresholds", {})))
    if not _are_texts(read.get("texts", {})):
        problems.append("texts must hold texts by language and key")
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


def migrate(first: Mapping[str, Any]) -> dict[str, Any]:
    """A content of the form ``chw-additive/1`` in the form ``chw-model/2``.

    Every number stays as it is, so that old risks can be recomputed bit for bit. What is no
    such content comes back in a form that :func:`check_structure` finds fault with.
    """
    return {
        **first,
        "format": FORMAT,
        "terms": [_migrated(term) for term in _dicts(first.get("terms"))]
        if isinstance(first.get("terms"), list)
        else first.get("terms"),
    }


def _dicts(found: Any) -> list[Any]:
    return [term if isinstance(term, dict) else {} for term in found]


def _migrated(term: Mapping[str, Any]) -> dict[str, Any]:
    scores = term.get("scores")
    held = scores if isinstance(scores, list) else []
    missing = held[0] if held else None
    if term.get("kind") == "choice":
        return {
            "feature": term.get("feature"),
            "kind": "levels",
            "levels": term.get("levels"),
            "scores": held[1:-1],
            "missing": missing,
            "unknown": held[-1] if held else None,
        }
    return {
        "feature": term.get("feature"),
        "kind": "steps",
        "cuts": term.get("cuts"),
        "scores": held[1:],
        "missing": missing,
    }


def _sound_features(read: dict[str, Any]) -> list[dict[str, Any]]:
    found = read.get("features")
    return [f for f in found if _is_feature(f)] if isinstance(found, list) else []


def _calibration(found: Any) -> list[str]:
    if not isinstance(found, dict) or not all(
        is_number(found.get(key)) for key in ("slope", "intercept")
    ):
        return ["calibration must hold slope and intercept"]
    within = found.get("log_odds_within", MOST_SURE)
    if not is_number(within) or within <= 0:
        return ["calibration log_odds_within must be a number above 0"]
    # A negative slope would turn the model's order round.
    return ["calibration slope is negative"] if found["slope"] < 0 else []


def _features(found: Any) -> Iterator[str]:
    if not isinstance(found, list):
        yield "features must be a list of declarations"
        return
    if not all(_is_feature(feature) for feature in found):
        yield "a declared feature lacks name, label or kind"
    names = [f["name"] for f in found if _is_feature(f)]
    if len(set(names)) < len(names):
        yield "a feature is declared twice"


def _is_feature(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and all(isinstance(found.get(key), str) for key in ("name", "label", "kind"))
        and found["kind"] in _FEATURE_KINDS
        and isinstance(found.get("unit", ""), str)
        and _is_texts(found.get("allowed", []))
    )


def _ranges(found: Any) -> Iterator[str]:
    for feature in found if isinstance(found, list) else ():
        if not _is_feature(feature):
            continue
        pair = feature.get("plausible")
        if pair is not None and not (_is_limit(pair) and _rises(pair)):
            yield f"{feature['name']}: plausible must name the lowest and highest, or null"
        others = feature.get("other_units", {})
        if not isinstance(others, dict) or not all(map(_is_conversion, others.values())):
            yield f"{feature['name']}: other_units must hold factor and offset by unit"


def _is_conversion(found: Any) -> bool:
    return (
        isinstance(found, list) and len(found) == 2 and all(map(is_number, found)) and found[0] != 0
    )


def _rises(pair: list[float | None]) -> bool:
    low, high = pair
    return low is None or high is None or low <= high


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
    name, kind = term["feature"], term.get("kind")
    if kind not in _OF_TERM:
        yield f"{name}: kind must be one of {', '.join(_OF_TERM)}"
    elif (kind == "levels") != (feature["kind"] == "choice"):
        yield f"{name}: kind of the term and of the feature differ"
    elif not is_number(term.get("missing")):
        yield f"{name}: missing must be a number"
    else:
        yield from _numbers_of_term(term, kind)


def _numbers_of_term(term: dict[str, Any], kind: str) -> Iterator[str]:
    name = term["feature"]
    for key in _OF_TERM[kind]:
        is_list = key in ("cuts", "scores", "knots")
        if not (_are_numbers(term.get(key)) if is_list else is_number(term.get(key))):
            yield f"{name}: {key} must be {'numbers' if is_list else 'a number'}"
            return
    if kind in ("steps", "pieces"):
        yield from _borders(term, "cuts" if kind == "steps" else "knots")
    if kind == "levels":
        levels = term.get("levels")
        if not isinstance(levels, list) or not _is_texts(levels) or _repeats(levels):
            yield f"{name}: levels must be distinct texts"
        elif len(term["scores"]) != len(levels):
            yield f"{name}: must have a score for each level"


def _borders(term: dict[str, Any], key: str) -> Iterator[str]:
    name, borders = term["feature"], term[key]
    if any(a >= b for a, b in pairwise(borders)):
        yield f"{name}: {key} must rise"
    if key == "cuts" and len(term["scores"]) != len(borders) + 1:
        yield f"{name}: must have a score for each bin"
    if key == "knots":
        pieces = term.get("pieces")
        if not isinstance(pieces, list) or not all(_are_numbers(p) and p for p in pieces):
            yield f"{name}: pieces must be lists of numbers"
        elif not borders or len(pieces) != len(borders) + 1:
            yield f"{name}: must have a piece below, between and above the knots"


def _validity(read: dict[str, Any]) -> Iterator[str]:
    names = {f["name"] for f in _sound_features(read)}
    limits, needs = read.get("limits", {}), read.get("needs", [])
    if not isinstance(limits, dict) or not all(_is_limit(pair) for pair in limits.values()):
        yield "limits must name the lowest and highest, or null"
    elif not set(limits) <= names:
        yield "limits name a feature that is not declared"
    if not _is_texts(needs) or not set(needs) <= names:
        yield "needs name a feature that is not declared"


def _thresholds(found: Any) -> Iterator[str]:
    if not isinstance(found, dict):
        yield "thresholds must be named"
        return
    bands = found.get("bands", {})
    risks = [
        *(bands.values() if isinstance(bands, dict) else [None]),
        *(found[key] for key in ("capacity", "sensitivity") if key in found),
    ]
    if not all(is_number(risk) and 0 <= risk <= 1 for risk in risks):
        yield "thresholds must be probabilities"


def _is_limit(found: Any) -> bool:
    return (
        isinstance(found, list)
        and len(found) == 2
        and all(end is None or is_number(end) for end in found)
    )


def _is_texts(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(one, str) for one in found)


def _are_texts(found: Any) -> bool:
    if isinstance(found, dict):
        return all(map(_are_texts, found.values()))
    return isinstance(found, str)


def _are_numbers(found: Any) -> bool:
    return isinstance(found, list) and all(map(is_number, found))


def _repeats(found: list[str]) -> bool:
    return len(set(found)) < len(found)


def is_number(found: Any) -> bool:
    """Whether it is a finite number that a float can hold."""
    if not isinstance(found, int | float) or isinstance(found, bool):
        return False
    try:
        return math.isfinite(found)
    except OverflowError:
        return False
