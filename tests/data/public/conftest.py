"""A local repository, and an impatient way to ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import pytest
from local_server import Repository

from morphoscope.data.public.data_set import RemoteFile
from morphoscope.data.public.web import Web


@pytest.fixture
def repository() -> Iterator[Repository]:
    """Serves what a test puts into it."""
    running = Repository()
    yield running
    running.stop()


@pytest.fixture
def web(repository: Repository) -> Iterator[Web]:
    """Asks the local repository in the place of all others, and loses patience fast."""
    asking = Web(repository.address, timeout_s=(2, 0.5), tries=3, pause_s=0.01)
    yield asking
    asking.close()


@pytest.fixture
def remote() -> Callable[..., RemoteFile]:
    """data.bin of example.org, with what a test knows of it."""

    def file(**known: object) -> RemoteFile:
        place = lambda member: PurePosixPath("images", member.name)  # noqa: E731
        return RemoteFile("data.bin", "https://example.org/data.bin", place, **known)  # type: ignore[arg-type]

    return file
