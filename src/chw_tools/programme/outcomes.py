"""What a model may be asked to foresee: outcome definitions, as decided by the programme.

Here lie the definitions; how a register is labelled by one lies in
:mod:`chw_tools.feature_engineering`.
"""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, dataclass, fields
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from chw_tools.errors import ProgrammeFault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_KINDS = ("within_days", "status")


@dataclass(frozen=True)
class OutcomeDefinition:
    """One outcome: what counts, for whom, over how long, and what may not be an input.

    Parameters
    ----------
    name : str
        Name of the outcome; folders of models are named by it.
    label : str
        The same in words.
    recorded : tuple of str
        Names in the ``outcomes`` table that count.
    kind : {"within_days", "status"}
        An event within the horizon, or a recorded yes or no.
    intended_use, not_for : str
        For the model card.
    horizon_days : int or None
        Days after ``as_of`` in which an event counts; required for ``within_days``.
    min_age_years, max_age_years : float or None
        Whom it is about, inclusive; nobody else is labelled or scored.
    exclude_condition_groups : tuple of str
        Condition groups that give the answer away: ``has_<group>`` and the medicines for
        it are no inputs.
    exclude_features : tuple of str
        Names of features or of feature groups (such as ``laboratory``) that are no inputs.
    known_caveats : tuple of str
        What a reader of the model card must know.
    """

    name: str
    label: str
    recorded: tuple[str, ...]
    kind: Literal["within_days", "status"]
    intended_use: str
    not_for: str
    horizon_days: int | None = None
    min_age_years: float | None = None
    max_age_years: float | None = None
    exclude_condition_groups: tuple[str, ...] = ()
    exclude_features: tuple[str, ...] = ()
    known_caveats: tuple[str, ...] = ()


def load_outcomes(folder: Path | None = None) -> dict[str, OutcomeDefinition]:
    """The outcome definitions by name: the shipped ones, then those of a programme's folder.

    Parameters
    ----------
    folder : Path, optional
        A programme's folder; its ``outcomes.toml``, where present, adds to and replaces
        whole definitions of the shipped file.

    Raises
    ------
    ProgrammeFault
        If a definition is incomplete or names an unknown key; all faults at once.

    Examples
    --------
    >>> load_outcomes()["hospital_admission_180d"].horizon_days
    180
    """
    shipped = files("chw_tools.programme").joinpath("defaults/outcomes.toml")
    entries = tomllib.loads(shipped.read_text(encoding="utf-8"))
    if folder is not None and (folder / "outcomes.toml").is_file():
        entries |= _parse(folder / "outcomes.toml")
    problems = [said for name, entry in entries.items() for said in _find_problems(name, entry)]
    if problems:
        raise ProgrammeFault(
            "; ".join(problems), where="outcomes.toml", cure="Mend the named definitions."
        )
    return {name: _read(name, entry) for name, entry in entries.items()}


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProgrammeFault(
            "is not a TOML file in UTF-8", where=path.name, cure="Mend its syntax."
        ) from error


def _find_problems(name: str, entry: object) -> list[str]:
    if not isinstance(entry, dict):
        return [f"{name} is not a table"]
    known = {field.name for field in fields(OutcomeDefinition)} - {"name"}
    needed = {
        field.name
        for field in fields(OutcomeDefinition)
        if field.default is MISSING and field.name != "name"
    }
    problems = [f"{name}: unknown key {key}" for key in sorted(set(entry) - known)]
    problems += [f"{name}: {key} is missing" for key in sorted(needed - set(entry))]
    if entry.get("kind", "status") not in _KINDS:
        problems.append(f"{name}: kind must be one of {', '.join(_KINDS)}")
    if entry.get("kind") == "within_days" and not _is_positive(entry.get("horizon_days")):
        problems.append(f"{name}: horizon_days must be a positive number of days")
    return problems


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _read(name: str, entry: Mapping[str, Any]) -> OutcomeDefinition:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    return OutcomeDefinition(name=name, **values)
