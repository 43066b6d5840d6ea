"""One file from a server that breaks off, can't resume, sends something else, or has too much for the disk."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from local_server import Repository, Served

from morphoscope.data.public.data_set import RemoteFile
from morphoscope.data.public.download import PACKET, download
from morphoscope.data.public.web import Web
from morphoscope.errors import DownloadError, OutputError

ADDRESS = "example.org/data.bin"
BODY = np.random.default_rng(0).bytes(3_000_000)
MD5 = "md5:" + hashlib.md5(BODY, usedforsecurity=False).hexdigest()
Remote = Callable[..., RemoteFile]


@pytest.fixture
def served(repository: Repository) -> Served:
    repository.files[ADDRESS] = Served(BODY)
    return repository.files[ADDRESS]


def leftovers(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def is_at_70_percent(asked: str) -> bool:
    """Whether a Range header goes on where the connection broke, up to the packet that was under way."""
    return 0.7 * len(BODY) - PACKET <= int(asked.removeprefix("bytes=").removesuffix("-")) <= 0.7 * len(BODY)


def test_a_whole_file_is_verified_and_named(served: Served, web: Web, remote: Remote, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    received = download(web, remote(size=len(BODY), checksum=MD5), tmp_path, lambda done, total: seen.append((done, total)))
    assert received.path.read_bytes() == BODY
    assert received.sha256 == hashlib.sha256(BODY).hexdigest()
    assert leftovers(tmp_path) == {"data.bin"}
    assert seen[-1] == (len(BODY), len(BODY))


def test_a_connection_that_breaks_at_70_percent_is_taken_up_there(
    served: Served, repository: Repository, web: Web, remote: Remote, tmp_path: Path
) -> None:
    served.breaks = [0.7]
    assert download(web, remote(checksum=MD5), tmp_path).path.read_bytes() == BODY
    first, second = repository.ranges_of(ADDRESS)
    assert first == ""
    assert is_at_70_percent(second)


def test_a_connection_that_breaks_again_and_again_goes_on_as_long_as_bytes_arrive(
    served: Served, repository: Repository, web: Web, remote: Remote, tmp_path: Path
) -> None:
    served.breaks = [0.1 * step for step in range(1, 10)]
    assert download(web, remote(checksum=MD5), tmp_path).path.read_bytes() == BODY
    assert len(repository.asked) == 10 > web.tries


def test_a_server_that_stays_broken_is_named_and_what_arrived_is_used_by_the_next_run(
    served: Served, repository: Repository, web: Web, remote: Remote, tmp_path: Path
) -> None:
    served.breaks = [0.7] * 4
    with pytest.raises(
        DownloadError, match=r"the connection broke after 2,0\d\d,\d{3} of 3,000,000 bytes \(70%\), 3 times"
    ) as told:
        download(web, remote(), tmp_path)
    assert "expected the whole file from" in str(told.value) and "run the same command again" in str(told.value)
    assert leftovers(tmp_path) == {"data.bin.part", "data.bin.part.json"}
    repository.asked.clear()
    assert download(web, remote(), tmp_path).path.read_bytes() == BODY
    (begin,) = repository.ranges_of(ADDRESS)
    assert is_at_70_percent(begin)


def test_a_server_without_ranges_begins_anew_and_does_not_try_forever(
    served: Served, repository: Repository, web: Web, remote: Remote, tmp_path: Path
) -> None:
    served.ranges, served.breaks = False, [0.7, 0.4]
    assert download(web, remote(checksum=MD5), tmp_path).path.read_bytes() == BODY
    assert len(repository.asked) == 3
    (tmp_path / "data.bin").unlink()
    served.breaks = [0.7] * 20
    with pytest.raises(DownloadError, match="3 times without getting further"):
        download(web, remote(checksum=MD5), tmp_path)


def test_another_version_of_the_file_is_never_glued_to_the_old_one(
    served: Served, repository: Repository, web: Web, remote: Remote, tmp_path: Path
) -> None:
    served.breaks = [0.7] * 4
    with pytest.raises(DownloadError):
        download(web, remote(), tmp_path)
    changed = BODY[::-1]
    repository.files[ADDRESS] = Served(changed, etag='"2"')
    assert download(web, remote(), tmp_path).path.read_bytes() == changed


def test_without_a_version_or_a_checksum_nothing_is_resumed(
    served: Served, repository: Repository, web: Web, remote: Remote, tmp_path: Path
) -> None:
    served.etag, served.breaks = "", [0.7]
    assert download(web, remote(), tmp_path).path.read_bytes() == BODY
    assert repository.ranges_of(ADDRESS) == ["", ""]


def test_a_complete_part_is_only_verified(
    served: Served, repository: Repository, web: Web, remote: Remote, tmp_path: Path
) -> None:
    served.breaks = [0.7] * 4
    with pytest.raises(DownloadError):
        download(web, remote(checksum=MD5), tmp_path)
    (tmp_path / "data.bin.part").write_bytes(BODY)  # the last byte arrived, then the machine went down
    assert download(web, remote(checksum=MD5), tmp_path).path.read_bytes() == BODY


def test_a_wrong_checksum_is_told_and_the_file_deleted(served: Served, web: Web, remote: Remote, tmp_path: Path) -> None:
    wrong = "md5:" + "0" * 32
    with pytest.raises(DownloadError, match=rf"data.bin: it has MD5 {MD5[4:]}; expected {'0' * 32}\. It was deleted"):
        download(web, remote(checksum=wrong), tmp_path)
    assert leftovers(tmp_path) == set()


def test_a_file_that_a_person_put_there_is_verified_and_never_deleted(
    repository: Repository, web: Web, remote: Remote, tmp_path: Path
) -> None:
    (tmp_path / "data.bin").write_bytes(BODY)
    assert download(web, remote(checksum=MD5), tmp_path).size == len(BODY)
    assert repository.asked == []
    (tmp_path / "data.bin").write_bytes(b"another")
    with pytest.raises(DownloadError, match=r"Delete .*data.bin to download it again"):
        download(web, remote(checksum=MD5), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == b"another"


def test_what_nobody_tells_a_checksum_of_is_compared_with_the_last_receipt(
    served: Served, web: Web, remote: Remote, tmp_path: Path
) -> None:
    first = download(web, remote(), tmp_path)
    first.path.unlink()
    served.body = BODY + b"!"
    with pytest.raises(DownloadError, match=f"expected {first.sha256} as received before"):
        download(web, remote(), tmp_path, known_sha256=first.sha256)


def test_another_size_is_a_changed_record_and_nothing_is_downloaded(
    served: Served, web: Web, remote: Remote, tmp_path: Path
) -> None:
    with pytest.raises(DownloadError, match=r"has 3,000,000 bytes; expected 7. The record has changed"):
        download(web, remote(size=7), tmp_path)
    assert leftovers(tmp_path) == set()


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
def test_a_log_in_page_is_no_archive(kind: str, repository: Repository, web: Web, remote: Remote, tmp_path: Path) -> None:
    repository.files[ADDRESS] = Served(b"\n<!DOCTYPE html><title>Sign in</title>", kind)
    with pytest.raises(DownloadError, match=r"sent a web page; expected the file. The repository may ask for a log-in"):
        download(web, remote(), tmp_path)
    assert not (tmp_path / "data.bin").exists()
    repository.files[ADDRESS] = Served(BODY)
    assert download(web, remote(), tmp_path).path.read_bytes() == BODY


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "may have moved"), (410, "may have moved"), (403, "may need a log-in"), (418, "Look at the data set's page")],
)
def test_a_refusal_is_a_sentence(
    status: int, said: str, served: Served, repository: Repository, web: Web, remote: Remote, tmp_path: Path
) -> None:
    served.statuses = [status]
    with pytest.raises(DownloadError, match=f"the server answered {status}.*{said}"):
        download(web, remote(), tmp_path)
    assert len(repository.asked) == 1


def test_a_busy_server_is_asked_again(served: Served, web: Web, remote: Remote, tmp_path: Path) -> None:
    served.statuses = [503, 429]
    assert download(web, remote(), tmp_path).size == len(BODY)
    (tmp_path / "data.bin").unlink()
    served.statuses = [503] * 10
    with pytest.raises(DownloadError, match="the server answered 503 Service Unavailable after 0 of"):
        download(web, remote(size=len(BODY)), tmp_path)


def test_a_server_that_falls_silent_is_a_sentence(repository: Repository, remote: Remote, tmp_path: Path, served: Served) -> None:
    served.stalls_s = 5
    web = Web(repository.address, timeout_s=(1, 0.1), tries=2, pause_s=0)
    with pytest.raises(DownloadError, match="the server stopped sending"):
        download(web, remote(), tmp_path)
    web.close()


def test_no_server_at_all_is_a_sentence(remote: Remote, tmp_path: Path) -> None:
    web = Web("http://127.0.0.1:9", timeout_s=(1, 1), tries=2, pause_s=0)
    with pytest.raises(DownloadError, match="no connection"):
        download(web, remote(), tmp_path)
    web.close()


def test_a_disk_without_room_is_noticed_before_the_first_byte(
    served: Served, web: Web, remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        total: int
        used: int
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(OutputError, match=r"1,000 bytes are free; expected 70,108,864 for the rest of data.bin. Make room"):
        download(web, remote(), tmp_path)
    assert leftovers(tmp_path) == set()
