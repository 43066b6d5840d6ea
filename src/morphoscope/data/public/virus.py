"""TEM of viruses (Matuszewski & Sintorn 2021): 14 viruses, cut out at 1 nm a pixel, in the authors' three parts.

The parts share micrographs, so a network can know the session in place of the virus: cut-outs of one acquisition date and
magnification share a group. The authors' augmented copies and whole micrographs are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from morphoscope.data.public.data_set import PICTURES, DataSet, Fetched, RemoteFile, Row
from morphoscope.data.public.record import matching, mendeley, mendeley_licence
from morphoscope.data.public.web import Web

IDENTIFIER, VERSION = "x4dwwfwtw3", 3
CUT_OUTS = "context_virus_1nm_256x256"
PARTS = {"train": 5740, "validation": 2249, "test": 1900}
PIXEL_SIZE_NM = "1"
_DATE = re.compile(r"(?<!\d)(\d{6}|\d{8})(?!\d)")
_MAGNIFICATION = re.compile(r"(?<![A-Za-z0-9.])(\d+(?:[.,]\d+)?)\s*[kK](?![a-zA-Z])")
_CUT_OUT = re.compile(r"_\d+$")


def _place(member: PurePosixPath) -> PurePosixPath | None:
    """PART/VIRUS/NAME of the cut-outs."""
    if member.suffix.lower() not in PICTURES or CUT_OUTS not in member.parts:
        return None
    part, *below = member.parts[member.parts.index(CUT_OUTS) + 1 :]
    return PurePosixPath("images", part, *below) if part in PARTS and len(below) == 2 else None


def _files(web: Web) -> list[RemoteFile]:
    listed = mendeley(web, IDENTIFIER, VERSION)
    named = [one for one in listed if CUT_OUTS in one.path.as_posix() and "augmented" not in one.path.as_posix()]
    wanted = named or matching(listed, r"\.(zip|tar|tgz|tar\.gz)$")
    return [one.to_fetch(_place) for one in wanted]


def session(name: str) -> str:
    """Acquisition date and magnification of `A4-65k-071120_2_0.tif`, or the micrograph's name where it tells neither."""
    stem = PurePosixPath(name).stem
    date, magnification = _DATE.search(stem), _MAGNIFICATION.search(stem)
    told = [found[1] for found in (date, magnification) if found]
    return " ".join([*told[:1], f"{told[1]}k"]) if len(told) == 2 else _CUT_OUT.sub("", stem)


def _catalogue(fetched: Fetched) -> Sequence[Row]:
    rows = []
    for name in fetched.pictures():
        part, virus, _ = name.split("/")
        side = "test" if part == "test" else "train"
        rows.append(Row(name, session(name), {"class": virus}, {"pixel_size_nm": PIXEL_SIZE_NM}, side))  # type: ignore[arg-type]
    return rows


VIRUS = DataSet(
    name="virus",
    title="TEM virus",
    licence="as the record says",
    citation="Matuszewski & Sintorn, Comput. Methods Programs Biomed. 209, 106318 (2021), https://doi.org/10.1016/j.cmpb.2021.106318",
    page=f"https://doi.org/10.17632/{IDENTIFIER}.{VERSION}",
    n_images=sum(PARTS.values()),
    files=_files,
    catalogue=_catalogue,
    ask_licence=lambda web: mendeley_licence(web, IDENTIFIER, VERSION),
)
