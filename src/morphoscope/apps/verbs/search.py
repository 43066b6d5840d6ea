"""Search: an archive's pictures by words, classes, fields and likeness; shown, or written for other programs and for `train`."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from morphoscope.apps.verbs.arguments import PathLike, Say, command_line, silent
from morphoscope.apps.verbs.output import claim_file, writing
from morphoscope.archive.labels import LabelSource
from morphoscope.archive.models import KnownModel
from morphoscope.archive.query import Query, parse
from morphoscope.archive.search import Hit as Hit
from morphoscope.archive.search import Selection, hits, select
from morphoscope.archive.store import Archive
from morphoscope.errors import OutputError

_TABLES = (".csv", ".parquet")


def search(
    query: str,
    archive: PathLike,
    *,
    out: PathLike | None = None,
    sheet: PathLike | None = None,
    labels: LabelSource = "people",
    count: int | None = None,
    sort: str = "",
    model: str = "",
    overwrite: bool = False,
    say: Say = silent,
) -> list[Hit]:
    """The pictures of an archive that a query finds, the first `count` of them (20, or all with `out`).

        morphoscope.search("Morphology=Rod confidence>0.9 gold", "lab.archive")

    query: a picture file, whose like is sought, or what docs/archive.md describes. out: a table of the hits, .csv or .parquet.
    sheet: a label sheet of all that is found, for `morphoscope train`; labels: whose. Raises MorphoscopeError, whose text is
    meant to be shown.
    """
    _claim(out, sheet, overwrite)
    with Archive.open(archive if isinstance(archive, str) else Path(archive), must_exist=True) as opened:
        limit = count if count is not None else None if out else 20
        found = select(opened, _query(query), look=_look, sort=sort, model=model, at_most=limit)
        if found.without_features:
            say(
                f"{found.without_features} pictures could not be compared: they were not indexed with that model, or not readable."
            )
        if found.is_approximate:
            say("The archive is very large: a few of the most similar may be missing.")
        if out is not None:
            _write(opened, found, limit, Path(out))
            say(f"{min(len(found.ids), limit or len(found.ids))} of {len(found.ids)} pictures: {out}")
        if sheet is not None:
            _write_sheet(opened, found, Path(sheet), labels, say)
        return hits(opened, found.columns, found.ids[:limit], None if found.score is None else found.score[:limit])


def _look(model: KnownModel, path: Path) -> np.ndarray:
    """Features of a file that the archive doesn't have; only then is the model needed, which takes seconds to load."""
    from morphoscope.archive.looking import looker

    return looker()(model, path)


def _query(text: str) -> Query:
    """A query, or the name of a picture file."""
    try:
        is_file = Path(text).is_file()
    except (OSError, ValueError):
        is_file = False
    return Query(like=text) if is_file else parse(text)


def _claim(out: PathLike | None, sheet: PathLike | None, overwrite: bool) -> None:
    for option, path, endings in (("--out", out, _TABLES), ("--sheet", sheet, (".csv",))):
        if path is None:
            continue
        if Path(path).suffix.lower() not in endings:
            raise OutputError(
                f"{option} {path}: it ends in '{Path(path).suffix}'; expected {' or '.join(endings)}. "
                f"Write {option} {Path(path).with_suffix(endings[0])}."
            )
        claim_file(Path(path), overwrite, option=option)


def _write(archive: Archive, found: Selection, limit: int | None, out: Path) -> None:
    from morphoscope.archive.export import table

    rows = table(archive, found, limit)
    with writing(out, "Choose another --out."):
        if out.suffix.lower() == ".csv":
            rows.to_csv(out, index=False, lineterminator="\n")
        else:
            rows.to_parquet(out, index=False)


def _write_sheet(archive: Archive, found: Selection, sheet: Path, labels: LabelSource, say: Say) -> None:
    from morphoscope.archive.export import label_sheet

    rows = label_sheet(archive, found, labels)
    with writing(sheet, "Choose another --sheet."):
        rows.to_csv(sheet, index=False, lineterminator="\n", encoding="utf-8")
    home = os.path.commonpath([Path(name).parent for name in rows["filename"]])
    say(
        f"{len(rows)} labelled pictures: {sheet}. Train on them with: {command_line('train', home, '--labels', sheet, '--out', 'run')}"
    )
