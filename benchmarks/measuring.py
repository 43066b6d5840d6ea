"""How fast, how small and how true measuring is, on drawn and rendered truth.

    python benchmarks/measuring.py                # all; writes MEASURING.md
    python benchmarks/measuring.py speed truth    # some of: speed memory truth percolation statistics

Speeds are ratios of the same columns of the same map, the two programs in turns, after a warm-up, in seconds of one core.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np
import psutil
import skimage
import tifffile
from scipy.spatial import cKDTree
from skimage.measure import regionprops_table
from sklearn.cluster import DBSCAN

from morphoscope.measure.particles import measure_particles, trace
from morphoscope.measure.percolation import percolates
from morphoscope.measure.picture import measure_picture
from morphoscope.measure.shape_statistics import shape_statistics
from morphoscope.measure.wires import measure_wires
from morphoscope.micrograph import Micrograph, PixelSize
from morphoscope.synthesis import render

PAGE = Path(__file__).parent / "MEASURING.md"
ROUNDS, SIDE = 3, 4096
COLUMNS = (
    *("area", "centroid", "equivalent_diameter_area", "feret_diameter_max", "perimeter_crofton", "solidity"),
    *("axis_major_length", "axis_minor_length", "orientation"),
)


def grid_map(count: int, side: int = SIDE) -> np.ndarray:
    """(side, side) uint16 with `count` ellipses of many sizes and turns, one a cell of a grid."""
    rng = np.random.default_rng(0)
    across = int(np.ceil(np.sqrt(count)))
    pitch = side // across
    drawn = np.zeros((side, side), np.uint16)
    for number in range(count):
        row, column = divmod(number, across)
        centre = (int((column + 0.5) * pitch), int((row + 0.5) * pitch))
        axes = tuple(int(each) for each in rng.uniform(0.2, 0.47, 2) * pitch)
        cv2.ellipse(drawn, centre, axes, float(rng.uniform(0, 180)), 0, 360, number + 1, -1)
    return drawn


def by_scikit_image(instance_map: np.ndarray) -> dict[str, np.ndarray]:
    """What a user would write; min Feret diameters it does not have."""
    table = regionprops_table(instance_map, properties=COLUMNS)
    table["circularity"] = 4 * np.pi * table["area"] / table["perimeter_crofton"] ** 2
    centroids = np.column_stack([table["centroid-0"], table["centroid-1"]])
    table["nearest"] = cKDTree(centroids).query(centroids, k=2)[0][:, 1]
    return table


def seconds(run: Callable[[], object]) -> float:
    """Of the one core that it has: what else the machine does doesn't count."""
    began = time.process_time()
    run()
    return time.process_time() - began


def ratio(name: str, ours: Callable[[], object], theirs: Callable[[], object]) -> str:
    """A row of the page: seconds of both, and the median ratio with its range."""
    pairs = [(seconds(theirs), seconds(ours)) for _ in range(ROUNDS + 1)][1:]
    ratios = [slow / fast for slow, fast in pairs]
    slow, fast = (statistics.median(column) for column in zip(*pairs, strict=True))
    return f"| {name} | {fast:.3g} s | {slow:.3g} s | **{statistics.median(ratios):.1f}** | {min(ratios):.1f}–{max(ratios):.1f} |"


def speed() -> list[str]:
    """Same columns of the same map; percolation against DBSCAN; and a whole picture with all figures."""
    rows = ["", "## Speed", "", "| what | here | the obvious way | ratio | range |", "|---|---|---|---|---|"]
    for count in (500, 5000):
        drawn = grid_map(count)
        what = f"{SIDE}² px, {count:,} objects, the columns of regionprops_table"
        rows.append(ratio(what, lambda m=drawn: measure_particles(m), lambda m=drawn: by_scikit_image(m)))
    (wires,) = render("tem-nanowires", 1, size=(512, 640), seed=2, start=2, bar=0.0)
    assert wires.instance_map is not None
    covered = wires.instance_map > 0
    rows.append(
        ratio("percolation of a rendered network, 512 × 640 px", lambda: percolates(covered), lambda: dbscan_percolates(covered))
    )
    picture = Micrograph(
        Path("p"), np.random.default_rng(0).integers(0, 255, (SIDE, SIDE), np.uint8), "drawn", PixelSize(1, 1, "user")
    )
    for count in (5000, 20000):
        drawn = grid_map(count)
        took = statistics.median(seconds(lambda m=drawn: measure_picture(picture, m)) for _ in range(ROUNDS))
        rows.append(f"| {SIDE}² px, {count:,} objects, all of summary.csv | {took:.3g} s | – | – | – |")
    return rows


def dbscan_percolates(covered: np.ndarray) -> bool:
    """The seed's rule as it was written: DBSCAN of the pixels' coordinates."""
    pixels = np.argwhere(covered)
    found = DBSCAN(eps=2, min_samples=2).fit(pixels).labels_
    spans = np.array(covered.shape) - 2
    return any((np.ptp(pixels[found == number], axis=0) >= spans).all() for number in range(found.max() + 1))


def memory() -> list[str]:
    """The largest resident memory of `measure` on a picture of 4096² in 16 bits with 20,000 objects, report and all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("images", "masks"):
            (folder / part).mkdir()
        grey = np.random.default_rng(0).integers(0, 65535, (SIDE, SIDE), np.uint16)
        tifffile.imwrite(folder / "images" / "a.tif", grey, imagej=True, resolution=(1, 1), metadata={"unit": "nm"})
        tifffile.imwrite(folder / "masks" / "a.tif", grid_map(20000))
        words = ["measure", f"{name}/images", "--masks", f"{name}/masks", "--out", f"{name}/m.csv", "--report", f"{name}/r"]
        process = psutil.Popen([sys.executable, "-m", "morphoscope.apps.cli.main", *words], stderr=subprocess.DEVNULL)
        peak, took = 0, 0.0
        while process.poll() is None:
            with process.oneshot():
                peak, took = max(peak, process.memory_info().rss), sum(process.cpu_times()[:2])
            time.sleep(0.02)
        assert process.returncode == 0
    return [
        "",
        f"`measure` on {SIDE}² px in 16 bits with 20,000 objects and a report, start and tables and all: {peak / 2**30:.2f} GB at "
        f"most, {took:.1f} s.",
    ]


def truth() -> list[str]:
    """Rendered pictures with true masks: objects that the picture does not cut."""
    rows = [
        "",
        "## Rendered truth, true masks",
        "",
        "| what | objects | mean error, 95 % interval | median error | 90 % of errors below |",
        "|---|---|---|---|---|",
    ]
    for kind in ("sem-particles", "tem-particles"):
        found, true = [], []
        for picture in render(kind, 60, size=(384, 512), seed=11, bar=0.0):
            if picture.labels["Arrangement"] != "Isolated" or picture.instance_map is None:
                continue
            sizes = measure_particles(picture.instance_map, picture.pixel_size_nm).equivalent_circular_diameter
            pairs = zip(sizes, picture.objects, strict=True)
            pairs = [(size, each.ecd_nm) for size, each in pairs if each.kind == "particle" and not each.touches_border]
            found += [size for size, _ in pairs]
            true += [size for _, size in pairs]
        rows.append(_errors(f"{kind}, isolated: diameter", found, true))
    length: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    width: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for picture in render("tem-nanowires", 60, size=(384, 512), seed=11, bar=0.0):
        assert picture.instance_map is not None
        chosen = [i for i, each in enumerate(picture.objects) if not each.touches_border]
        wires = measure_wires(picture.instance_map, trace(picture.instance_map), chosen, picture.pixel_size_nm or (1, 1))
        for i, a, b in zip(chosen, wires.length, wires.width, strict=True):
            each, is_bundle = picture.objects[i], picture.labels["class"] == "bundle"
            length[is_bundle].append((a, each.length_nm or 0))
            width[is_bundle].append((b, each.width_nm or 0))
    for is_bundle, name in ((False, "single, dispersed and crossing wires"), (True, "strands of bundles, which hide each other")):
        rows.append(_errors(f"{name}: length", *zip(*length[is_bundle], strict=True)))
        rows.append(_errors(f"{name}: width", *zip(*width[is_bundle], strict=True)))
    rows += [
        "",
        "A rendered diameter is that of the pixels drawn, so the first two rows test units and numbers alone; drawn discs of known "
        "size are within 1 % (`tests/measure/test_particles.py`).",
    ]
    return rows


def _errors(name: str, found: list[float], true: list[float]) -> str:
    a, b = np.array(found), np.array(true)
    error = a / b - 1
    low, high = np.percentile(
        [np.mean((a / b)[r]) - 1 for r in np.random.default_rng(0).integers(len(a), size=(1000, len(a)))], (2.5, 97.5)
    )
    return (
        f"| {name} | {len(a)} | {100 * error.mean():+.2f} % ({100 * low:+.2f} to {100 * high:+.2f}) | {100 * np.median(error):+.2f} % | "
        f"{100 * np.quantile(abs(error), 0.9):.1f} % |"
    )


def percolation() -> list[str]:
    """The rule by labelling against the same rule by DBSCAN on rendered nanowires, true masks."""
    agree, network, others = [], [], []
    for picture in render("tem-nanowires", 200, size=(160, 200), seed=12, bar=0.0):
        assert picture.instance_map is not None
        covered = picture.instance_map > 0
        found = percolates(covered)
        agree.append(found == dbscan_percolates(covered))
        (network if picture.labels["class"] == "network" else others).append(found)
    return [
        "",
        "## Percolation",
        "",
        f"{len(agree)} rendered nanowire pictures, true masks: the answer is DBSCAN's in {sum(agree)}. It calls {sum(network)} of "
        f"{len(network)} networks percolating, and {sum(others)} of {len(others)} others.",
    ]


def statistics_speed() -> list[str]:
    """The shape statistics of a map of 512² with a hundred objects."""
    drawn = grid_map(100, 512)
    shape_statistics(drawn)
    took = statistics.median(seconds(lambda: shape_statistics(drawn)) for _ in range(10))
    return ["", f"Shape statistics of 512² px with 100 objects: {1000 * took:.0f} ms."]


BENCHMARKS = {"speed": speed, "memory": memory, "truth": truth, "percolation": percolation, "statistics": statistics_speed}


def main() -> None:
    """Runs what was asked for; the page is written as results come in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help=", ".join(BENCHMARKS))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    lines = [
        "# Measuring",
        "",
        f"`python benchmarks/measuring.py`; {platform.processor() or platform.machine()}, seconds of one core, scikit-image "
        f"{skimage.__version__}, load before {psutil.getloadavg()[0]:.0f}. Pairs in turns, {ROUNDS} rounds; median, range.",
    ]
    for name in options.names or BENCHMARKS:
        lines += BENCHMARKS[name]()
        print("\n".join(lines[-6:]), flush=True)
        PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
