"""What all tests share: the folder of real micrographs, where there is one."""

from __future__ import annotations

import os
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
