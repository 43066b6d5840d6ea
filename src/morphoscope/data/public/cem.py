"""CEM500K and CEM1.5M: cut-outs of cellular electron microscopy without labels, to learn an encoder from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from morphoscope.data.public.data_set import ARCHIVES, PICTURES, DataSet, Fetched, RemoteFile, Row
from morphoscope.data.public.record import matching, web_folder
from morphoscope.data.public.web import Web

EMPIAR = "https://ftp.ebi.ac.uk/empiar/world_availability"
_WANTED = "({})$".format("|".join(ending.replace(".", r"\.") for ending in (*ARCHIVES, *PICTURES)))


def _place(member: PurePosixPath) -> PurePosixPath | None:
    """Pictures keep their folders, which tell the volume that they were cut from."""
    return PurePosixPath("images", *member.parts) if member.suffix.lower() in PICTURES else None


def _files_of(entry: int) -> Callable[[Web], list[RemoteFile]]:
    def files(web: Web) -> list[RemoteFile]:
        listed = web_folder(web, f"{EMPIAR}/{entry}/data/")
        return [one.to_fetch(_place) for one in matching(listed, _WANTED)]

    return files


def _catalogue(fetched: Fetched) -> Sequence[Row]:
    """The folder of a cut-out is its group."""
    return [Row(name, PurePosixPath(name).parent.as_posix()) for name in fetched.pictures()]


CEM500K = DataSet(
    name="cem500k",
    title="CEM500K, unlabelled (about 500,000)",
    licence="CC0 (EMPIAR)",
    citation="Conrad & Narayan, eLife 10, e65894 (2021), https://doi.org/10.7554/eLife.65894",
    page="https://doi.org/10.6019/EMPIAR-10592",
    n_images=None,
    size=25 * 10**9,
    files=_files_of(10592),
    catalogue=_catalogue,
    is_labelled=False,
)

CEM1_5M = DataSet(
    name="cem1.5m",
    title="CEM1.5M, unlabelled",
    licence="CC0 (EMPIAR)",
    citation="Conrad & Narayan, Cell Systems 14, 58 (2023), https://doi.org/10.1016/j.cels.2022.12.006",
    page="https://doi.org/10.6019/EMPIAR-11035",
    n_images=1_592_753,
    files=_files_of(11035),
    catalogue=_catalogue,
    is_labelled=False,
)
