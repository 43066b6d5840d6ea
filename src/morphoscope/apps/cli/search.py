"""`morphoscope search`: find pictures in an archive."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from morphoscope.archive.search import Hit


class Labels(StrEnum):
    """Whose classes a label sheet holds."""

    people = "people"
    model = "model"
    both = "both"


def search(
    query: Annotated[str, typer.Argument(help="A picture file, or words, classes and fields; see docs/archive.md.")],
    archive: Annotated[Path, typer.Option(help="The archive that `morphoscope index` made.")],
    out: Annotated[Path | None, typer.Option(help="Table of all hits: .csv or .parquet.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Label sheet of all that is found, for `morphoscope train`: .csv.")] = None,
    labels: Annotated[
        Labels, typer.Option(help="Whose classes it holds: of people, of the model where sure, both.")
    ] = Labels.people,
    count: Annotated[int | None, typer.Option(min=1, help="Most hits; 20, or all with --out.")] = None,
    sort: Annotated[
        str,
        typer.Option(help="similarity, relevance, added, name, confidence, novelty or a field; a minus in front turns it round."),
    ] = "",
    model: Annotated[str, typer.Option(help="Whose answers are meant, by name; the model used last, if left out.")] = "",
    overwrite: Annotated[bool, typer.Option(help="Replace earlier files.")] = False,
) -> None:
    """Find pictures by example, class, confidence, metadata, size or words, all in one query, best first.

    Example: morphoscope search 'Morphology=Rod confidence>0.9 pixel_size_nm<2 gold' --archive lab.archive --out hits.csv
    """
    from morphoscope.apps.cli.console import say
    from morphoscope.apps.verbs.search import search as run

    found = run(
        query,
        archive,
        out=out,
        sheet=sheet,
        labels=labels.value,
        count=count,
        sort=sort,
        model=model,
        overwrite=overwrite,
        say=say,
    )
    if out is None and sheet is None:
        for hit in found:
            print(_line(hit))
        say(f"{len(found)} pictures shown." if found else "Nothing found.")


def _line(hit: Hit) -> str:
    """A hit as a line: path first, then what is known, a tab between."""
    known = [str(hit.path)]
    known += [f"similarity {hit.score:.3f}"] if hit.score is not None else []
    known += [f"{task}: {guess.best} {guess.confidence:.2f}" for task, guess in hit.classes.items()]
    known += [f"{hit.pixel_size_nm:.4g} nm/px"] if hit.pixel_size_nm else []
    known += [f"{hit.n_objects} objects, median {hit.diameter_nm:.4g} nm"] if hit.n_objects and hit.diameter_nm else []
    known += [hit.state] if hit.state != "ok" else []
    return "\t".join(known)
