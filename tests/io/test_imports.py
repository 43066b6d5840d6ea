"""Importing the room costs nothing that isn't used."""

from __future__ import annotations

import subprocess
import sys


def test_decoders_are_loaded_when_a_picture_is_read() -> None:
    code = "import sys, morphoscope.io; print(*sorted({'tifffile', 'imagecodecs', 'PIL', 'pandas', 'torch'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""
