"""A plain table of numbers with a target column, as the brief's two scripts have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.errors import TableFault
from chw_tools.feature_engineering import Feature, Features
from chw_tools.model_training.cohorts import Cohorts
from chw_tools.model_training.run import run_training
from chw_tools.programme.outcomes import OutcomeDefinition

if TYPE_CHECKING:
    from chw_tools.model_training.recipes import Recipe
    from chw_tools.model_training.run import TrainingRun
    from chw_tools.model_training.tuning import Search


def train_table(
    frame: pd.DataFrame,
    *,
    target: str,
    name: str,
    recipe: str | Recipe,
    seed: int,
    population: str = "simulated",
    search: Search | None = None,
) -> TrainingRun:
    """Train on a plain table, one row a person, and judge by a quarter held out.

    Parameters
    ----------
    frame : DataFrame
        Columns of numbers or words, and the target; gaps are allowed but in the target.
    target : str
        Column of 0 and 1.
    name : str
        Name of the outcome, by which the model is kept.
    recipe, seed, search
        As in :func:`chw_tools.model_training.train.train`.
    population : {"simulated", "real"}
        Whom the rows are about.

    Raises
    ------
    TableFault
        If there is no such column, or it holds anything but 0 and 1.
    """
    if target not in frame:
        raise TableFault("there is no such column", where=target, cure="Name the target column.")
    labels = frame[target]
    if not labels.isin([0, 1]).all():
        raise TableFault("must hold 0 and 1 only", where=target, cure="Mend the target column.")
    inputs = frame.drop(columns=target)
    rows = pd.Index([f"row-{i}" for i in range(len(frame))], name="person_id")
    inputs.index = rows
    declaration = tuple(_declare(inputs[column]) for column in inputs)
    no_day = pd.Timestamp(0, unit="s")
    cohorts = Cohorts(
        outcome=name,
        features=Features(inputs, declaration, no_day),
        labels=pd.Series(labels.to_numpy(dtype=float) == 1, rows, dtype="boolean"),
        as_of=pd.Series(np.repeat(no_day, len(rows)), rows, dtype="datetime64[s]"),
        households=pd.Series(rows, rows, dtype="str"),
        judged_by=inputs[inputs.columns.intersection(["sex", "age_years", "wealth_fifth"])],
        horizon_days=0,
    )
    definition = OutcomeDefinition(
        name=name,
        label=name.replace("_", " ").capitalize(),
        recorded=(target,),
        kind="status",
        intended_use="Trying out the tools.",
        not_for="Use among people.",
    )
    return run_training(
        cohorts,
        definition=definition,
        recipe=recipe,
        seed=seed,
        population=population,
        search=search,
    )


def _declare(column: pd.Series) -> Feature:
    name = str(column.name)
    label = name.replace("_", " ").capitalize()
    if pd.api.types.is_numeric_dtype(column):
        return Feature(name, label, "number")
    levels = tuple(sorted(str(level) for level in column.dropna().unique()))
    return Feature(name, label, "choice", allowed=levels)
