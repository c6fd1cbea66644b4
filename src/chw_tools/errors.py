"""Every deliberate error, as one tree.

::

    ChwError
    ├── InputError            what came in cannot be used
    │   ├── FileFault         one file: unreadable, truncated, wrong encoding
    │   ├── ArchiveRefused    a bomb, or a path that climbs out
    │   ├── MappingFault      the mapping names what is not there
    │   ├── NothingToRead     an empty folder or an empty file
    │   └── TableFault        a table that breaks its declaration
    ├── ProgrammeFault        a programme file a clinician must mend
    ├── SettingsFault         a setting of this machine
    ├── StoreError            what is kept
    │   ├── StoreUnavailable  cannot be opened, or is of another version
    │   ├── NotFound          no such person, visit, plan (or not yours to see)
    │   ├── Conflict          the change contradicts what is stored
    │   └── PopulationMixed   simulated and real people would meet
    ├── ModelError            models
    │   ├── ModelNotFound     none of that outcome and version
    │   │   └── RulesAlone    it was decided to go without a model
    │   ├── ModelRefused      changed, of unknown type, or for another population
    │   ├── LeakFound         what judges a model was learnt from
    │   ├── NotTrainable      a published formula foresees it
    │   ├── NotEnoughData     too few people or events to train honestly
    │   └── TrackingFailed    a training run could not be written to MLflow
    ├── PlanningError         plans
    │   └── SolverFailed      a solver crashed or did not end
    └── MissingExtra          an optional library that was asked for is not installed

An error says what is wrong, where, and the cure. It holds names of files, lines,
tables, columns and rules, never a person's values. How it ends a command or an HTTP
answer is the entrance's business.
"""

from __future__ import annotations


class ChwError(Exception):
    """Something a user or the data can put right.

    Parameters
    ----------
    what : str
        What is wrong, in one sentence.
    where : str, optional
        File and line, table and column, or setting.
    cure : str, optional
        What to do about it.
    """

    def __init__(self, what: str, *, where: str = "", cure: str = "") -> None:
        self.what = what
        self.where = where
        self.cure = cure
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        place = f"{self.where}: " if self.where else ""
        if not self.cure:
            return f"{place}{self.what}"
        stop = "" if self.what.endswith((".", "!", "?", ":")) else "."
        return f"{place}{self.what}{stop} {self.cure}"


class InputError(ChwError):
    """What came in cannot be used."""


class FileFault(InputError):
    """One file is unreadable, truncated or in another encoding; the others still go in."""


class ArchiveRefused(InputError):
    """An archive would grow without bound or write outside its folder."""


class MappingFault(InputError):
    """A mapping file names a table, column or code that is not there."""


class NothingToRead(InputError):
    """A folder or file holds nothing that can be read."""


class TableFault(InputError):
    """A table breaks its declaration (see ``docs/data_dictionary.md``)."""


class ProgrammeFault(ChwError):
    """A programme file is incomplete or contradicts itself."""


class SettingsFault(ChwError):
    """A setting of this machine is missing or unusable."""


class StoreError(ChwError):
    """What is kept cannot be read or changed as asked."""


class StoreUnavailable(StoreError):
    """The store cannot be opened, or has another schema version."""


class NotFound(StoreError):
    """No such person, visit or plan, or not yours to see (the two look alike on purpose)."""


class Conflict(StoreError):
    """The change contradicts what is stored."""


class PopulationMixed(StoreError):
    """Simulated and real people would meet in one store or one model."""


class ModelError(ChwError):
    """A model cannot be trained, kept or used."""


class ModelNotFound(ModelError):
    """No model of that outcome and version is registered."""


class RulesAlone(ModelNotFound):
    """It was decided to go without a model: guideline rules and published scores are in use."""


class ModelRefused(ModelError):
    """A model file was changed, holds unknown types, or was trained on another population."""


class LeakFound(ModelError):
    """What judges a model, or was known only later, would be learnt from."""


class NotTrainable(ModelError):
    """The outcome is foreseen by a published formula, not by training."""


class NotEnoughData(ModelError):
    """Too few people or events to train or judge a model honestly."""


class TrackingFailed(ModelError):
    """A training run could not be written to MLflow; the model is kept, and can be mirrored."""


class PlanningError(ChwError):
    """A plan cannot be made."""


class SolverFailed(PlanningError):
    """A solver crashed or did not end; the caller falls back on a plainer method."""


class MissingExtra(ChwError):
    """An optional library was asked for and is not installed; the cure names its extra."""

    @classmethod
    def of(cls, library: str, *, extra: str) -> MissingExtra:
        """The error for a library that comes with an extra.

        >>> print(MissingExtra.of("MAPIE", extra="conformal"))
        MAPIE is not installed. Install it: pip install "chw-tools[conformal]"
        """
        return cls(
            f"{library} is not installed.", cure=f'Install it: pip install "chw-tools[{extra}]"'
        )
