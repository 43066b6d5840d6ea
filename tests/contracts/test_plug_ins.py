"""A package of somebody else adds a file format or a data set by an entry point, as the built-in ones do by the registry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from archives import zip_of
from local_server import Repository

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


DATA_SET = """
from morphoscope.data.public.data_set import DataSet, RemoteFile, Row, picture_below

def _files(web):
    return [RemoteFile("acme.zip", "https://acme.example/acme.zip", picture_below("images"))]

def _catalogue(fetched):
    return [Row(name, name, {"class": name[0]}) for name in fetched.pictures()]

ACME = DataSet("acme", "Acme pictures", "CC0", "Acme 2026", "https://acme.example", 2, _files, _catalogue)
"""


def installed(folder: Path, target: str, kind: str = "file_format", module: str = MODULE) -> None:
    """A distribution as pip leaves it."""
    info = folder / "acme_formats-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-formats\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[morphoscope.{kind}]\nacme = {target}\n", encoding="utf-8")
    (folder / "acme_formats.py").write_text(module, encoding="utf-8")


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


def test_a_data_set_of_another_package_is_listed_and_fetched(tmp_path: Path) -> None:
    installed(tmp_path / "site", "acme_formats:ACME", "data_set", DATA_SET)
    repository = Repository()
    try:
        repository.serve({"acme.example/acme.zip": zip_of({"a.png": b"1", "b.png": b"2"})})
        code = f"import morphoscope; morphoscope.fetch('acme', sys.argv[1], accept_licence=True, mirror={repository.address!r}); "
        code += "print([one.name for one in morphoscope.datasets()][-1])"
        answer = run(code, tmp_path / "site", tmp_path / "acme")
    finally:
        repository.stop()
    assert answer.stdout.strip() == "acme", answer.stderr
    assert (tmp_path / "acme" / "catalogue.csv").read_text(encoding="utf-8").splitlines()[1:] == [
        "a.png,a,a.png",
        "b.png,b,b.png",
    ]
