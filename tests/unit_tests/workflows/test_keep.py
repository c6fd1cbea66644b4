"""A backup is whole or it is not there; a restore changes nothing before all is checked."""

from __future__ import annotations

import io
import json
import stat
import tarfile
from datetime import UTC, datetime

import pytest

from chw_tools.errors import Conflict, FileFault, StoreUnavailable
from chw_tools.store import CopyFacts
from chw_tools.workflows.keep import FORMAT, back_up, restore

FACTS = CopyFacts("sqlite", "0002", {"people": 2})
WHEN = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models"
    (folder / "trained_models" / "v1").mkdir(parents=True)
    (folder / "trained_models" / "v1" / "card.md").write_text("a card", encoding="utf-8")
    return folder


def copy_store(path):
    path.write_bytes(b"the store")
    return FACTS


def kept_in(tmp_path, models, name="b.tar"):
    to = tmp_path / name
    return to, back_up(copy_store=copy_store, folders={"models": models}, to=to, made_at=WHEN)


class Target:
    """Where a backup goes back to, and what was done there."""

    def __init__(self, tmp_path):
        self.home = tmp_path / "new"
        self.put = []

    def restore(self, archive):
        return restore(
            archive=archive,
            check_nothing_there=lambda: None,
            put_back=lambda copy, kept: self.put.append((copy.read_bytes(), kept.rows)),
            folders={"models": self.home / "models"},
            beside=self.home,
        )

    def files(self):
        return sorted(p.name for p in self.home.rglob("*") if p.is_file())


@pytest.fixture
def target(tmp_path):
    return Target(tmp_path)


def test_what_was_kept_comes_back(tmp_path, models, target):
    archive, kept = kept_in(tmp_path, models)
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert target.restore(archive) == kept
    assert target.put == [(b"the store", {"people": 2})]
    card = target.home / "models" / "trained_models" / "v1" / "card.md"
    assert card.read_text(encoding="utf-8") == "a card"
    # Again over the same files: nothing differs, so nothing stands in the way.
    target.restore(archive)
    assert target.files() == ["card.md"]


def test_an_existing_file_is_never_overwritten(tmp_path, models):
    archive, _ = kept_in(tmp_path, models)
    before = archive.read_bytes()
    with pytest.raises(FileFault, match="exists already"):
        kept_in(tmp_path, models)
    assert archive.read_bytes() == before


def test_a_backup_that_fails_leaves_nothing(tmp_path, models):
    def fails(path):
        path.write_bytes(b"half")
        raise StoreUnavailable("The database did not answer.")

    with pytest.raises(StoreUnavailable):
        back_up(copy_store=fails, folders={}, to=tmp_path / "b.tar", made_at=WHEN)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["models"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileFault, match="cannot be written"):
        back_up(copy_store=copy_store, folders={}, to=tmp_path / "file" / "b.tar", made_at=WHEN)


def test_another_file_in_the_way_stops_it_before_anything_changes(tmp_path, models, target):
    archive, _ = kept_in(tmp_path, models)
    other = target.home / "models" / "trained_models" / "v1" / "card.md"
    other.parent.mkdir(parents=True)
    other.write_text("another", encoding="utf-8")
    with pytest.raises(Conflict, match="nothing was changed"):
        target.restore(archive)
    assert (target.put, other.read_text(encoding="utf-8")) == ([], "another")


def test_a_folder_without_a_place_is_named(tmp_path, models, target):
    to = tmp_path / "b.tar"
    back_up(copy_store=copy_store, folders={"programme": models}, to=to, made_at=WHEN)
    with pytest.raises(StoreUnavailable, match="CHW_PROGRAMME"):
        target.restore(to)
    assert target.put == []


@pytest.mark.parametrize("keep", [0, 1, 700, 2000])
def test_a_cut_off_backup_changes_nothing(tmp_path, models, target, keep):
    archive, _ = kept_in(tmp_path, models)
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(FileFault, match="no backup that can be used"):
        target.restore(archive)
    assert (target.put, target.files()) == ([], [])


def test_a_changed_byte_changes_nothing(tmp_path, models, target):
    archive, _ = kept_in(tmp_path, models)
    archive.write_bytes(archive.read_bytes().replace(b"the store", b"the stOre"))
    with pytest.raises(FileFault, match="was changed"):
        target.restore(archive)
    assert (target.put, target.files()) == ([], [])


def _forged(tmp_path, name, kind=tarfile.REGTYPE, files=None, said=None):
    archive = tmp_path / "forged.tar"
    manifest = {"format": FORMAT, "made_at": "", "database": "sqlite", "revision": "",
                "rows": {}, "files": files or {}}  # fmt: skip
    content = json.dumps(manifest).encode() if said is None else said
    with tarfile.open(archive, "w") as tar:
        for entry_name, body in (("manifest.json", content), (name, b"")):
            entry = tarfile.TarInfo(entry_name)
            entry.size = len(body)
            if entry_name == name:
                entry.type, entry.linkname = kind, "/etc/passwd"
            tar.addfile(entry, io.BytesIO(body))
    return archive


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("name", "kind", "files"),
    [
        ("unnamed", tarfile.REGTYPE, {}),
        ("../outside", tarfile.REGTYPE, {"../outside": EMPTY}),
        ("/tmp/outside", tarfile.REGTYPE, {"/tmp/outside": EMPTY}),  # noqa: S108
        ("models/link", tarfile.SYMTYPE, {"models/link": EMPTY}),
        ("models/link", tarfile.LNKTYPE, {"models/link": EMPTY}),
        ("models/device", tarfile.CHRTYPE, {"models/device": EMPTY}),
        ("store.copy", tarfile.REGTYPE, {"store.copy": EMPTY, "models/missing": EMPTY}),
    ],
)
def test_a_forged_backup_writes_nothing(tmp_path, target, name, kind, files):
    with pytest.raises(FileFault, match="Nothing was changed"):
        target.restore(_forged(tmp_path, name, kind, files))
    assert (target.put, target.files()) == ([], [])
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize(
    "said", [b"{", b"[]", b'{"format": "other"}', b'{"format": "chw-backup/1"}']
)
def test_a_manifest_that_says_nothing_is_refused(tmp_path, target, said):
    with pytest.raises(FileFault):
        target.restore(_forged(tmp_path, "store.copy", said=said))
