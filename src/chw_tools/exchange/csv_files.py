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
        if not first:
            yield pd.DataFrame(columns=header, dtype="str")
            return
        rest = _Joined(first, stream)
        yield from _pieces(rest, file.name, header, delimiter, encoding, missing, on_bad_line)


class _Joined(io.RawIOBase):
    """What was read to see whether there is anything, followed by the rest."""

    def __init__(self, first: bytes, stream: BinaryIO) -> None:
        self._first, self._stream = first, stream
        self.n_quotes = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data, self._first = self._first, b""
        data = data or self._stream.read(size)
        self.n_quotes += data.count(b'"')
        return data


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
    if "\0" in text:
        raise _not_text(name, encoding)
    if "\r" in text:
        raise FileFault(
            "Its lines end in carriage returns alone.", where=name,
            cure="Save it with the line ends of Windows or Unix.",
        )  # fmt: skip
    if not text.strip():
        raise FileFault("It is empty.", where=name, cure="Export it again, or take it out.")
    delimiter = max(DELIMITERS, key=text.count)
    header = [field.strip() for field in next(csv.reader([text], delimiter=delimiter))]
    twice = [place for place, field in enumerate(header, 1) if header.count(field) > 1]
    if twice:
        # By place: a file without a header would show a person's values here.
        raise FileFault(
            f"Its header names a column twice (fields {', '.join(map(str, twice))}).",
            where=f"{name}:1", cure="Give each column a name of its own.",
        )  # fmt: skip
    return header, delimiter


def _not_text(name: str, encoding: str) -> FileFault:
    return FileFault(
        f"It is not {encoding} text.",
        where=name,
        cure="Save it as UTF-8, or state `encoding` in the mapping (for example cp1252).",
    )


def _pieces(
    stream: _Joined,
    name: str,
    header: list[str],
    delimiter: str,
    encoding: str,
    missing: Sequence[str],
    on_bad_line: Callable[[str, str, str], None],
) -> Iterator[pd.DataFrame]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    lines = _Lines()

    def refuse(row: Any) -> str:
        reason = f"it has {row.actual_columns} fields, the header {row.expected_columns}"
        if "\n" in row.text:
            reason += ", and runs over several lines: a quotation mark may be unclosed"
        lines.refused.append((row.number, reason, row.text))
        return "skip"

    def say(bad: list[tuple[int, str, str]]) -> None:
        for line, reason, text in bad:
            if text.strip():
                on_bad_line(f"{name}:{line}", reason, text)

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
        for batch in reader:
            if batch.num_rows:
                frame = batch.to_pandas()
                frame.index, bad = lines.of(batch)
                say(bad)
                yield _without_blank(frame)
        say(lines.rest())
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise _not_text(name, encoding) from error
        raise FileFault(
            "It cannot be read as CSV.", where=name,
            cure="Check for an unclosed quotation mark, and export it again.",
        ) from error  # fmt: skip
    except UnicodeDecodeError as error:
        raise _not_text(name, encoding) from error
    if stream.n_quotes % 2 and lines.last_spans:
        # All that follows the mark became one value: nobody knows how many records.
        raise FileFault(
            "A quotation mark is opened and not closed before the end.",
            where=f"{name}:{lines.last}", cure="Close it, or export the file again.",
        )  # fmt: skip


def _without_blank(frame: pd.DataFrame) -> pd.DataFrame:
    # An empty line comes as a row that holds nothing at all; most files have none.
    if not frame.iloc[:, 0].isna().any():
        return frame
    return frame[frame.notna().any(axis=1)]


class _Lines:
    """Line numbers of rows and of refused lines, told from their order.

    ``refused`` holds the physical row number (from 1, the header not counted), reason and
    text of each; a row of several lines, kept or refused, moves all that follow.
    """

    def __init__(self) -> None:
        self.refused: list[tuple[int, str, str]] = []
        self.last = 1
        self.last_spans = False
        self._next = 1
        self._extra = 1  # the header, and line breaks within fields

    def of(self, batch: Any) -> tuple[pd.Index, list[tuple[int, str, str]]]:
        """The line of each row of the next batch, and the lines refused before its last."""
        bad = sorted(self.refused)
        n = batch.num_rows
        rows = np.arange(self._next, self._next + n + len(bad))
        rows = rows[~np.isin(rows, [number for number, _, _ in bad])][:n]
        end = int(rows[-1]) + 1
        self.refused = [one for one in bad if one[0] >= end]
        bad = [one for one in bad if one[0] < end]
        breaks = np.zeros(end - self._next, dtype=np.int64)
        breaks[rows - self._next] = _breaks(batch)
        for number, _, text in bad:
            breaks[number - self._next] = text.count("\n")
        before = np.arange(self._next, end) + self._extra + np.cumsum(breaks) - breaks
        listed = [(int(before[number - self._next]), why, text) for number, why, text in bad]
        lines = before[rows - self._next]
        self.last, self.last_spans = int(before[-1]), bool(breaks[-1])
        self._next, self._extra = end, self._extra + int(breaks.sum())
        return pd.Index(lines), listed

    def rest(self) -> list[tuple[int, str, str]]:
        """The lines refused after the last row."""
        listed = []
        for number, reason, text in sorted(self.refused):
            self.last, self.last_spans = number + self._extra, "\n" in text
            listed.append((self.last, reason, text))
            self._extra += text.count("\n")
        return listed


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
