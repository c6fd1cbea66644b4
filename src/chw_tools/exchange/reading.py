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

import gc
import re
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

import orjson
import pandas as pd

from chw_tools.errors import FileFault, MappingFault, NothingToRead, PopulationMixed
from chw_tools.exchange import fhir
from chw_tools.exchange.archives import SourceFile, is_archive, list_files, stem
from chw_tools.exchange.csv_files import read_csv, read_parquet
from chw_tools.exchange.mapped import mapped_rows, source_columns
from chw_tools.exchange.mapping import check_columns
from chw_tools.exchange.rows import BATCH_ROWS, Gathered, RawBatch
from chw_tools.records import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from chw_tools.exchange.mapping import Mapping

Population = Literal["simulated", "real"]

#: File in a folder that says whose records they are: ``source`` and ``population``.
SOURCE_FILE = "chw-source.toml"
#: Folder of a simulated programme that holds what no programme can know; never read.
TRUTH_FOLDER = "truth"
#: Largest bundle read: it is held in memory whole, at about five times its size.
MAX_BUNDLE_BYTES = 256 * 2**20
#: Marks of simulated people, looked for at the beginning of the first files.
SIMULATED_MARKS = (b"github.com/synthetichealth/synthea", b'"HTEST"')
PEEK_FILES, PEEK_BYTES = 4, 1 << 18

TABULAR = (".csv", ".tsv", ".parquet")
LINES = (".ndjson", ".jsonl")


@dataclass(frozen=True)
class Piece:
    """Some rows of a part: batches in the order of tables, and what did not become a row."""

    batches: list[RawBatch]
    rejected: pd.DataFrame
    unmodelled: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """One file, or several small ones, that go in or stay out.

    ``pieces`` may raise a :class:`~chw_tools.errors.FileFault` while it is gone through: then
    nothing of the part may be kept. ``faults`` are those of small files already left out.
    """

    files: tuple[str, ...]
    pieces: Iterable[Piece]
    faults: tuple[FileFault, ...] = ()
    notes: tuple[str, ...] = ()


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
        bundles = _Bundles(context)
        found = 0
        for file in self._files():
            kind = self._kind(file)
            if kind == "bundle":
                bundles.read(file)
            elif kind == "lines":
                yield Part((file.name,), _of_lines(file, context))
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
                "NDJSON; or write a mapping (chw ingest --suggest-mapping).",
            )

    def _files(self) -> Iterator[SourceFile]:
        files = list_files(self.path)
        if is_archive(self.path) and not self.path.name.lower().endswith(".zip"):
            return files  # a tar archive is read once, in its own order
        return iter(sorted(files, key=lambda file: (_rank(file), file.name)))

    def _kind(self, file: SourceFile) -> str:
        parts = PurePosixPath(file.name).parts
        if parts[-1] == SOURCE_FILE:
            return "source"
        if parts[-1].startswith((".", "_")) or TRUTH_FOLDER in parts[:-1]:
            return "ignored"
        if self.mapping is not None and self.mapping.for_file(file.name):
            return "mapped"
        if file.ending in TABULAR:
            return "table" if self.mapping is None and table_of(file.name) else "unknown"
        if file.ending in LINES:
            return "other" if parts[-1].startswith("log.") else "lines"
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
    """
    said: dict[str, Any] = {}
    if path.is_dir() and (path / SOURCE_FILE).is_file():
        said = _read_source((path / SOURCE_FILE).read_bytes(), SOURCE_FILE)
    if mapping is not None:
        said = {"source": mapping.source, "population": mapping.population} | said
        _check_mapping(path, mapping)
    whole = path if path.is_dir() or is_archive(path) else path.resolve().parent
    marked: Population = "simulated" if _is_marked(path) else "real"
    return Intake(
        path=path,
        source=source or said.get("source") or stem(whole.resolve()),
        population=population or said.get("population") or marked,
        mapping=mapping,
    )


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
    records = (file for file in _chained(first, files) if file.ending in (".json", *LINES))
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


# FHIR: bundles, gathered; NDJSON, line by line


class _Bundles:
    """Small JSON files read whole, their rows gathered until a batch is full."""

    def __init__(self, context: fhir.Context) -> None:
        self._context = context
        self._whole = context.gathered
        self._files: list[str] = []
        self._faults: list[FileFault] = []

    def read(self, file: SourceFile) -> None:
        """Read one file: all of it joins, or none and a fault is noted."""
        own = Gathered()
        context = self._context
        context.gathered, context.file, context.full_urls = own, file.name, {}
        try:
            with _no_collection():
                add_document(_parsed(file), file.name, context)
        except FileFault as fault:
            self._faults.append(fault)
            return
        self._whole.absorb(own)
        self._files.append(file.name)

    def is_full(self) -> bool:
        """Whether there are enough rows for a batch."""
        return len(self._whole) >= BATCH_ROWS

    def has_any(self) -> bool:
        """Whether anything waits to be handed on."""
        return bool(self._files or self._faults)

    def take(self) -> Part:
        """What was gathered; begins anew."""
        part = Part(tuple(self._files), [piece_of(self._whole)], tuple(self._faults))
        self._whole, self._files, self._faults = Gathered(), [], []
        return part


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without searching for garbage cycles: a JSON document has none, and millions of objects."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def piece_of(gathered: Gathered) -> Piece:
    """What was gathered, as frames."""
    return Piece(
        gathered.batches(fhir.COLUMNS),
        gathered.rejected_frame(),
        gathered.unmodelled,
        gathered.counts,
    )


def _parsed(file: SourceFile) -> Any:
    if file.size > MAX_BUNDLE_BYTES:
        raise FileFault(
            "The bundle is too large to be read whole.", where=file.name,
            cure="Export it as NDJSON (FHIR bulk data), which is read line by line.",
        )  # fmt: skip
    try:
        return orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        raise FileFault(
            f"It is not whole JSON in UTF-8 (line {error.lineno}).", where=file.name,
            cure="Export it again; it may be truncated.",
        ) from error  # fmt: skip


def add_document(document: Any, name: str, context: fhir.Context) -> None:
    """Read a bundle, a list of resources or a single resource.

    Raises
    ------
    FileFault
        If it is JSON, but none of these.
    """
    if isinstance(document, list):
        entries = [{"resource": resource} for resource in document]
    elif not isinstance(document, dict) or "resourceType" not in document:
        raise FileFault(
            "It is JSON, but no FHIR resource.", where=name, cure="Take it out of the folder."
        )
    elif document["resourceType"] == "Bundle":
        entries = document.get("entry", [])
    else:
        entries = [{"resource": document}]
    if not isinstance(entries, list):
        raise FileFault("Its entries are not a list.", where=name, cure="Export it again.")
    _add_entries(entries, name, context)


def _add_entries(entries: list[Any], name: str, context: fhir.Context) -> None:
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            continue
        full_url = entry.get("fullUrl")
        if "id" not in resource and isinstance(full_url, str) and full_url.startswith("urn:uuid:"):
            # What is yet to be created at a server is named by its full URL alone.
            resource["id"] = full_url.rpartition(":")[2]
        if resource.get("resourceType") in fhir.REFERRED_TO:
            if "id" in resource and isinstance(full_url, str):
                context.full_urls[full_url] = f"{resource['resourceType']}/{resource['id']}"
            fhir.note_beforehand(resource, context)
    for position, entry in enumerate(entries):
        at = f"{name}:entry[{position}]"
        request = entry.get("request") if isinstance(entry, dict) else None
        if isinstance(request, dict) and request.get("method") == "DELETE":
            context.gathered.reject(
                "", at, "it asks for a deletion, which an import never does",
                cure="Correct the record in the register.",
            )  # fmt: skip
        else:
            fhir.add_resource(entry.get("resource") if isinstance(entry, dict) else entry, at,
                              context)  # fmt: skip


def _of_lines(file: SourceFile, context: fhir.Context) -> Iterator[Piece]:
    gathered = context.gathered = Gathered()
    context.file, context.full_urls = file.name, {}
    with file.open() as stream:
        for number, line in enumerate(stream, start=1):
            if line.isspace():
                continue
            at = f"{file.name}:{number}"
            try:
                resource = orjson.loads(line)
            except orjson.JSONDecodeError:
                gathered.count("(not a resource)", "read")
                gathered.reject(
                    "", at, "the line is not JSON", cure="Export the file again.",
                    body={"text": line.decode("utf-8", "replace")},
                )  # fmt: skip
                continue
            if isinstance(resource, dict):
                fhir.note_beforehand(resource, context)
            fhir.add_resource(resource, at, context)
            if len(gathered) >= BATCH_ROWS:
                yield piece_of(gathered)
                gathered = context.gathered = Gathered()
    yield piece_of(gathered)


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
        if own is not None:
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
