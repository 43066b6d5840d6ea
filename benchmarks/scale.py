"""The scale read from the pixels, beside plain OCR over the whole picture: `python benchmarks/scale.py FOLDER [EVERY]`.

FOLDER holds emps/ (scale.csv, images/) and databar/ (truth.csv); EVERY takes each so-manieth picture of emps.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from morphoscope.calibration import read_picture
from morphoscope.calibration.label_text import find_lengths, parse_label
from morphoscope.io import read
from morphoscope.io.display import to_display
from morphoscope.scores.intervals import wilson_interval

OUT = Path(__file__).with_name("SCALE.md")


@dataclass
class Tally:
    """What became of the pictures of a set."""

    right: int = 0
    near: int = 0
    wrong: int = 0
    invented: int = 0
    labels: int = 0
    seconds: list[float] = field(default_factory=list)


def plain_ocr() -> Callable[[np.ndarray], tuple[float | None, float | None]]:
    """rapidocr as it comes over the whole picture; the first length it reads, and the longest run of pure ink as its bar."""
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "critical", "EngineConfig.onnxruntime.intra_op_num_threads": 1})

    def answer(pixels: np.ndarray) -> tuple[float | None, float | None]:
        grey = to_display(pixels, 0.0, 100.0)
        texts = engine(np.repeat(grey[:, :, None], 3, axis=2), use_cls=False).txts or ()
        lengths = [parse_label(text) for text in texts] + [length for text in texts for length in find_lengths(text)]
        value = next((length.value_nm for length in lengths if length is not None), None)
        return value, None if value is None else value / max(longest_run(grey), 1)

    return answer


def longest_run(grey: np.ndarray) -> int:
    """Length of the longest run of pure white or black in the lower 30 % that isn't as wide as the picture."""
    best = 0
    for row in grey[int(0.7 * len(grey)) :]:
        for ink in (row >= 250, row <= 5):
            edges = np.flatnonzero(np.diff(ink.astype(np.int8), prepend=0, append=0))
            runs = edges[1::2] - edges[::2]
            best = max(best, int(runs[runs < 0.8 * len(row)].max(initial=0)))
    return best


def ours(pixels: np.ndarray) -> tuple[float | None, float | None]:
    reading = read_picture(pixels)
    return (reading.scale_bar.value_nm if reading.scale_bar else None), reading.pixel_size_nm


def pictures(folder: Path, every: int) -> dict[str, list[tuple[Path, float | None, float | None, float | None]]]:
    """Sets of (picture, true pixel size, true label in nm, true bar in px); no truth where no scale can be read."""
    emps, databar = _rows(folder / "emps" / "scale.csv"), _rows(folder / "databar" / "truth.csv")
    images = folder / "emps" / "images"
    known = {row["filename"] for row in emps}
    return {
        "published figures": [
            (
                images / row["filename"],
                float(row["pixel_size_nm"]),
                float(row["scale_bar_nm"]),
                float(row["bar_x1"]) - float(row["bar_x0"]),
            )
            for row in emps[::every]
        ],
        "makers' strips": [
            (
                folder / "databar" / row["file"],
                float(row["pixel_size_nm"] or row["pixel_size_nm_from_bar"]),
                float(row["scalebar_nm"]),
                float(row["scalebar_px"]),
            )
            for row in databar
        ],
        "no readable scale": [(path, None, None, None) for path in sorted(images.glob("*.png")) if path.name not in known][
            ::every
        ],
    }


def measure(answer: Callable, rows: list) -> Tally:
    tally = Tally()
    for path, true_nm, label_nm, bar_px in rows:
        pixels = read(path).pixels
        start = time.process_time()
        value, pixel_nm = answer(pixels)
        tally.seconds.append(time.process_time() - start)
        if true_nm is None:
            tally.invented += pixel_nm is not None
            continue
        tally.labels += value is not None and abs(value / label_nm - 1) < 0.01
        if pixel_nm is None:
            continue
        error = abs(pixel_nm / true_nm - 1)
        is_right = error <= 0.03 or (
            value is not None and abs(value / label_nm - 1) < 0.01 and abs(value / pixel_nm - bar_px) <= 2
        )
        tally.right += is_right
        tally.near += not is_right and error <= 0.1
        tally.wrong += not is_right and error > 0.1
    return tally


def main(folder: Path, every: int) -> None:
    sets, readers = pictures(folder, every), {"Morphoscope": ours, "plain OCR": plain_ocr()}
    ours(np.zeros((100, 100), np.uint8))
    lines = [
        "| pictures | reader | n | pixel size right | up to 10 % off | wrong | abstained | label right | s a picture, mean / 95 % |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, rows in sets.items():
        for reader, answer in readers.items():
            tally, n = measure(answer, rows), len(rows)
            seconds = f"{np.mean(tally.seconds):.2f} / {np.percentile(tally.seconds, 95):.2f}"
            if rows[0][1] is None:
                cells = ["–", "–", f"{share(tally.invented, n)} invented", str(n - tally.invented), "–"]
            else:
                abstained = n - tally.right - tally.near - tally.wrong
                cells = [share(tally.right, n), str(tally.near), share(tally.wrong, n), str(abstained), share(tally.labels, n)]
            lines.append(f"| {name} | {reader} | {n} | {' | '.join(cells)} | {seconds} |")
            print(lines[-1], flush=True)
    head, _, _ = (
        OUT.read_text(encoding="utf-8").partition("| pictures") if OUT.exists() else ("# Scale from the pixels\n\n", "", "")
    )
    OUT.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


def share(count: int, n: int) -> str:
    low, high = wilson_interval(count / n, n)
    return f"{count / n:.3f} ({low:.2f}–{high:.2f})"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
