"""What is to be foreseen: outcome definitions, as decided by the programme.

An outcome says whom it is about, from which day one looks ahead, how far, what counts, what
may come in between, and what it is for. Here lie the definitions; how a register is labelled
by one lies in :mod:`chw_tools.feature_engineering.outcomes`, and what may stand in a
definition in :mod:`chw_tools.programme.outcome_checks`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from chw_tools.errors import ProgrammeFault
from chw_tools.programme.outcome_checks import check_outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Kind = Literal["within_days", "status", "measured", "missed_visit", "birth_before"]
IndexRule = Literal["index_days", "each_visit", "each_pregnancy"]
Counts = Literal["excluded", "negative", "positive"]

#: How a competing event counts where a definition does not say: whoever died did not have the
#: outcome any more (cumulative incidence); of whoever left nothing is known.
DEFAULT_COMPETING: Mapping[str, Counts] = {
    "death": "negative",
    "moved": "excluded",
    "stillbirth": "excluded",
    "miscarriage": "excluded",
    "termination": "excluded",
}


@dataclass(frozen=True)
class Threshold:
    """A measured value that counts as the outcome: at or above, below, or one of answers."""

    name: str
    at_least: float | None = None
    below: float | None = None
    answers: tuple[str, ...] = ()


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
        Names in the ``outcomes`` table that count (``within_days``, ``status``).
    kind : {"within_days", "status", "measured", "missed_visit", "birth_before"}
        A recorded event within the horizon; a recorded yes or no; a measurement beyond a
        threshold; a planned visit at which nobody was met; a birth before so many weeks.
    intended_use, not_for : str
        For the model card.
    horizon_days : int or None
        Days after the index day in which the outcome counts. For ``measured``, 0 is the
        latest value on the index day itself. For ``missed_visit`` it is counted from the
        planned day, for ``birth_before`` the weeks of pregnancy decide.
    min_age_years, max_age_years : float or None
        Whom it is about, inclusive; nobody else is labelled or scored.
    exclude_condition_groups : tuple of str
        Condition groups that give the answer away: ``has_<group>`` and the medicines for
        it are no inputs.
    exclude_features, include_features : tuple of str
        Names of features or of feature groups (such as ``laboratory``) that are no inputs;
        names of features that are inputs although they are kept from models in general.
    known_caveats : tuple of str
        What a reader of the model card must know.
    who : str
        The population in words.
    sex : {"female", "male"} or None
        Only them.
    pregnant : {"any", "only", "none"}
        Whether women on record as pregnant are in it.
    with_condition_groups, without_condition_groups : tuple of str
        Only people with all of, or none of, these conditions on record.
    exclude_prevalent : bool
        Leave out who already had the recorded outcome by the index day.
    index_rule : {"index_days", "each_visit", "each_pregnancy"}
        One row a person and index day; one a planned visit, as of the last decision day
        before it; one a pregnancy, as of the first decision day on which it is known.
    index_every_days : int
        Days between decision days, for the last two.
    knowledge_delay_days : int
        How long after the horizon something may still become known. A label is made of what
        was known on that day and of nothing later, and there is none before that day.
    thresholds : tuple of Threshold
        For ``measured``: reaching any of them counts.
    visit_kinds, missed_as : tuple of str
        For ``missed_visit``: kinds of visits, and the results of one that count as missed.
    birth_before_weeks : int or None
        For ``birth_before``: completed weeks from which a birth is not early.
    competing : mapping of str to {"excluded", "negative", "positive"}
        What may come in between, and how it counts.
    method : {"trained", "formula"}
        Whether a model is trained, or a published score is used.
    score : str
        The published score's name, for ``formula``.
    trusted_features : tuple of str
        Inputs known beforehand although one of them nearly decides the outcome: the guard
        against planted answers passes them.
    """

    name: str
    label: str
    recorded: tuple[str, ...] = ()
    kind: Kind = "status"
    intended_use: str = ""
    not_for: str = ""
    horizon_days: int | None = None
    min_age_years: float | None = None
    max_age_years: float | None = None
    exclude_condition_groups: tuple[str, ...] = ()
    exclude_features: tuple[str, ...] = ()
    known_caveats: tuple[str, ...] = ()
    who: str = ""
    sex: Literal["female", "male"] | None = None
    pregnant: Literal["any", "only", "none"] = "any"
    with_condition_groups: tuple[str, ...] = ()
    without_condition_groups: tuple[str, ...] = ()
    exclude_prevalent: bool = False
    index_rule: IndexRule = "index_days"
    index_every_days: int = 28
    knowledge_delay_days: int = 0
    thresholds: tuple[Threshold, ...] = ()
    visit_kinds: tuple[str, ...] = ("home",)
    missed_as: tuple[str, ...] = ("away", "refused")
    birth_before_weeks: int | None = None
    competing: Mapping[str, Counts] = field(default_factory=dict)
    method: Literal["trained", "formula"] = "trained"
    score: str = ""
    include_features: tuple[str, ...] = ()
    trusted_features: tuple[str, ...] = ()

    @property
    def looks_ahead(self) -> bool:
        """Whether anything after the index day counts; a status or a value of the day does not."""
        return self.kind != "status" and not (self.kind == "measured" and not self.horizon_days)

    @property
    def settle_days(self) -> int:
        """Days from the index day until its labels are settled, at most."""
        if not self.looks_ahead:
            return 0
        days = self.horizon_days or 0
        if self.kind == "missed_visit":
            days += self.index_every_days
        if self.kind == "birth_before":
            days = 7 * (self.birth_before_weeks or 0)
        return days + self.knowledge_delay_days

    def counts_as(self, event: str) -> Counts:
        """How a competing event counts."""
        return self.competing.get(event, DEFAULT_COMPETING[event])


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
        If a definition is incomplete, contradicts itself or holds an unknown key; all faults
        at once, each with what to write instead.

    Examples
    --------
    >>> load_outcomes()["hospital_admission_180d"].horizon_days
    180
    """
    shipped = files("chw_tools.programme").joinpath("defaults/outcomes.toml")
    entries = tomllib.loads(shipped.read_text(encoding="utf-8"))
    if folder is not None and (folder / "outcomes.toml").is_file():
        entries |= _parse(folder / "outcomes.toml")
    check_outcomes(entries)
    return {name: _read(name, entry) for name, entry in entries.items()}


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProgrammeFault(
            "is not a TOML file in UTF-8", where=path.name, cure="Mend its syntax."
        ) from error


def _read(name: str, entry: Mapping[str, Any]) -> OutcomeDefinition:
    values = _frozen(entry)
    if "thresholds" in values:
        values["thresholds"] = tuple(Threshold(**_frozen(one)) for one in values["thresholds"])
    return OutcomeDefinition(name=name, **values)


def _frozen(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
