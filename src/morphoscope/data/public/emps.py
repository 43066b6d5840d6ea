"""EMPS (Yildirim & Cole 2021): particles in SEM and TEM pictures of 322 papers, with an instance map each.

The authors give no classes; how many particles a picture shows is counted in its map. The paper (DOI) is the group.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
import pandas as pd

from morphoscope.data.public.data_set import MASKS, PICTURES, SOURCE, DataSet, Fetched, RemoteFile, Row
from morphoscope.data.public.web import Web
from morphoscope.errors import DownloadError
from morphoscope.measure.instance_map import read_instance_map

COMMIT = "dd8f86d"
TASK = "Particle count"
METADATA, TRAIN, TEST = "metadata.csv", "train.csv", "test.csv"


def _place(member: PurePosixPath) -> PurePosixPath | None:
    """images/, segmaps/ and the tables of the repository."""
    if member.suffix.lower() in PICTURES and member.parent.name == "images":
        return PurePosixPath("images", member.name)
    if member.suffix.lower() in PICTURES and member.parent.name == "segmaps":
        return PurePosixPath(MASKS, member.name)
    return PurePosixPath(SOURCE, member.name) if member.name in (METADATA, TRAIN, TEST) else None


def _files(web: Web) -> list[RemoteFile]:
    return [RemoteFile(f"emps-{COMMIT}.tar.gz", f"https://codeload.github.com/by256/emps/tar.gz/{COMMIT}", _place)]


def _catalogue(fetched: Fetched) -> Sequence[Row]:
    names = fetched.pictures()
    papers = _papers(fetched.source / METADATA)
    test = _names_in(fetched.source / TEST)
    train = _names_in(fetched.source / TRAIN)
    rows = []
    for done, name in enumerate(names, start=1):
        stem = PurePosixPath(name).stem
        if stem not in papers:
            raise DownloadError(
                f"{fetched.source / METADATA}: it has no row for {name}; expected the DOI of every picture. The record has changed: "
                "see whether there is a newer version of morphoscope."
            )
        side: Literal["", "train", "test"] = "test" if stem in test else "train" if stem in train else ""
        rows.append(Row(name, papers[stem], {TASK: particle_count(fetched.masks / f"{stem}.png")}, published=side))
        fetched.progress(done, len(names))
    return rows


def particle_count(instance_map: Path) -> str:
    """None, One, Few (2-10) or Many (>10) objects of an instance map."""
    numbers = read_instance_map(instance_map)
    objects = len(np.unique(numbers)) - bool((numbers == 0).any())
    limits = {0: "None", 1: "One", 10: "Few (2-10)"}
    return next((name for most, name in limits.items() if objects <= most), "Many (>10)")


def _papers(table: Path) -> dict[str, str]:
    """Stem of a picture to the DOI of its paper, as the authors write it."""
    try:
        # pandas, since the outlines in a further column are longer than the csv module takes
        sheet = pd.read_csv(table, usecols=["filename", "doi"], dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DownloadError(
            f"{table}: it can't be read ({error}); expected the authors' table of filename and doi. The record has changed: see "
            "whether there is a newer version of morphoscope."
        ) from error
    return {PurePosixPath(name).stem: doi for name, doi in zip(sheet["filename"], sheet["doi"], strict=True)}


def _names_in(table: Path) -> set[str]:
    """The stems of all files that a table names, whatever its columns; empty without the table."""
    if not table.is_file():
        return set()
    cells = re.split(r"[,;\s]+", table.read_text(encoding="utf-8"))
    return {PurePosixPath(cell.strip("\"'")).stem for cell in cells if cell}


EMPS = DataSet(
    name="emps",
    title="EMPS, particles with instance maps",
    licence="MIT",
    citation="Yildirim & Cole, J. Chem. Inf. Model. 61, 1136 (2021), https://doi.org/10.1021/acs.jcim.0c01455",
    page="https://github.com/by256/emps",
    n_images=465,
    task=TASK,
    files=_files,
    catalogue=_catalogue,
)
