"""What a feature is, and the table of them: :class:`Feature` and :class:`Features`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

FeatureKind = Literal["number", "choice", "flag", "id"]
FeatureGroup = Literal[
    "demography",
    "lifestyle",
    "vitals",
    "growth",
    "laboratory",
    "conditions",
    "pregnancy",
    "history",
    "household",
    "area",
    "danger_sign",
    "symptom",
]

#: A feature with its values, one per person in the order of the table.
Built: TypeAlias = "tuple[Feature, Any]"


@dataclass(frozen=True)
class Feature:
    """One declared column of the feature table.

    Parameters
    ----------
    name : str
        Column name.
    label : str
        In the field's words, as a worker would read it in a reason.
    kind : {"number", "choice", "flag", "id"}
        dtype float64, category (of ``allowed``), boolean, or str. An ``id`` refers to a
        household, area or worker and is never given to a model.
    unit : str
        Unit, for reading.
    allowed : tuple of str
        The levels of a choice, in their order.
    group : str
        What it is about; outcomes leave out whole groups by it.
    for_models : bool
        Whether a model may use it. Danger signs are not for models: they outrank them.
        Symptoms are asked of the sick only, so that having been asked would tell too much.
    """

    name: str
    label: str
    kind: FeatureKind
    unit: str = ""
    allowed: tuple[str, ...] = ()
    group: FeatureGroup = "demography"
    for_models: bool = True

    def as_dict(self) -> dict[str, object]:
        """The declaration as plain values, for a model file."""
        return {
            "name": self.name,
            "label": self.label,
            "kind": self.kind,
            "unit": self.unit,
            "allowed": list(self.allowed),
            "group": self.group,
        }


@dataclass(frozen=True)
class Features:
    """One row per person as known on a day; missing means not known.

    Parameters
    ----------
    frame : DataFrame
        Indexed by ``person_id``, sorted; one column per declared feature.
    declaration : tuple of Feature
        The columns, in order.
    as_of : Timestamp
        The day whose knowledge it rests on.
    """

    frame: pd.DataFrame
    declaration: tuple[Feature, ...]
    as_of: pd.Timestamp

    def declared(self) -> dict[str, Feature]:
        """The declaration by name."""
        return {feature.name: feature for feature in self.declaration}

    def only(self, names: Collection[str]) -> Features:
        """The same people, with the named features only, in declared order."""
        wanted = set(names)
        kept = tuple(f for f in self.declaration if f.name in wanted)
        return Features(self.frame[[f.name for f in kept]], kept, self.as_of)

    def of_people(self, person_ids: Sequence[str]) -> Features:
        """The same features of some people."""
        return Features(self.frame.loc[list(person_ids)], self.declaration, self.as_of)


def assemble(built: Iterable[Built], people: pd.Index, as_of: pd.Timestamp) -> Features:
    """The feature table out of its columns, each in the dtype of its kind."""
    pairs = list(built)
    columns = {feature.name: typed(feature, values) for feature, values in pairs}
    frame = pd.DataFrame(columns, index=people, copy=False)
    return Features(frame, tuple(feature for feature, _ in pairs), as_of)


def typed(feature: Feature, values: Any) -> Any:
    """The values as an array of the feature's kind.

    For a choice, ``values`` are positions in ``allowed`` with -1 for not known.
    """
    if feature.kind == "number":
        return np.asarray(values, dtype="float64")
    if feature.kind == "choice":
        codes = np.asarray(values, dtype="int64")
        return pd.Categorical.from_codes(codes, dtype=_levels(feature.allowed))
    return pd.array(values, dtype="boolean" if feature.kind == "flag" else "str")


@cache
def _levels(allowed: tuple[str, ...]) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(pd.Index(allowed, dtype="str"))
