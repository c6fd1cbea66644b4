"""Files, folders and archives as one stream of files, guarded against bombs and escapes.

Here lies only how bytes are reached: nothing is ever unpacked to disk, and nothing is
known of what the bytes mean. A tar archive is read once, from front to back.

Examples
--------
>>> is_safe_name("people.csv"), is_safe_name("../people.csv")
(True, False)
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from chw_tools.errors import ArchiveRefused, FileFault, NothingToRead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Bytes that one import may unpack to: the records of a million people, as measured on
#: simulated programmes in CSV (about 12 GB), with room.
MAX_TOTAL_BYTES = 64 * 2**30
#: Growth on unpacking. Real bundles in tar.xz grow 59-fold (measured), gzip cannot grow more
#: than 1032-fold (zlib, technical details): a file beyond 300 was made to fill the disk.
MAX_GROWTH = 300
#: Below this size growth harms nobody: a column of zeros packs well.
GROWTH_MATTERS_BYTES = 64 * 2**20
#: One file per person in a district of a million, with room.
MAX_ENTRIES = 2_000_000

TAR_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
#: What a damaged file makes the standard library raise while it is read.
UNREADABLE = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
)
#: What an encrypted member, or one packed in an unknown way, makes it raise on opening.
UNOPENABLE = (*UNREADABLE, NotImplementedError, RuntimeError)


@dataclass
class Budget:
    """What unpacking may still cost; shared by all files of one import."""

    left: int = MAX_TOTAL_BYTES
    entries_left: int = MAX_ENTRIES

    def take_entry(self, where: str) -> None:
        """Count one file.

        Raises
        ------
        ArchiveRefused
            If there are more than anyone needs.
        """
        self.entries_left -= 1
        if self.entries_left < 0:
            raise ArchiveRefused(
                f"It holds more than {MAX_ENTRIES:,} files.", where=where, cure="Split it."
            )

    def take(self, n_bytes: int, where: str) -> None:
        """Count bytes that were unpacked.

        Raises
        ------
        ArchiveRefused
            If they are more than one import may unpack to.
        """
        self.left -= n_bytes
        if self.left < 0:
            raise ArchiveRefused(
                f"It unpacks to more than {MAX_TOTAL_BYTES // 2**30} GB.",
                where=where,
                cure="Split it, or check that it is what it claims to be.",
            )


class Metered(io.RawIOBase):
    """A stream that counts what it gives out and stops a bomb.

    ``packed_bytes`` is the size before unpacking; ``None`` where nothing is unpacked.
    """

    def __init__(
        self,
        stream: BinaryIO,
        budget: Budget,
        where: str,
        packed_bytes: int | None,
        beneath: BinaryIO | None = None,
    ) -> None:
        self._stream, self._budget, self._where = stream, budget, where
        self._beneath = beneath
        self._limit = (
            None if packed_bytes is None else max(GROWTH_MATTERS_BYTES, packed_bytes * MAX_GROWTH)
        )
        self._seen = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Close the stream, and what lies beneath it."""
        if not self.closed:
            self._stream.close()
            if self._beneath is not None:
                self._beneath.close()
        super().close()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, counted."""
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        data = self._stream.read(size)
        self._seen += len(data)
        self._budget.take(len(data), self._where)
        if self._limit is not None and self._seen > self._limit:
            raise ArchiveRefused(
                f"It grows more than {MAX_GROWTH}-fold on unpacking.",
                where=self._where,
                cure="Check that it is what it claims to be, or unpack it yourself.",
            )
        return data

    def readinto(self, buffer: Any) -> int:
        """The next bytes, into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@dataclass(frozen=True)
class SourceFile:
    """One file to read, wherever it lies.

    Parameters
    ----------
    name : str
        Path within the folder or archive, as shown in messages.
    size : int
        Bytes as stored (packed, for a ``.gz``).
    opener : callable
        Gives the unpacked bytes; a member of a tar archive can be opened only in its turn.
    """

    name: str
    size: int
    opener: Callable[[], BinaryIO] = field(repr=False)
    is_packed: bool = False

    @property
    def plain_name(self) -> str:
        """The name without ``.gz``."""
        return self.name[:-3] if self.name.lower().endswith(".gz") else self.name

    @property
    def ending(self) -> str:
        """The ending of the plain name, in lower case, with its dot."""
        return PurePosixPath(self.plain_name).suffix.lower()

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Its bytes; what cannot be read becomes a fault of this file.

        Raises
        ------
        FileFault
            If it is unreadable, truncated or encrypted.
        """
        try:
            stream = self.opener()
        except UNOPENABLE as error:
            raise self._fault("It cannot be opened", error) from error
        try:
            with stream:
                yield stream
        except UNREADABLE as error:
            raise self._fault("It cannot be read to its end", error) from error

    def _fault(self, what: str, error: Exception) -> FileFault:
        return FileFault(
            f"{what} ({type(error).__name__}).",
            where=self.name,
            cure="Fetch or export it again; it may be truncated or encrypted.",
        )

    def read(self) -> bytes:
        """All its bytes."""
        with self.open() as stream:
            return stream.read()


def is_safe_name(name: str) -> bool:
    """Whether a member's name stays within its archive."""
    path = PurePosixPath(name.replace("\\", "/"))
    return not (path.is_absolute() or ".." in path.parts or ":" in name.split("/")[0])


def shown_name(name: str) -> str:
    """A file's name as it can be shown and stored: what is no printable text is replaced.

    >>> shown_name("people\\n.csv"), shown_name("a\\udcff.csv")
    ('people\ufffd.csv', 'a\ufffd.csv')
    """
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in name)


def list_files(path: Path) -> Iterator[SourceFile]:
    """Every file to read under a path: a file, a folder, a tar or a zip archive.

    Files of a folder come in the order of their names; those of a tar archive in its order,
    each to be read before the next is asked for.

    Raises
    ------
    NothingToRead
        If the path does not exist.
    ArchiveRefused
        If an archive holds a link, a device, a path that climbs out, or a bomb.
    """
    budget = Budget()
    if path.is_dir():
        return _of_folder(path, budget)
    if not path.is_file():
        raise NothingToRead("There is no such file or folder.", where=str(path))
    name = path.name.lower()
    if name.endswith(TAR_ENDINGS):
        return _of_tar(path, budget)
    if name.endswith(".zip"):
        return _of_zip(path, budget)
    return iter([_plain(path, shown_name(path.name), budget)])


def stem(path: Path) -> str:
    """A name for what lies at a path: without folders and endings.

    >>> stem(Path("in/bundles.tar.xz"))
    'bundles'
    """
    return path.name.split(".")[0] or path.name


def is_archive(path: Path) -> bool:
    """Whether the name is that of an archive."""
    return path.name.lower().endswith((*TAR_ENDINGS, ".zip"))


def _of_folder(folder: Path, budget: Budget) -> Iterator[SourceFile]:
    for path in sorted(folder.rglob("*")):
        name = shown_name(path.relative_to(folder).as_posix())
        if path.is_symlink():
            raise ArchiveRefused(
                "It is a link, which may lead out of the folder.",
                where=name,
                cure="Put the file itself there.",
            )
        if path.is_file():
            budget.take_entry(name)
            yield _plain(path, name, budget)


def _plain(path: Path, name: str, budget: Budget) -> SourceFile:
    size = path.stat().st_size

    def opener() -> BinaryIO:
        return _unpacked(path.open("rb"), name, size, budget)

    return SourceFile(name, size, opener, name.lower().endswith(".gz"))


def _unpacked(stream: BinaryIO, name: str, size: int, budget: Budget) -> BinaryIO:
    if not name.lower().endswith(".gz"):
        return stream
    unpacked = gzip.GzipFile(fileobj=stream)
    # Readers of gzip, xz, bz2, tar and zip are BinaryIO in all but their declared types.
    metered = Metered(unpacked, budget, name, size, beneath=stream)  # type: ignore[arg-type]
    return io.BufferedReader(metered, 1 << 18)


def _of_tar(path: Path, budget: Budget) -> Iterator[SourceFile]:
    with path.open("rb") as raw:
        whole = Metered(_decompressed(path, raw), budget, path.name, path.stat().st_size)
        try:
            with tarfile.open(fileobj=whole, mode="r|", bufsize=1 << 18) as archive:
                for member in archive:
                    budget.take_entry(member.name)
                    _check_member(member.name, member.isdir() or member.isreg())
                    if member.isreg():
                        yield _tar_member(archive, member, budget)
        except UNREADABLE as error:
            # A tar archive is one file: what follows the damage cannot be found.
            raise FileFault(
                f"The archive cannot be read to its end ({type(error).__name__}).",
                where=path.name,
                cure="Fetch or export it again; it may be truncated.",
            ) from error


def _decompressed(path: Path, raw: BinaryIO) -> BinaryIO:
    name = path.name.lower()
    # The readers' types do not say that they are BinaryIO, here as in `_unpacked`.
    if name.endswith((".gz", ".tgz")):
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if name.endswith((".xz", ".txz")):
        return lzma.LZMAFile(raw)  # type: ignore[return-value]
    if name.endswith((".bz2", ".tbz2")):
        return bz2.BZ2File(raw)  # type: ignore[return-value]
    return raw


def _tar_member(archive: tarfile.TarFile, member: tarfile.TarInfo, budget: Budget) -> SourceFile:
    name = shown_name(member.name)

    def opener() -> BinaryIO:
        stream = archive.extractfile(member)
        if stream is None:
            raise OSError("not a regular file")
        return _unpacked(stream, name, member.size, budget)  # type: ignore[arg-type]

    return SourceFile(name, member.size, opener, name.lower().endswith(".gz"))


def _of_zip(path: Path, budget: Budget) -> Iterator[SourceFile]:
    try:
        archive = zipfile.ZipFile(path)
    except UNOPENABLE as error:
        raise FileFault(
            "The archive cannot be opened.", where=path.name, cure="Fetch or export it again."
        ) from error
    # Not closed here: its members are opened later, in another order.
    members = sorted(archive.infolist(), key=lambda member: member.filename)
    for member in members:
        budget.take_entry(member.filename)
        kind = stat.S_IFMT(member.external_attr >> 16)
        _check_member(member.filename, kind in (0, stat.S_IFREG, stat.S_IFDIR))
    for member in members:
        if not member.is_dir():
            yield _zip_member(archive, member, budget)


def _zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: Budget) -> SourceFile:
    name = shown_name(member.filename)

    def opener() -> BinaryIO:
        metered = Metered(
            archive.open(member),  # type: ignore[arg-type]
            budget,
            name,
            member.compress_size,
        )
        buffered = io.BufferedReader(metered, 1 << 18)
        return _unpacked(buffered, name, member.file_size, budget)

    return SourceFile(name, member.file_size, opener, True)


def _check_member(name: str, is_regular: bool) -> None:
    if not is_safe_name(name):
        raise ArchiveRefused(
            "A path in the archive climbs out of it.",
            where=shown_name(name),
            cure="Pack it without '..'.",
        )
    if not is_regular:
        raise ArchiveRefused(
            "The archive holds a link or a device.",
            where=shown_name(name),
            cure="Pack plain files only.",
        )
