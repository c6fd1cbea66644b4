"""Let records in: from files to the store, and the report of what became of each.

What a path holds is read by :func:`chw_tools.exchange.open_intake`; this workflow is given
the result. It never stops at a bad record, and leaves nothing of a bad file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chw_tools.data_processing.import_report import ReportBuilder
from chw_tools.errors import FileFault
from chw_tools.workflows.intake import Progressed, Run
from chw_tools.workflows.register_memory import RegisterMemory

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from chw_tools.data_processing.import_report import ImportReport
    from chw_tools.records import Catalogue, Register
    from chw_tools.workflows.ports import IngestStore, Progress, RawPart, Records


def ingest_records(
    *,
    records: Records,
    store: IngestStore,
    catalogue: Catalogue,
    today: date,
    keep_unmodelled: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Let the records of one path into the store, in one transaction.

    Parameters
    ----------
    records : Records
        What lies at the path, from :func:`chw_tools.exchange.open_intake`.
    store : IngestStore
        Where they go.
    catalogue : Catalogue
        What observations mean, and their limits.
    today : date
        Day of the import; nothing can have happened later.
    keep_unmodelled : bool
        Whether to keep the body of FHIR resources that the register does not model.
    progress : callable, optional
        Told of each file that was read.

    Returns
    -------
    ImportReport
        What went in, what was refused and why, which files failed.

    Raises
    ------
    PopulationMixed
        If simulated and real people would meet; nothing goes in.
    ArchiveRefused, NothingToRead, FileFault
        If the path must not or cannot be read as a whole; nothing goes in.
    """
    with store.transaction():
        source = store.register_source(records.source, records.population)
        run = Run(store, source, catalogue, today, Progressed(ReportBuilder()))
        total = records.n_files() if progress else None
        n_files = 0
        for part in records.parts(keep_unmodelled=keep_unmodelled):
            _take_part(run, part)
            n_files += len(part.files) + len(part.faults)
            if progress:
                progress("files", n_files, total)
        run.settle()
        report = run.state.report.build()
        store.save_import_run(source=source.name, summary=_summary(report))
        return report


def _summary(report: ImportReport) -> dict[str, int]:
    """What stays in the store of an import: counts, and nothing of anybody."""
    return {
        "files": len(report.files),
        "file_faults": len(report.file_faults),
        "trusted": report.n_trusted,
        "new": report.n_new,
        "changed": report.n_changed,
        "rejected": report.n_rejected,
    }


def _take_part(run: Run, part: RawPart) -> None:
    """Let one part in, or nothing of it."""
    before = run.state.copied()
    try:
        with run.store.savepoint():
            for piece in part.pieces:
                run.take(piece)
    except FileFault as fault:
        run.state = before
        _note_fault(run, fault)
    else:
        for name in part.files:
            run.state.report.add_file(name)
    for one in part.faults:
        _note_fault(run, one)
    for note in part.notes:
        run.state.report.note(note)


def _note_fault(run: Run, fault: FileFault) -> None:
    run.state.report.add_file_fault(fault.where, f"{fault.what} {fault.cure}".strip())


def read_register(
    *, records: Iterable[Records], catalogue: Catalogue, today: date
) -> tuple[Register, list[ImportReport]]:
    """The register that files hold, without a store: for training on a public data set.

    The rows go the same way as into a store: cleaned, references followed, faults listed.

    Returns
    -------
    tuple
        The register, and one report for each path.
    """
    memory = RegisterMemory()
    reports = [
        ingest_records(records=one, store=memory, catalogue=catalogue, today=today)
        for one in records
    ]
    return memory.load_register(), reports
