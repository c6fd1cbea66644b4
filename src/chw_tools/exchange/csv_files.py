"""CSV and Parquet files as DataFrames of strings or native values, with each row's place.

A line with too many or too few fields goes to quarantine with its number; a file that is
not text of the stated encoding, or is cut off, is a fault of that file.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pandas as pd

from chw_tools.errors import FileFault
from chw_tools.exchange.rows import BATCH_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chw_tools.exchange.archives import SourceFile

#: Bytes of CSV turned into a DataFrame at a time.
BLOCK_BYTES = 4 * 2**20
DELIMITERS = ",;\t|"


def read_csv(
    file: SourceFile,
    on_bad_line: Callable[[str, str, str], None],
    *,
    encoding: str = "utf-8",
    missing: Sequence[str] = ("",),
) -> Iterator[pd.DataFrame]:
    """The rows of a CSV file as strings, in pieces; the index holds line numbers.

    Parameters
    ----------
    file : SourceFile
        Plain or ``.gz``; comma, semicolon, tab or bar between fields, told from the header.
    on_bad_line : callable
        Called with place, reason and text of each line that has other fields than the header.
    encoding : str
        Encoding of the text.
    missing : sequence of str
        Fields that mean that nothing is known.

    Raises
    ------
    FileFault
        If the file is empty, cut off, or not text of that encoding.
    """
    with file.open() as stream:
        header, delimiter = _header(stream, file.name, encoding)
        first = stream.readline()
        if not first.strip():
            first += stream.read(1)
        if not first.strip():
            return
        rest = _Joined(first, stream)
        yield from _pieces(rest, file.name, header, delimiter, encoding, missing, on_bad_line)


class _Joined(io.RawIOBase):
    """What was read to see whether there is anything, followed by the rest."""

    def __init__(self, first: bytes, stream: BinaryIO) -> None:
        self._first, self._stream = first, stream

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        return self._stream.read(size)


def csv_columns(file: SourceFile, encoding: str = "utf-8") -> list[str]:
    """The names in the header of a CSV file.

    Raises
    ------
    FileFault
        If it has none.
    """
    with file.open() as stream:
        return _header(stream, file.name, encoding)[0]


def _header(stream: BinaryIO, name: str, encoding: str) -> tuple[list[str], str]:
    line = stream.readline()
    if line.startswith((b"\xff\xfe", b"\xfe\xff")) and not encoding.lower().startswith("utf-16"):
        raise _not_text(name, "utf-8")
    try:
        text = line.decode(encoding).lstrip("\ufeff").strip("\r\n")
    except (UnicodeDecodeError, LookupError) as error:
        raise _not_text(name, encoding) from error
    if not text.strip():
        raise FileFault("It is empty.", where=name, cure="Export it again, or take it out.")
    delimiter = max(DELIMITERS, key=text.count)
    header = [field.strip() for field in next(csv.reader([text], delimiter=delimiter))]
    twice = sorted({field for field in header if header.count(field) > 1})
    if twice:
        raise FileFault(
            f"Its header names a column twice: {', '.join(twice)}.", where=f"{name}:1",
            cure="Give each column a name of its own.",
        )  # fmt: skip
    return header, delimiter


def _not_text(name: str, encoding: str) -> FileFault:
    return FileFault(
        f"It is not {encoding} text.",
        where=name,
        cure="Save it as UTF-8, or state `encoding` in the mapping (for example cp1252).",
    )


def _pieces(
    stream: Any,
    name: str,
    header: list[str],
    delimiter: str,
    encoding: str,
    missing: Sequence[str],
    on_bad_line: Callable[[str, str, str], None],
) -> Iterator[pd.DataFrame]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    bad: list[int] = []

    def refuse(row: Any) -> str:
        bad.append(row.number)
        if row.text.strip():
            reason = f"it has {row.actual_columns} fields, the header {row.expected_columns}"
            on_bad_line(f"{name}:{row.number + 1}", reason, row.text)
        return "skip"

    try:
        reader = arrow_csv.open_csv(
            stream,
            read_options=arrow_csv.ReadOptions(
                column_names=header, block_size=BLOCK_BYTES, use_threads=False, encoding=encoding
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=len(header) == 1,
                invalid_row_handler=refuse,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()),
                null_values=list(missing),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
        lines = _Lines(bad)
        for batch in reader:
            if batch.num_rows:
                frame = batch.to_pandas()
                frame.index = lines.of(batch)
                yield _without_blank(frame)
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise _not_text(name, encoding) from error
        raise FileFault(
            "It cannot be read as CSV.", where=name,
            cure="Check for an unclosed quotation mark, and export it again.",
        ) from error  # fmt: skip
    except UnicodeDecodeError as error:
        raise _not_text(name, encoding) from error


def _without_blank(frame: pd.DataFrame) -> pd.DataFrame:
    # An empty line comes as a row that holds nothing at all; most files have none.
    if not frame.iloc[:, 0].isna().any():
        return frame
    return frame[frame.notna().any(axis=1)]


class _Lines:
    """Line numbers of the rows that are left when bad lines are skipped."""

    def __init__(self, bad: list[int]) -> None:
        self._bad = bad
        self._next = 1  # physical row number, the header not counted
        self._extra = 1  # the header, and line breaks within fields

    def of(self, batch: Any) -> pd.Index:
        """The line of each row of the next batch."""
        bad = sorted(number for number in self._bad if number >= self._next)
        n = batch.num_rows
        rows = np.arange(self._next, self._next + n + len(bad))
        rows = rows[~np.isin(rows, bad)][:n]
        self._next = int(rows[-1]) + 1
        breaks = _breaks(batch)
        lines = rows + self._extra + np.concatenate(([0], np.cumsum(breaks)[:-1]))
        self._extra += int(breaks.sum())
        return pd.Index(lines)


def _breaks(batch: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    import pyarrow.compute as pc

    breaks = np.zeros(batch.num_rows, dtype=np.int64)
    for column in batch.columns:
        counts = pc.count_substring(column, "\n")
        breaks += pc.fill_null(counts, 0).to_numpy(zero_copy_only=False)
    return breaks


def read_parquet(file: SourceFile) -> Iterator[pd.DataFrame]:
    """The rows of a Parquet file in pieces; the index holds row numbers from 1.

    Raises
    ------
    FileFault
        If it is not Parquet, or is cut off.
    """
    import pyarrow as pa
    from pyarrow import parquet

    with file.open() as stream:
        seekable = stream if stream.seekable() else io.BytesIO(stream.read())
        try:
            done = 0
            for batch in parquet.ParquetFile(seekable).iter_batches(BATCH_ROWS):
                frame = batch.to_pandas(date_as_object=False)
                frame.index = pd.RangeIndex(done + 1, done + len(frame) + 1)
                done += len(frame)
                yield frame
        except pa.ArrowException as error:
            raise FileFault(
                "It is not a whole Parquet file.", where=file.name, cure="Export it again."
            ) from error
