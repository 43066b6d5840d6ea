"""What all tests share: the folder of real micrographs, where there is one."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # fastest for networks as small as these

from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real micrographs with truth beside the repository; skips where it is missing."""
    folder = Path(os.environ.get("MORPHOSCOPE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real micrographs: {folder} does not exist (set MORPHOSCOPE_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MORPHOSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
