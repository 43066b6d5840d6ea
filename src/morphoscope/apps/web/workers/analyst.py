"""The process that finds and measures objects: as the decoder, with the segmenter loaded.

`python -m morphoscope.apps.web.workers.analyst BYTES`
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import cv2
import numpy as np
from scipy import ndimage

from morphoscope.apps.web.workers.decoder import calibrated
from morphoscope.apps.web.workers.loop import work_on
from morphoscope.apps.web.workers.messages import Message
from morphoscope.inference.instances import find_instances
from morphoscope.inference.segmentation import ObjectFinder
from morphoscope.measure.picture import Asked, MeasuredPicture, measure_picture
from morphoscope.measure.tables import measurement_rows, summary_row
from morphoscope.models.segmenter_file import load_segmenter
from morphoscope.reporting.measured import reported_picture

MOST_OBJECTS = 5000
"""More are counted and measured, but not sent."""
_MOST_BINS = 40
_SMOOTH_PX = 0.6


@cache
def _finder() -> ObjectFinder:
    return ObjectFinder(load_segmenter(None))


def objects(job: dict[str, Any]) -> Message:
    """Outlines, rows of measurements.csv and the row of summary.csv, the histogram of sizes."""
    micrograph, _ = calibrated(job)
    instance_map = find_instances(micrograph, _finder())
    measured = measure_picture(micrograph, instance_map, Asked(cells=job["user"]))
    rows = [row | {"path": job["name"]} for row in measurement_rows(measured)]
    return Message(
        {
            "outlines": _outlines(instance_map, [int(row["object"]) for row in rows[:MOST_OBJECTS]]),
            "objects": rows[:MOST_OBJECTS],
            "n_left_out": max(0, len(rows) - MOST_OBJECTS),
            "summary": summary_row(measured) | {"path": job["name"]},
            "histogram": _histogram(measured),
        },
        {"diameters_nm": measured.diameters_nm},
    )


def _outlines(instance_map: np.ndarray, numbers: list[int]) -> list[list[tuple[float, float]]]:
    """A ring of (x, y) in px an object, around its largest piece."""
    boxes = ndimage.find_objects(instance_map)
    rings = []
    for number in numbers:
        rows, columns = boxes[number - 1]
        piece = (instance_map[rows, columns] == number).astype(np.uint8)
        contours, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        ring = cv2.approxPolyDP(max(contours, key=len), _SMOOTH_PX, True)[:, 0] + (columns.start, rows.start)
        rings.append([(float(x) + 0.5, float(y) + 0.5) for x, y in ring])
    return rings


def _histogram(measured: MeasuredPicture) -> dict[str, Any] | None:
    """Of the size that the picture is told by, each object weighted by how many it stands for."""
    reported = reported_picture(measured, "", "", is_pooled=True)
    sizes = reported.sizes[reported.main]
    values = sizes.px if sizes.nm is None else sizes.nm
    is_known = np.isfinite(values)
    if not is_known.any():
        return None
    values, weights = values[is_known], sizes.weights[is_known]
    edges = np.histogram_bin_edges(values, "auto")
    if len(edges) > _MOST_BINS + 1:
        edges = np.histogram_bin_edges(values, _MOST_BINS)
    counts, edges = np.histogram(values, edges, weights=weights)
    return {
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "unit": "px" if sizes.nm is None else "nm",
        "quantity": reported.main.capitalize(),
    }


def main() -> None:
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(max(1, torch.get_num_threads() - 1))
    _finder()
    work_on({"objects": objects}, int(sys.argv[1]))


if __name__ == "__main__":
    main()
