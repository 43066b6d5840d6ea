"""Warwick electron microscopy data sets (Ede 2020): STEM and TEM without labels. Their page has no lasting address a file."""

from __future__ import annotations

from collections.abc import Sequence

from morphoscope.data.public.data_set import DataSet, Fetched, RemoteFile, Row
from morphoscope.data.public.web import Web


def _files(web: Web) -> list[RemoteFile]:
    return []


def _catalogue(fetched: Fetched) -> Sequence[Row]:
    return [Row(name, name) for name in fetched.pictures()]


WARWICK = DataSet(
    name="warwick",
    title="Warwick STEM and TEM, unlabelled",
    licence="as the page says",
    citation="Ede, Mach. Learn.: Sci. Technol. 1, 045003 (2020), https://doi.org/10.1088/2632-2153/ab9c3c",
    page="https://github.com/Jeffrey-Ede/datasets",
    n_images=19_769 + 17_266,
    files=_files,
    catalogue=_catalogue,
    is_labelled=False,
    by_hand="its files are linked from that page and move; download them in a browser and give the folder to `pretrain`",
)
