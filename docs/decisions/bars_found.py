"""Information bars found and missed in a folder of real micrographs with a truth sheet: `python bars_found.py FOLDER`."""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path

import numpy as np

from morphoscope.calibration import find_information_bar
from morphoscope.io import read


def main(folder: Path) -> None:
    """folder: holds databar/ and nffa_layout/, each with truth.csv, and emps/images/."""
    rows = _rows(folder / "databar")
    true = {row["file"]: float(row["bar_top_y"]) for row in rows if row["layout"] == "bottom-strip"}
    found = {row["file"]: find_information_bar(read(folder / "databar" / row["file"]).pixels) for row in rows}
    _say("databar", set(true), found)
    errors = np.array([abs(bar.top - true[name]) for name, bar in found.items() if bar and name in true])
    print(f"top row exact to one in {np.sum(errors <= 1)} of {len(errors)}, at most {errors.max():.0f} off")
    rows = _rows(folder / "nffa_layout")
    found = {row["file"]: find_information_bar(read(folder / "nffa_layout" / row["file"]).pixels) for row in rows}
    _say("nffa_layout", {row["file"] for row in rows if row["has_info_bar"] == "1"}, found)
    seconds = megapixels = n_found = 0.0
    for path in sorted((folder / "emps" / "images").glob("*.png")):
        pixels = read(path).pixels
        start = time.perf_counter()
        n_found += find_information_bar(pixels) is not None
        seconds, megapixels = seconds + time.perf_counter() - start, megapixels + pixels.size / 1e6
    print(f"emps: {n_found:.0f} found; {1000 * seconds / megapixels:.0f} ms a megapixel")


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "truth.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _say(name: str, true: set[str], found: dict) -> None:
    seen = {file for file, bar in found.items() if bar}
    print(f"{name}: {len(found)} pictures, {len(true)} with a bar, {len(seen & true)} found, {len(seen - true)} wrongly")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
