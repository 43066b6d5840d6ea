"""Every value of the truth sheets of makers' files against what is read: `python headers_against_truth.py FOLDER`."""

from __future__ import annotations

import csv
import math
import sys
from collections import Counter
from pathlib import Path

from morphoscope.errors import NoPictureError
from morphoscope.io import read

FIELDS = {
    "magnification": "magnification",
    "hv_kv": "hv_kv",
    "wd_mm": "wd_mm",
    "detector": "detector",
    "stage_tilt_deg": "tilt_deg",
}


def main(folder: Path) -> None:
    """folder: holds vendor/<maker>/truth.csv. A blank pixel size means that none may be given."""
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for sheet in sorted((folder / "vendor").glob("*/truth.csv")):
        for row in _rows(sheet):
            is_baseline = row["source_of_truth"].startswith("RosettaSciIO")
            kind = "baseline" if is_baseline else "header text"
            for name, is_right in _answers(sheet.parent / row["file"], row):
                label = f"{kind}: {name}"
                asked[label] += 1
                right[label] += is_right
                if not is_right:
                    print(f"{row['file']}: {name} is not {row.get(name) or 'unknown'}")
    for label in sorted(asked):
        n, k = asked[label], right[label]
        lowest = 0.05 ** (1 / n) if k == n else float("nan")  # one-sided 95 %, exact where all are right
        print(f"{label}: {k} of {n} right (at least {lowest:.2f})")


def _rows(sheet: Path) -> list[dict[str, str]]:
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _answers(path: Path, row: dict[str, str]) -> list[tuple[str, bool]]:
    try:
        micrograph = read(path)
        size, settings = micrograph.pixel_size, micrograph.acquisition
    except NoPictureError as error:
        size, settings = None, error.settings
    stated = row["pixel_size_nm"]
    is_right = size is None if not stated else size is not None and math.isclose(float(stated), size.x_nm, rel_tol=1e-4)
    answers = [("pixel_size_nm" if stated else "no pixel size", is_right)]
    return answers + [(column, _agrees(row[column], settings.value(name))) for column, name in FIELDS.items() if row[column]]


def _agrees(expected: str, found: float | str | None) -> bool:
    if found is None or isinstance(found, str):
        return found == expected
    return math.isclose(float(expected), found, rel_tol=1e-4, abs_tol=1e-3)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
