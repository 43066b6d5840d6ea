"""Archives that are whole, damaged, or made to do harm."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from archives import tar_of, zip_of

from morphoscope.data.public import unpack as unpacking
from morphoscope.data.public.unpack import unpack
from morphoscope.errors import DownloadError

MEMBERS = {"set/a/1.png": b"one", "set/b/2.png": b"two", "set/README": b"read", "__MACOSX/a/._1.png": b"x", "set/a/._1.png": b"x"}


def pictures(member: PurePosixPath) -> PurePosixPath | None:
    return PurePosixPath("images", *member.parts[1:]) if member.suffix == ".png" else None


def everything(member: PurePosixPath) -> PurePosixPath:
    return PurePosixPath("images", member.name)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "archive.bin"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", [zip_of(MEMBERS), tar_of(MEMBERS), tar_of(MEMBERS, "w:gz"), tar_of(MEMBERS, "w:xz")])
def test_members_go_where_they_are_placed(content: bytes, tmp_path: Path) -> None:
    names = unpack(written(tmp_path, content), tmp_path / "out", pictures)
    assert names == ["images/a/1.png", "images/b/2.png"]
    assert (tmp_path / "out" / "images" / "a" / "1.png").read_bytes() == b"one"
    assert {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()} == {"1.png", "2.png"}


@pytest.mark.parametrize("name", ["../evil.png", "a/../../evil.png", "/etc/evil.png", "C:/evil.png", "..\\evil.png"])
@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_a_name_that_points_out_of_the_folder_is_refused(name: str, pack: object, tmp_path: Path) -> None:
    content = pack({name: b"evil"})  # type: ignore[operator]
    with pytest.raises(DownloadError, match=r"expected names inside the folder. It was not unpacked"):
        unpack(written(tmp_path, content), tmp_path / "out", everything)
    assert not list(tmp_path.rglob("evil.png"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo("evil.png")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(DownloadError, match="is a link or device; expected plain files"):
        unpack(written(tmp_path, stream.getvalue()), tmp_path / "out", everything)


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo("evil.png")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DownloadError, match="is a link or device"):
        unpack(written(tmp_path, stream.getvalue()), tmp_path / "out", everything)


def test_a_bomb_is_refused_by_what_it_claims_and_by_what_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MIN_ALLOWED_BYTES", 1000)
    bomb = zip_of({"a.png": bytes(2_000_000)})
    with pytest.raises(DownloadError, match="more than 100 times its size"):
        unpack(written(tmp_path, bomb), tmp_path / "out", everything)
    liar = bomb.replace((2_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(DownloadError, match=r"can't be unpacked|more than 100 times"):
        unpack(written(tmp_path, liar), tmp_path / "liar", everything)
    assert sum(path.stat().st_size for path in tmp_path.rglob("a.png")) < 2_000_000


def test_two_members_for_one_place_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"two members would both become 1.png"):
        unpack(written(tmp_path, zip_of({"a/1.png": b"1", "b/1.png": b"2"})), tmp_path / "out", everything)


@pytest.mark.parametrize("content", [zip_of(MEMBERS)[:-40], tar_of(MEMBERS, "w:gz")[:60], b"no archive at all", b""])
def test_a_damaged_archive_is_a_sentence(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"can't be unpacked .*; expected a whole zip or tar archive. Delete it"):
        unpack(written(tmp_path, content), tmp_path / "out", everything)


def test_a_damaged_member_is_a_sentence(tmp_path: Path) -> None:
    content = bytearray(zip_of({"a.png": b"a picture that is long enough to have a middle"}))
    content[45] ^= 0xFF
    with pytest.raises(DownloadError, match="can't be unpacked"):
        unpack(written(tmp_path, bytes(content)), tmp_path / "out", everything)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    content = zip_of({"a.png": b"secret"})
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(signature) + offset
        content = content[:at] + b"\x01" + content[at + 1 :]
    with pytest.raises(DownloadError, match="is encrypted"):
        unpack(written(tmp_path, content), tmp_path / "out", everything)
