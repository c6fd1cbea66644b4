"""Does a table hold what its declaration says? Checked by pandera, worded by us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.errors import TableFault

if TYPE_CHECKING:
    from chw_tools.records.columns import Column, Table


def find_problems(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Every breach of the declaration, one row each.

    Parameters
    ----------
    table : Table
        The declaration.
    frame : DataFrame
        In declared columns and dtypes (see :func:`chw_tools.records.register.conform`).

    Returns
    -------
    DataFrame
        ``row`` (index label), ``column``, ``reason``; empty where the table is sound. The
        reason names no value.
    """
    from pandera.errors import SchemaErrors

    try:
        _schema(table).validate(frame, lazy=True)
    except SchemaErrors as errors:
        return _worded(table, errors.failure_cases)
    return pd.DataFrame({"row": [], "column": [], "reason": []})


def check_table(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame itself, if it is as declared.

    Raises
    ------
    TableFault
        With the first few breaches, by column and reason.
    """
    problems = find_problems(table, frame)
    if len(problems):
        counts = problems.groupby(["column", "reason"], sort=False).size().head(5)
        said = "; ".join(f"{column}: {reason} ({n})" for (column, reason), n in counts.items())
        raise TableFault(said, where=table.name, cure="See docs/data_dictionary.md.")
    return frame


def reason_for(column: Column) -> str:
    """What a value of the column must be, in words."""
    if column.allowed:
        return f"must be one of {', '.join(column.allowed)}"
    if column.low is not None and column.high is not None:
        return f"must lie between {column.low:g} and {column.high:g}{_unit(column)}"
    if column.low is not None:
        return f"must be at least {column.low:g}{_unit(column)}"
    return "must be given" if column.required else "cannot be read"


def _unit(column: Column) -> str:
    return f" {column.unit}" if column.unit else ""


def _schema(table: Table) -> Any:
    import pandera.pandas as pa

    columns = {}
    for column in table.columns:
        checks = []
        if column.allowed:
            checks.append(pa.Check.isin(column.allowed))
        if column.low is not None:
            checks.append(pa.Check.ge(column.low))
        if column.high is not None:
            checks.append(pa.Check.le(column.high))
        columns[column.name] = pa.Column(
            column.dtype,
            checks,
            nullable=not column.required,
            unique=column.name == table.key == "id",
            title=column.meaning,
        )
    return pa.DataFrameSchema(columns, strict=True, name=table.name)


def _worded(table: Table, failures: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for failure in failures.itertuples():
        name = failure.column if failure.schema_context == "Column" else failure.failure_case
        rows.append((failure.index, str(name), _reason(table, str(name), str(failure.check))))
    return pd.DataFrame(rows, columns=["row", "column", "reason"])


def _reason(table: Table, name: str, check: str) -> str:
    if name not in table.column_names:
        return "is not declared"
    if check.startswith("not_nullable"):
        return "must be given"
    if check == "field_uniqueness":
        return "appears twice"
    if check == "column_in_dataframe":
        return "column is missing"
    if check.startswith("dtype"):
        return f"must have dtype {table.column(name).dtype}"
    return reason_for(table.column(name))
