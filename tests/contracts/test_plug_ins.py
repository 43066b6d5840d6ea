"""A package of somebody else adds a file format by an entry point, as the built-in ones do by the registry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MODULE = """
import numpy as np
from morphoscope.io.file_format import FileFormat, Picture
from morphoscope.io.formats.makers.values import pixel_size
from morphoscope.io.record import Record

def _read(path, frame, max_pixels):
    record = Record("Acme", pixel_size(5.0, 5.0, "header", "Acme scale"))
    return Picture(np.arange(12, dtype="uint8").reshape(3, 4), (record,))

ACME = FileFormat("acme", (".acme",), rb"ACME", _read)
"""
READ = "import sys; from morphoscope.io import find_micrographs, read; m = read(find_micrographs(sys.argv[1])[0]); "
SHOW = "print(m.reader, m.pixels.shape, m.pixel_size.x_nm)"


def installed(folder: Path, target: str) -> None:
    """A distribution as pip leaves it."""
    info = folder / "acme_formats-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-formats\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[morphoscope.file_format]\nacme = {target}\n", encoding="utf-8")
    (folder / "acme_formats.py").write_text(MODULE, encoding="utf-8")


def run(code: str, site: Path, pictures: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r}); {code}", str(pictures)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_a_format_of_another_package_is_found_and_read(tmp_path: Path) -> None:
    installed(tmp_path / "site", "acme_formats:ACME")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.acme").write_bytes(b"ACME picture")
    answer = run(READ + SHOW, tmp_path / "site", tmp_path / "pictures")
    assert answer.stdout.strip() == "acme (Acme) (3, 4) 5.0", answer.stderr


def test_a_broken_plug_in_is_named(tmp_path: Path) -> None:
    installed(tmp_path / "site", "acme_formats:NOTHING")
    (tmp_path / "a.acme").write_bytes(b"ACME picture")
    answer = run(READ + SHOW, tmp_path / "site", tmp_path)
    assert "MorphoscopeError: The file format 'acme' can't be loaded" in answer.stderr and "Update or remove" in answer.stderr
