"""Files are reached wherever they lie; bombs and escapes are not."""

import gzip
import io
import tarfile
import zipfile

import pytest

from chw_tools.errors import ArchiveRefused, FileFault, NothingToRead
from chw_tools.exchange import archives
from chw_tools.exchange.archives import Budget, is_safe_name, list_files


def _tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def _read_all(path):
    return {file.name: file.read() for file in list_files(path)}


FILES = [("a.csv", b"one"), ("in/b.csv.gz", gzip.compress(b"two")), ("in/c.json", b"{}")]
EXPECTED = {"a.csv": b"one", "in/b.csv.gz": b"two", "in/c.json": b"{}"}


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.xz", "tar.bz2"])
def test_a_tar_gives_its_files_unpacked(tmp_path, ending):
    mode = "w" if ending == "tar" else f"w:{ending.split('.')[1]}"
    assert _read_all(_tar(tmp_path / f"x.{ending}", FILES, mode)) == EXPECTED


def test_a_zip_gives_its_files_in_any_order(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES:
            archive.writestr(name, content)
    files = list(list_files(tmp_path / "x.zip"))
    assert {file.name: file.read() for file in reversed(files)} == EXPECTED


def test_a_folder_gives_its_files_in_the_order_of_names(tmp_path):
    for name, content in FILES:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    assert [file.name for file in list_files(tmp_path)] == sorted(EXPECTED)
    assert _read_all(tmp_path) == EXPECTED


@pytest.mark.parametrize(
    "name", ["../a.csv", "/etc/passwd", "x/../../a.csv", "C:/a.csv", "..\\a.csv"]
)
def test_a_path_that_climbs_out_is_refused(tmp_path, name):
    assert not is_safe_name(name)
    with pytest.raises(ArchiveRefused, match="climbs out"):
        _read_all(_tar(tmp_path / "x.tar.gz", [(name, b"x")]))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(ArchiveRefused, match="climbs out"):
        _read_all(tmp_path / "x.zip")


def test_links_and_devices_are_refused(tmp_path):
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        with tarfile.open(tmp_path / "x.tar", "w") as archive:
            info = tarfile.TarInfo("people.csv")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        with pytest.raises(ArchiveRefused, match="link or a device"):
            _read_all(tmp_path / "x.tar")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "people.csv").symlink_to("/etc/passwd")
    with pytest.raises(ArchiveRefused, match="link"):
        _read_all(tmp_path / "folder")


@pytest.mark.parametrize("kind", ["gz", "zip", "tar"])
def test_a_bomb_is_stopped_while_it_grows(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(archives, "GROWTH_MATTERS_BYTES", 1 << 16)
    zeros = bytes(1 << 22)
    if kind == "gz":
        path = tmp_path / "x.csv.gz"
        path.write_bytes(gzip.compress(zeros))
    elif kind == "zip":
        path = tmp_path / "x.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.csv", zeros)
    else:
        path = _tar(tmp_path / "x.tar.xz", [("x.csv", zeros)], "w:xz")
    with pytest.raises(ArchiveRefused, match="grows more than"):
        _read_all(path)


def test_the_budget_is_shared_by_all_files():
    budget = Budget(left=10, entries_left=1)
    budget.take(10, "a")
    budget.take_entry("a")
    with pytest.raises(ArchiveRefused, match="unpacks to more"):
        budget.take(1, "b")
    with pytest.raises(ArchiveRefused, match="files"):
        budget.take_entry("b")


def test_a_truncated_file_is_a_fault_of_that_file(tmp_path):
    packed = gzip.compress(b"id\n1\n" * 1000)
    (tmp_path / "x.csv.gz").write_bytes(packed[:-20])
    (file,) = list_files(tmp_path / "x.csv.gz")
    with pytest.raises(FileFault, match=r"x\.csv\.gz"):
        file.read()


def test_a_truncated_archive_is_a_fault(tmp_path):
    whole = _tar(tmp_path / "x.tar.gz", [("a.csv", bytes(range(256)) * 400)]).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileFault):
        _read_all(tmp_path / "cut.tar.gz")
    (tmp_path / "bad.zip").write_bytes(b"PK not a zip")
    with pytest.raises(FileFault, match="cannot be opened"):
        _read_all(tmp_path / "bad.zip")


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(NothingToRead, match="no such file"):
        list_files(tmp_path / "absent")


def test_names_that_are_no_printable_text_are_shown_without_it(tmp_path):
    import os

    folder = tmp_path / "in"
    folder.mkdir()
    for name in (b"people-\xff.csv", b"a\x1b[31m.csv"):
        (tmp_path / "in" / os.fsdecode(name)).write_bytes(b"id\n1\n")
    files = list(list_files(folder))
    assert [file.name for file in files] == ["a\ufffd[31m.csv", "people-\ufffd.csv"]
    assert files[1].read() == b"id\n1\n"
