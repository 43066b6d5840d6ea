"""Every answer as a table, for people who want to see who said what."""

from __future__ import annotations

import pandas as pd

from morphoscope.archive.annotation.answers import answer_history
from morphoscope.archive.files import from_stored, shown
from morphoscope.archive.store import Archive

COLUMNS = ("path", "task", "annotator", "kind", "class", "given", "made_at", "is_undone", "is_outdated")


def answers_table(archive: Archive) -> pd.DataFrame:
    """A row an answer, in the order given, with the name of the class then (`given`) and what it means now (`class`).

    `class` is blank where the annotator was unsure, or the class was split since.
    """
    pictures = archive.connection.execute(
        "SELECT DISTINCT p.id, p.path FROM answer a JOIN picture p ON p.id = a.picture ORDER BY p.id"
    ).fetchall()
    rows = [
        (
            *(one.id, shown(str(from_stored(path))), one.task, one.annotator, one.kind, one.class_name or "", one.given),
            *(one.made_at, one.is_undone, one.is_outdated),
        )
        for number, path in pictures
        for one in answer_history(archive, number)
    ]
    return pd.DataFrame([row[1:] for row in sorted(rows)], columns=list(COLUMNS))
