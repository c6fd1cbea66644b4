"""Keep an installation safe: everything it consists of into one file, and back out of it.

A backup is a tar file: ``manifest.json`` first, then the copy of the store, the models and
the programme's folder. The manifest holds the SHA-256 of each file, so that a damaged backup
is found out before anything is put back. It holds health records in the clear.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from chw_tools.errors import Conflict, FileFault, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

FORMAT = "chw-backup/1"
_MANIFEST = "manifest.json"
_STORE = "store.copy"
#: A manifest of a hundred thousand files is smaller.
_MANIFEST_LIMIT_BYTES = 32_000_000


class StoreFacts(Protocol):
    """What a copy of a store is of."""

    @property
    def database(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def rows(self) -> Mapping[str, int]: ...


@dataclass(frozen=True)
class Kept:
    """What a backup holds.

    Parameters
    ----------
    made_at : str
        When, in ISO 8601.
    database, revision : str
        Kind of database and version of its schema.
    rows : mapping of str to int
        Rows of each table of the store.
    files : mapping of str to str
        SHA-256 of each file by its place in the backup.
    """

    made_at: str
    database: str
    revision: str
    rows: Mapping[str, int]
    files: Mapping[str, str]


def back_up(
    *,
    copy_store: Callable[[Path], StoreFacts],
    folders: Mapping[str, Path],
    to: Path,
    made_at: datetime,
) -> Kept:
    """Write store, models and programme to one new file that only its owner can read.

    Parameters
    ----------
    copy_store : callable
        Writes a consistent copy of the store to a path.
    folders : mapping of str to Path
        Folders to keep by name; one that does not exist is left out.
    to : Path
        The file to write; it appears when it is whole.
    made_at : datetime
        The present instant.

    Raises
    ------
    FileFault
        If the file exists already or cannot be written.
    """
    if to.exists():
        raise FileFault("The file exists already.", where=str(to), cure="Name a new one.")
    try:
        with TemporaryDirectory(dir=to.parent, prefix=".chw-backup-") as made:
            return _write(Path(made), copy_store, folders, to, made_at)
    except OSError as error:
        raise FileFault(
            f"The backup cannot be written ({error.strerror}).",
            where=str(to),
            cure="Choose a folder with room that you may write to.",
        ) from None


def _write(
    work: Path,
    copy_store: Callable[[Path], StoreFacts],
    folders: Mapping[str, Path],
    to: Path,
    made_at: datetime,
) -> Kept:
    facts = copy_store(work / _STORE)
    sources = {_STORE: work / _STORE} | dict(_files(folders))
    kept = Kept(
        made_at=made_at.isoformat(timespec="seconds"),
        database=facts.database,
        revision=facts.revision,
        rows=dict(facts.rows),
        files={name: _digest(path) for name, path in sources.items()},
    )
    part = work / "backup.tar"
    os.close(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600))
    with tarfile.open(part, "w") as tar:
        said = json.dumps({"format": FORMAT} | asdict(kept), indent=1, sort_keys=True).encode()
        _add(tar, _MANIFEST, BytesIO(said), len(said))
        for name, path in sources.items():
            with path.open("rb") as file:
                _add(tar, name, file, path.stat().st_size)
    part.replace(to)
    return kept


def _add(tar: tarfile.TarFile, name: str, file: BinaryIO | BytesIO, size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    tar.addfile(entry, file)


def _files(folders: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    for name, folder in folders.items():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield f"{name}/{path.relative_to(folder).as_posix()}", path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def restore(
    *,
    archive: Path,
    check_nothing_there: Callable[[], None],
    put_back: Callable[[Path, Kept], None],
    folders: Mapping[str, Path],
    beside: Path,
) -> Kept:
    """Put a backup back where nothing is; everything is checked before anything is changed.

    Parameters
    ----------
    archive : Path
        What :func:`back_up` wrote.
    check_nothing_there : callable
        Raises where a store is already.
    put_back : callable
        Makes the store of its copy.
    folders : mapping of str to Path
        Where the folders of the backup go, by name.
    beside : Path
        Folder on the store's own disk, in which the copy is unpacked.

    Raises
    ------
    Conflict
        If a store, or another file of the same name, is there already.
    FileFault
        If the file is no backup, or damaged.
    """
    check_nothing_there()
    beside.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(dir=beside, prefix=".chw-restore-") as made:
        kept = _unpack(archive, Path(made))
        places = list(_places(kept, Path(made), folders))
        for unpacked, place in places:
            if place.exists() and _digest(place) != _digest(unpacked):
                raise Conflict(
                    "Another file of that name is there; nothing was changed.",
                    where=str(place),
                    cure="Move the folder away first.",
                )
        for unpacked, place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(unpacked, place)
        # Last: a restore that was broken off can be begun again.
        put_back(Path(made) / _STORE, kept)
    return kept


def _places(kept: Kept, made: Path, folders: Mapping[str, Path]) -> Iterator[tuple[Path, Path]]:
    for name in kept.files:
        folder, _, rest = name.partition("/")
        if rest and folder in folders:
            yield made / name, folders[folder] / rest
        elif rest:
            raise StoreUnavailable(
                f"The backup holds a folder for {folder}, and no place is named for it.",
                cure=f"Set CHW_{folder.upper()}.",
            )


def _unpack(archive: Path, into: Path) -> Kept:
    try:
        with tarfile.open(archive, "r:") as tar:
            kept = _manifest(tar, archive)
            for entry in tar:
                _unpack_one(tar, entry, into, kept, archive)
    except (tarfile.TarError, EOFError) as error:
        raise _damaged(archive, type(error).__name__) from None
    if missing := [name for name in kept.files if not (into / name).is_file()]:
        raise _damaged(archive, f"{len(missing)} files are missing")
    return kept


def _manifest(tar: tarfile.TarFile, archive: Path) -> Kept:
    first = tar.next()
    if first is None or first.name != _MANIFEST or first.size > _MANIFEST_LIMIT_BYTES:
        raise _damaged(archive, "it does not begin with a manifest")
    file = tar.extractfile(first)
    try:
        said: dict[str, Any] = json.loads(file.read()) if file else {}
        if said.pop("format", None) != FORMAT:
            raise _damaged(archive, f"it is not of the format {FORMAT}")
        return Kept(**said)
    except (ValueError, TypeError, AttributeError):
        raise _damaged(archive, "its manifest cannot be read") from None


def _unpack_one(
    tar: tarfile.TarFile, entry: tarfile.TarInfo, into: Path, kept: Kept, archive: Path
) -> None:
    if entry.name == _MANIFEST:
        return
    pure = PurePosixPath(entry.name)
    file = tar.extractfile(entry) if entry.isreg() else None
    if file is None or entry.name not in kept.files or pure.is_absolute() or ".." in pure.parts:
        raise _damaged(archive, "it holds what its manifest does not name")
    place = into / pure
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as made:
        shutil.copyfileobj(file, made)
    if _digest(place) != kept.files[entry.name]:
        raise _damaged(archive, "a file in it was changed")


def _damaged(archive: Path, why: str) -> FileFault:
    return FileFault(
        f"This is no backup that can be used: {why}. Nothing was changed.",
        where=str(archive),
        cure="Take another one, made by chw backup.",
    )
