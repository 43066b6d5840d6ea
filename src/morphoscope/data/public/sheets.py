"""A data set's rows as the sheets that `train --labels` takes, and their counts against the published ones."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from morphoscope.data.public.data_set import DataSet, Row
from morphoscope.errors import DownloadError

CATALOGUE = "catalogue.csv"
PUBLISHED_TRAIN, PUBLISHED_TEST = "published-train.csv", "published-test.csv"
"""The two sides of the authors' split, which keeps no groups together."""
GROUP = "group"


def sheets(rows: Sequence[Row]) -> dict[str, str]:
    """File name to its text: the catalogue and, where the authors split the pictures, one sheet a side."""
    found = {CATALOGUE: _sheet(rows, rows)}
    for side, name in (("train", PUBLISHED_TRAIN), ("test", PUBLISHED_TEST)):
        part = [row for row in rows if row.published == side]
        if part:
            found[name] = _sheet(part, rows)
    return found


def _sheet(part: Sequence[Row], rows: Sequence[Row]) -> str:
    tasks = list(dict.fromkeys(task for row in rows for task in row.classes))
    metadata = list(dict.fromkeys(name for row in rows for name in row.metadata))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["filename", *tasks, GROUP, *metadata])
    for row in part:
        cells = [*(row.classes.get(task, "") for task in tasks), row.group, *(row.metadata.get(name, "") for name in metadata)]
        writer.writerow([row.filename, *cells])
    return stream.getvalue()


def count_classes(rows: Sequence[Row], task: str) -> dict[str, int]:
    """Class to its number of pictures, largest first."""
    return dict(Counter(row.classes[task] for row in rows if row.classes.get(task)).most_common())


def differences(data_set: DataSet, rows: Sequence[Row], parts: Sequence[str]) -> list[str]:
    """What of the counts is other than published, a phrase each. parts: those that were fetched, all where empty."""
    expected: Mapping[str, int] = data_set.counts
    if parts:
        expected = {name: count for name, count in expected.items() if name in parts}
    found = count_classes(rows, data_set.task)
    if expected:
        names = dict.fromkeys((*expected, *found))
        return [
            f"{name} {found.get(name, 0):,} in place of {expected.get(name, 0):,}"
            for name in names
            if found.get(name, 0) != expected.get(name, 0)
        ]
    if not parts and data_set.n_images is not None and len(rows) != data_set.n_images:
        return [f"{len(rows):,} images in place of {data_set.n_images:,}"]
    return []


def refuse_other_counts(data_set: DataSet, other: Sequence[str], folder: Path) -> None:
    """Raises DownloadError where counts are other than published."""
    if other:
        raise DownloadError(
            f"{folder}: counted {'; '.join(other)}; expected the published numbers of {data_set.title}. The record may have changed: "
            "add --accept-changes to take it as it is, or see whether there is a newer version of morphoscope."
        )
