"""From a path to batches of raw rows: which files there are, what each is, in what order.

An :class:`Intake` looks at a path before anything is read in earnest: whether it may be
opened at all, whose records they are, and whether they are of living people. Its parts are
then read one by one; a part is one file, or many small bundles together, and what a bad
file gave is taken back before it is handed on.

Examples
--------
>>> table_of("observations/part-0001.parquet"), table_of("people.csv"), table_of("notes.csv")
('observations', 'people', '')
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from chw_tools.errors import FileFault, MappingFault, NothingToRead, PopulationMixed
from chw_tools.exchange import fhir
from chw_tools.exchange.archives import SourceFile, is_archive, list_files, stem
from chw_tools.exchange.csv_files import read_csv, read_parquet
from chw_tools.exchange.fhir_files import Bundles, read_lines
from chw_tools.exchange.mapped import mapped_rows, source_columns
from chw_tools.exchange.mapping import check_columns
from chw_tools.exchange.parts import Part, Piece
from chw_tools.exchange.rows import BATCH_ROWS, Gathered, RawBatch
from chw_tools.records import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chw_tools.exchange.mapping import Mapping

Population = Literal["simulated", "real"]

#: File in a folder that says whose records they are: ``source`` and ``population``.
SOURCE_FILE = "chw-source.toml"
#: Folder of a simulated programme that holds what no programme can know; never read.
TRUTH_FOLDER = "truth"
#: Marks of simulated people, looked for at the beginning of the first files.
SIMULATED_MARKS = (b"github.com/synthetichealth/synthea", b'"HTEST"')
PEEK_FILES, PEEK_BYTES = 4, 1 << 18

TABULAR = (".csv", ".tsv", ".parquet")
LINES = (".ndjson", ".jsonl")


@dataclass(frozen=True)
class Intake:
    """What lies at a path, ready to be read.

    Parameters
    ----------
    path : Path
        File, folder or archive.
    source : str
        Name of the system that the records come from.
    population : str
        ``real`` or ``simulated``.
    mapping : Mapping or None
        How the files' columns become declared ones.
    """

    path: Path
    source: str
    population: Population
    mapping: Mapping | None = None

    def n_files(self) -> int | None:
        """Number of files, where it is known before reading."""
        if is_archive(self.path):
            return None
        return sum(1 for _ in list_files(self.path))

    def parts(self, *, keep_unmodelled: bool = False) -> Iterator[Part]:
        """Each part in an order in which what is referred to mostly comes first.

        Raises
        ------
        ArchiveRefused
            If an archive holds a bomb, a link or a path that climbs out.
        NothingToRead
            If nothing at the path is of a kind that can be read.
        PopulationMixed
            If simulated people stand among records given as real.
        """
        gathered = Gathered()
        context = fhir.Context(
            gathered, population=self.population, keep_unmodelled=keep_unmodelled
        )
        bundles = Bundles(context)
        found = 0
        for file in self._files():
            kind = self._kind(file)
            if kind == "bundle":
                bundles.read(file)
            elif kind == "lines":
                yield Part((file.name,), read_lines(file, context))
            elif kind == "table":
                yield _tabular(file)
            elif kind == "mapped":
                assert self.mapping is not None  # noqa: S101 - what makes it of this kind
                yield self._mapped(file, self.mapping)
            elif kind == "source":
                self._check_source(file)
            elif kind == "unknown":
                yield Part((), (), (_unknown(file, self.mapping),))
            elif kind == "other":
                yield Part((), (), notes=(f"{file.name}: not a file of records; not read.",))
            found += kind in ("bundle", "lines", "table", "mapped")
            if bundles.is_full():
                yield bundles.take()
        if bundles.has_any():
            yield bundles.take()
        if not found:
            raise NothingToRead(
                "There is nothing here that can be read.",
                where=str(self.path),
                cure="Give CSV or Parquet files named after the declared tables, FHIR bundles or "
                "NDJSON; or write a mapping, which chw ingest FILE --suggest-mapping begins.",
            )

    def _files(self) -> Iterator[SourceFile]:
        files = list_files(self.path)
        if is_archive(self.path) and not self.path.name.lower().endswith(".zip"):
            return files  # a tar archive is read once, in its own order
        return iter(sorted(files, key=lambda file: (_rank(file), file.name)))

    def _kind(self, file: SourceFile) -> str:
        name = PurePosixPath(file.name).name
        if name == SOURCE_FILE:
            return "source"
        if _is_ignored(file):
            return "ignored"
        if self.mapping is not None and self.mapping.for_file(file.name):
            return "mapped"
        if file.ending in TABULAR:
            return "table" if self.mapping is None and table_of(file.name) else "unknown"
        if file.ending in LINES:
            return "other" if name.startswith("log.") else "lines"
        return "bundle" if file.ending == ".json" else "other"

    def _check_source(self, file: SourceFile) -> None:
        said = _read_source(file.read(), file.name)
        if said.get("population", self.population) != self.population:
            raise PopulationMixed(
                f"It says that its people are {said['population']}, not {self.population}.",
                where=file.name,
                cure=f"Import them with --population {said['population']}, into their own store.",
            )

    def _mapped(self, file: SourceFile, mapping: Mapping) -> Part:
        return Part((file.name,), _mapped_pieces(file, mapping))


def open_intake(
    path: Path,
    *,
    mapping: Mapping | None = None,
    source: str | None = None,
    population: Population | None = None,
) -> Intake:
    """Look at a path: whose records lie there, and whether of living people.

    Parameters
    ----------
    path : Path
        File, folder, tar or zip archive.
    mapping : Mapping, optional
        For files that are not named after declared tables.
    source, population : str, optional
        As given by the user; else from the mapping, from ``chw-source.toml`` in the folder, from
        the marks that simulated FHIR records bear; else the name of the folder or archive, and
        ``real``.

    Raises
    ------
    NothingToRead
        If there is no such path, or the folder is empty.
    ArchiveRefused, FileFault
        If the archive must not or cannot be opened.
    MappingFault
        If the name of the source is none, or its file cannot be read.
    """
    _refuse_truth(path)
    said: dict[str, Any] = {}
    if path.is_dir() and (path / SOURCE_FILE).is_file():
        said = _read_source((path / SOURCE_FILE).read_bytes(), SOURCE_FILE)
    if mapping is not None:
        said = {"source": mapping.source, "population": mapping.population} | said
        _check_mapping(path, mapping)
    whole = path if path.is_dir() or is_archive(path) else path.resolve().parent
    marked: Population = "simulated" if _is_marked(path) else "real"
    named = said.get("source") if source is None else source
    return Intake(
        path=path,
        source=stem(whole.resolve()) if named is None else _checked_name(named),
        population=population or said.get("population") or marked,
        mapping=mapping,
    )


def _checked_name(source: object) -> str:
    """The name of a source, which is shown in messages and is part of every key."""
    if isinstance(source, str) and source.strip() and source.isprintable():
        return source
    raise MappingFault(
        "The name of a source must be text of printable characters.", where="source",
        cure=f"Mend `source` in {SOURCE_FILE} or in the mapping, or give another with --source.",
    )  # fmt: skip


def _refuse_truth(path: Path) -> None:
    whole = path.resolve()
    if TRUTH_FOLDER in (whole.name if path.is_dir() else "", whole.parent.name):
        raise NothingToRead(
            "It holds the truth of a simulation, which no programme can know.", where=str(path),
            cure="Give the folder above it.",
        )  # fmt: skip


def _is_ignored(file: SourceFile) -> bool:
    path = PurePosixPath(file.name)
    return path.name.startswith((".", "_")) or TRUTH_FOLDER in path.parts[:-1]


def table_of(name: str) -> str:
    """The declared table that a file's name or folder names, or nothing."""
    path = PurePosixPath(name)
    own = path.name.split(".")[0].lower()
    for table in TABLES:
        if re.fullmatch(rf"{table}([-_]?(part|chunk)?[-_]?\d+)?", own):
            return table
    return path.parent.name if path.parent.name in TABLES else ""


def _read_source(text: bytes, where: str) -> dict[str, Any]:
    try:
        said = tomllib.loads(text.decode("utf-8"))
    except ValueError as error:
        raise MappingFault(
            "It is not TOML.", where=where, cure="Mend it or take it out."
        ) from error
    if said.get("population", "real") not in get_args(Population):
        raise MappingFault(
            "Its population is neither real nor simulated.", where=where, cure="Say which it is."
        )
    return said


def _is_marked(path: Path) -> bool:
    """Whether the first records bear the mark of simulated people."""
    files = list_files(path)
    first = next(files, None)
    if first is None:
        raise NothingToRead("The folder is empty.", where=str(path), cure="Check the path.")
    records = (
        file
        for file in _chained(first, files)
        if file.ending in (".json", *LINES) and not _is_ignored(file)
    )
    for file in islice(records, PEEK_FILES):
        try:
            with file.open() as stream:
                beginning = stream.read(PEEK_BYTES)
        except FileFault:
            continue  # said again when the file is read
        if any(mark in beginning for mark in SIMULATED_MARKS):
            return True
    return False


def _chained(first: SourceFile, rest: Iterator[SourceFile]) -> Iterator[SourceFile]:
    yield first
    yield from rest


def _rank(file: SourceFile) -> int:
    """Where a file comes in the order of reading: what is referred to first."""
    order = list(TABLES)
    table = table_of(file.name)
    name = PurePosixPath(file.name).name
    if not table:
        table = fhir.TABLE_OF.get(re.split(r"[.\-_]", name)[0], "")
    if table:
        return order.index(table)
    # Synthea writes hospitals and practitioners to files of their own.
    return -1 if name.startswith(("Medication.", "hospital", "practitioner")) else len(order)


def _unknown(file: SourceFile, mapping: Mapping | None) -> FileFault:
    if mapping is not None:
        return FileFault(
            "The mapping names no such file.", where=file.name,
            cure=f"Add it to {mapping.where}, or take it out of the folder.",
        )  # fmt: skip
    return FileFault(
        "It is named after no declared table.", where=file.name,
        cure="Name it after one (people.csv), or write a mapping (chw ingest --suggest-mapping).",
    )  # fmt: skip


# Mapped files


def _mapped_pieces(file: SourceFile, mapping: Mapping) -> Iterator[Piece]:
    own = mapping.for_file(file.name)
    assert own is not None  # noqa: S101 - what makes it a mapped file
    bad = Gathered()
    for batches in mapped_rows(file, own, bad, mapping.where):
        yield Piece(batches, Gathered().rejected_frame())
    if bad.rejected:
        yield Piece([], bad.rejected_frame())


def _check_mapping(path: Path, mapping: Mapping) -> None:
    """Stop before anything is written where mapping and files do not fit."""
    if is_archive(path):
        return  # checked when the member is met; everything is taken back then
    met: set[str] = set()
    for file in list_files(path):
        own = mapping.for_file(file.name)
        if own is not None and not _is_ignored(file):
            met.add(own.name)
            try:
                columns = source_columns(file, own)
            except FileFault:
                continue  # said again when the file is read
            check_columns(own, file.name, columns, mapping.where)
    absent = [file.name for file in mapping.files if file.name not in met]
    if absent:
        raise MappingFault(
            f"There is no file named {', '.join(absent)}.", where=mapping.where,
            cure="Correct `name` in the mapping, or give the folder that holds the files.",
        )  # fmt: skip


# Declared tables: columns as they are


def _tabular(file: SourceFile) -> Part:
    table = TABLES[table_of(file.name)]
    return Part((file.name,), _declared_pieces(file, table.name))


def _declared_pieces(file: SourceFile, table: str) -> Iterator[Piece]:
    bad = Gathered()

    def refuse(at: str, reason: str, text: str) -> None:
        bad.reject(table, at, reason, cure="Mend the line and import again.", body={"text": text})

    reader = read_parquet(file) if file.ending == ".parquet" else read_csv(file, refuse)
    for number, frame in enumerate(reader):
        if number == 0:
            _check_columns(file, table, frame)
        yield from _in_batches(file, table, frame)
    if bad.rejected:
        yield Piece([], bad.rejected_frame())


def _in_batches(file: SourceFile, table: str, frame: pd.DataFrame) -> Iterator[Piece]:
    # Undeclared columns go along: cleaning notes them before it leaves them out.
    for start in range(0, len(frame), BATCH_ROWS):
        rows = frame.iloc[start : start + BATCH_ROWS].copy()
        rows["at"] = places(file, rows.index)
        yield Piece([RawBatch(table, rows.reset_index(drop=True))], Gathered().rejected_frame())


def places(file: SourceFile, index: pd.Index) -> pd.Series:
    """The place of each row, for messages: file and line (or row, in Parquet)."""
    word = "row " if file.ending == ".parquet" else ""
    numbers = index.astype("str")
    return pd.Series(f"{file.name}:{word}" + numbers, index=index)


def _check_columns(file: SourceFile, table: str, frame: pd.DataFrame) -> None:
    given_here = {"source", "source_id", "known_on"}
    missing = [
        column.name
        for column in TABLES[table].columns
        if column.required and column.name not in frame and column.name not in given_here
    ]
    if missing:
        raise FileFault(
            f"It has no column {', '.join(missing)}.", where=file.name,
            cure="Name the columns as in docs/data_dictionary.md, or write a mapping.",
        )  # fmt: skip
