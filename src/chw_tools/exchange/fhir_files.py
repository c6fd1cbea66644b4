"""FHIR files: bundles, many of them gathered into one batch, and NDJSON, line by line."""

from __future__ import annotations

import gc
from codecs import BOM_UTF8
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson

from chw_tools.errors import FileFault
from chw_tools.exchange import fhir
from chw_tools.exchange.parts import Part, Piece
from chw_tools.exchange.rows import BATCH_ROWS, Gathered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chw_tools.exchange.archives import SourceFile

#: Largest bundle read: it is held in memory whole, at about five times its size.
MAX_BUNDLE_BYTES = 256 * 2**20


class Bundles:
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
        return orjson.loads(file.read().removeprefix(BOM_UTF8))
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
        kind = resource.get("resourceType")
        if isinstance(kind, str) and kind in fhir.REFERRED_TO:
            if "id" in resource and isinstance(full_url, str):
                context.full_urls[full_url] = f"{kind}/{resource['id']}"
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


def read_lines(file: SourceFile, context: fhir.Context) -> Iterator[Piece]:
    """The pieces of an NDJSON file; a line that is no resource is listed with its number.

    Raises
    ------
    FileFault
        If the file cannot be read to its end.
    """
    gathered = context.gathered = Gathered()
    context.file, context.full_urls = file.name, {}
    with file.open() as stream:
        for number, line in enumerate(stream, start=1):
            if number == 1:
                line = line.removeprefix(BOM_UTF8)
            if line.isspace() or not line:
                continue
            at = f"{file.name}:{number}"
            try:
                resource = orjson.loads(line)
            except orjson.JSONDecodeError:
                _refuse_line(line, at, gathered)
                continue
            if isinstance(resource, dict):
                fhir.note_beforehand(resource, context)
            fhir.add_resource(resource, at, context)
            if len(gathered) >= BATCH_ROWS:
                yield piece_of(gathered)
                gathered = context.gathered = Gathered()
    yield piece_of(gathered)


def _refuse_line(line: bytes, at: str, gathered: Gathered) -> None:
    """List a line that is not JSON.

    Raises
    ------
    FileFault
        If it is not UTF-8 either, or the file breaks off in it: then more than a line is lost.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise FileFault(
            "It is not UTF-8 text.", where=at, cure="Export it again as UTF-8."
        ) from error
    if not line.endswith(b"\n"):
        raise FileFault(
            "It breaks off within a record.", where=at,
            cure="Fetch or export it again; it may be truncated.",
        )  # fmt: skip
    gathered.count("(not a resource)", "read")
    gathered.reject(
        "", at, "the line is not JSON", cure="Export the file again.", body={"text": text}
    )
