"""NFFA-EUROPE SEM: ten classes of nanoscience pictures from one microscope.

Two of the releases: the "100 % validated" set (version 2), whose labels every expert agreed on, and the "majority" set. The other
releases have other pictures in other numbers and are not mixed in.
"""

from __future__ import annotations

from collections.abc import Sequence

from morphoscope.data.public.data_set import DataSet, Fetched, RemoteFile, Row, picture_below
from morphoscope.data.public.grouping import view_groups
from morphoscope.data.public.record import B2SHARE, invenio, matching
from morphoscope.data.public.web import Web

CITATION = (
    "Aversa, Modarres, Cozzini, Ciancio & Chiusole, Scientific Data 5, 180172 (2018), https://doi.org/10.1038/sdata.2018.172"
)
RECORD = "https://b2share.eudat.eu/records/zja8y-53j14"
MAJORITY = "e344a8afef08463a855ada08aadbf352"

# class: images, bytes and MD5 of its archive
ARCHIVES = {
    "Biological": (962, 703825920, "296cd6be5ac97b2203e807e9552d9aeb"),
    "Fibres": (150, 80977920, "c942e19b8ab221d3c700f44a0c67b306"),
    "Films_Coated_Surface": (309, 197632000, "3c2e6cb914e1864855d9c3805ef47913"),
    "MEMS_devices_and_electrodes": (4583, 3305451520, "98a988b167ff25528b80ab8bf7585c04"),
    "Nanowires": (3815, 2203371520, "bc51bd48acbb693e5f34e0c9f882cf3e"),
    "Particles": (3905, 2519879680, "61266e91981d0a0b4f7c6f15061cffc9"),
    "Patterned_surface": (4752, 2874941440, "44d3964bef4ee7e84ba2f99c84036e9c"),
    "Porous_Sponge": (174, 119562240, "fc71dc2603d6255b28aa6954a0190665"),
    "Powder": (898, 865822720, "8209599720c2b5e0cfde6a985d49d0a3"),
    "Tips": (1621, 707338240, "e5a5bc0fbc7f3339b4ab5f4229991290"),
}


def _files(web: Web) -> list[RemoteFile]:
    return [
        RemoteFile(
            f"{name}.tar",
            f"{RECORD}/files/{name}.tar?download=1",
            picture_below("images", name),
            size,
            f"md5:{md5}",
            told_by="program",
            part=name,
        )
        for name, (_, size, md5) in ARCHIVES.items()
    ]


def _majority_files(web: Web) -> list[RemoteFile]:
    listed = matching(invenio(web, B2SHARE, MAJORITY), r"\.tar$")
    return [one.to_fetch(picture_below("images", one.path.stem), part=one.path.stem) for one in listed]


def _catalogue(fetched: Fetched) -> Sequence[Row]:
    """Folder names are the classes; near-duplicates share a group."""
    names = fetched.pictures()
    groups = view_groups(fetched.images, names, fetched.progress)
    return [Row(name, group, {"class": name.split("/")[0]}) for name, group in zip(names, groups, strict=True)]


NFFA = DataSet(
    name="nffa",
    title="NFFA-EUROPE SEM, 100 % validated",
    licence="CC BY 4.0",
    citation=CITATION,
    page="https://doi.org/10.23728/b2share.80df8606fcdb4b2bae1656f0dc6db8ba",
    n_images=sum(images for images, _, _ in ARCHIVES.values()),
    size=sum(size for _, size, _ in ARCHIVES.values()),
    counts={name: images for name, (images, _, _) in ARCHIVES.items()},
    parts=tuple(ARCHIVES),
    files=_files,
    catalogue=_catalogue,
)

NFFA_MAJORITY = DataSet(
    name="nffa-majority",
    title="NFFA-EUROPE SEM, majority",
    licence="CC BY 4.0",
    citation=CITATION,
    page=f"https://doi.org/10.23728/b2share.{MAJORITY}",
    n_images=21272,
    parts=tuple(ARCHIVES),
    files=_majority_files,
    catalogue=_catalogue,
)
