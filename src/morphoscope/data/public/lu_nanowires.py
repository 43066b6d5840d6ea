"""TEM of peptide and protein nanowires (Lu et al. 2022): dispersed, bundled, networked and single wires, with masks.

The pictures of single wires are few, and rotated copies of them fill the class: all copies of one picture share a group.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from morphoscope.data.public.data_set import MASKS, PICTURES, DataSet, Fetched, Place, RemoteFile, Row
from morphoscope.data.public.grouping import named_copies, rotated_copies, view_groups
from morphoscope.data.public.record import ZENODO, invenio, invenio_licence, matching
from morphoscope.data.public.web import Web

RECORD = "6377140"
CLASSES = ("bundle", "dispersed", "network", "singular")
MASK_WORDS = ("mask", "label", "segment", "ground", "truth")


def _place(name: str) -> Place:
    def place(member: PurePosixPath) -> PurePosixPath | None:
        if member.suffix.lower() not in PICTURES:
            return None
        is_mask = any(word in part.lower() for part in member.parts for word in MASK_WORDS)
        return PurePosixPath(MASKS if is_mask else "images", name, member.name)

    return place


def _files(web: Web) -> list[RemoteFile]:
    listed = invenio(web, ZENODO, RECORD)
    found = []
    for name in CLASSES:
        found += [one.to_fetch(_place(name), part=name) for one in matching(listed, rf"^{name}[^/]*\.zip$")]
    return found


def _catalogue(fetched: Fetched) -> Sequence[Row]:
    names = fetched.pictures()
    copies = [*named_copies(names), *rotated_copies(names)]
    of_single = [pair for pair in copies if names[pair[0]].startswith("singular/")]
    groups = view_groups(fetched.images, names, fetched.progress, of_single)
    return [Row(name, group, {"class": name.split("/")[0]}) for name, group in zip(names, groups, strict=True)]


LU_NANOWIRES = DataSet(
    name="lu-nanowires",
    title="TEM nanowires (Lu et al.)",
    licence="as the record says",
    citation="Lu, Montz, Emrick & Jayaraman, Digital Discovery 1, 816 (2022), https://doi.org/10.1039/D2DD00066K",
    page=f"https://doi.org/10.5281/zenodo.{RECORD}",
    n_images=400,
    parts=CLASSES,
    files=_files,
    catalogue=_catalogue,
    ask_licence=lambda web: invenio_licence(web, ZENODO, RECORD),
)
