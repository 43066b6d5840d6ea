"""Each public data set in small: the archives, records and tables as its repository serves them, with rendered pictures."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from archives import tar_of, zip_of
from local_server import Repository, Served
from PIL import Image

from morphoscope.data.public import carinthia, cem, emps, lu_nanowires, mnp, nffa, uhcs, virus

ZENODO = "zenodo.org/api/records"


@dataclass(frozen=True)
class Layout:
    """What a data set's catalogue must say. classes: file name to its class, empty for unlabelled pictures. together: file names
    that must share a group. published: how many pictures the authors' two sides have."""

    classes: dict[str, str]
    together: Sequence[set[str]] = ()
    published: tuple[int, int] = (0, 0)
    further_files: Sequence[str] = ()
    parts: Sequence[str] = field(default=())


Pictures = Iterator[np.ndarray]
Serve = Callable[[Repository, pytest.MonkeyPatch, Pictures], Layout]


def jpeg(pixels: np.ndarray, quality: int = 90) -> bytes:
    return _encoded(pixels, "JPEG", quality=quality)


def png(pixels: np.ndarray) -> bytes:
    return _encoded(pixels, "PNG")


def tiff(pixels: np.ndarray) -> bytes:
    return _encoded(pixels, "TIFF")


def _encoded(pixels: np.ndarray, kind: str, **options: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _json(document: object) -> Served:
    return Served(json.dumps(document).encode(), "application/json")


def _invenio(files: dict[str, bytes], host: str, licence: str = "cc-by-4.0") -> dict[str, object]:
    """A record as Zenodo's API words it."""
    entries = [
        {
            "key": name,
            "size": len(content),
            "checksum": f"md5:{_md5(content)}",
            "links": {"self": f"https://{host}/files/{name}/content"},
        }
        for name, content in files.items()
    ]
    return {"metadata": {"license": {"id": licence}}, "files": entries}


def _nffa_tars(pictures: Pictures) -> tuple[dict[str, bytes], Layout]:
    """Two pictures a class; of Fibres also a copy of the first, compressed anew."""
    tars, classes, together = {}, {}, set()
    for code, name in enumerate(sorted(nffa.ARCHIVES)):
        members = {}
        for number in range(2):
            picture = next(pictures)
            members[f"{name}/L{code}_{code:02}{number}.jpg"] = jpeg(picture)
            if name == "Fibres" and number == 0:
                members[f"{name}/L{code}_copy.jpg"] = jpeg(picture, quality=40)
                together = {f"L{code}_{code:02}0.jpg", f"L{code}_copy.jpg"}
        tars[name] = tar_of(members)
        classes |= {path.split("/")[1]: name for path in members}
    return tars, Layout(classes, [together])


def serve_nffa(repository: Repository, monkeypatch: pytest.MonkeyPatch, pictures: Pictures) -> Layout:
    tars, layout = _nffa_tars(pictures)
    small = {name: (list(layout.classes.values()).count(name), len(tar), _md5(tar)) for name, tar in tars.items()}
    monkeypatch.setattr(nffa, "ARCHIVES", small)
    counts = {name: images for name, (images, _, _) in small.items()}
    changed = dataclasses.replace(nffa.NFFA, counts=counts, n_images=sum(counts.values()), size=sum(map(len, tars.values())))
    monkeypatch.setattr(nffa, "NFFA", changed)
    for name, tar in tars.items():
        repository.files[f"b2share.eudat.eu/records/zja8y-53j14/files/{name}.tar?download=1"] = Served(tar)
    return layout


def serve_nffa_majority(repository: Repository, monkeypatch: pytest.MonkeyPatch, pictures: Pictures) -> Layout:
    tars, layout = _nffa_tars(pictures)
    host = f"b2share.eudat.eu/api/records/{nffa.MAJORITY}"
    files = {f"{name}.tar": tar for name, tar in tars.items()}
    entries = _invenio(files, host)["files"]
    # The newer wording: the record without files, and a list of its own.
    repository.files[host] = _json({"id": nffa.MAJORITY, "files": {"enabled": True}})
    repository.files[f"{host}/files"] = _json({"entries": entries})
    repository.serve({f"{host}/files/{name}/content": tar for name, tar in files.items()})
    monkeypatch.setattr(nffa, "NFFA_MAJORITY", dataclasses.replace(nffa.NFFA_MAJORITY, n_images=len(layout.classes)))
    return layout


def serve_lu_nanowires(repository: Repository, monkeypatch: pytest.MonkeyPatch, pictures: Pictures) -> Layout:
    """Five pictures a class with masks; those of single wires are turned copies of two, one at an angle that no hash knows."""
    files: dict[str, bytes] = {"encoder.pth": b"weights"}
    classes = {}
    for name in ("bundle", "dispersed", "network"):
        members = {f"{name}/{name}_{number}.png": png(next(pictures)) for number in range(5)}
        classes |= {path.split("/")[1]: name for path in members}
        masks = {f"{name}/masks/{path.split('/')[1]}": content for path, content in members.items()}
        files[f"{name}.zip"] = zip_of(members | masks)
    first, second = next(pictures), next(pictures)
    turned = np.asarray(Image.fromarray(first).rotate(33, fillcolor=int(first.mean())))
    members = {
        "singular/w1.png": png(first),
        "singular/w1_33.png": png(turned),
        "singular/w2_rot90.png": png(np.rot90(second)),
        "singular/w2_rot180.png": png(np.rot90(second, 2)),
        "singular/other.png": png(next(pictures)),
    }
    files["singular.zip"] = zip_of(members)
    classes |= {path.split("/")[1]: "singular" for path in members}
    host = f"{ZENODO}/{lu_nanowires.RECORD}"
    repository.files[host] = _json(_invenio(files, host))
    repository.serve({f"{host}/files/{name}/content": content for name, content in files.items()})
    monkeypatch.setattr(lu_nanowires, "LU_NANOWIRES", dataclasses.replace(lu_nanowires.LU_NANOWIRES, n_images=len(classes)))
    together = [{"w1.png", "w1_33.png"}, {"w2_rot90.png", "w2_rot180.png"}]
    return Layout(classes, together, further_files=["instance_maps/bundle/bundle_0.png"])


def serve_mnp(repository: Repository, monkeypatch: pytest.MonkeyPatch, pictures: Pictures) -> Layout:
    folders = ("Dispersed Nanoparticles", "Separate Clusters", "Percolating Cluster")
    members = {
        f"2022-mNP/{folder}/{at}{number}.jpg": jpeg(next(pictures)) for at, folder in enumerate(folders) for number in range(3)
    }
    archive = zip_of(members)
    host = f"{ZENODO}/{mnp.RECORD}"
    repository.files[host] = _json(_invenio({mnp.ARCHIVE: archive}, host))
    repository.serve({f"{host}/files/{mnp.ARCHIVE}/content": archive})
    monkeypatch.setattr(mnp, "SIZE", len(archive))
    monkeypatch.setattr(mnp, "MNP", dataclasses.replace(mnp.MNP, n_images=len(members)))
    return Layout({path.split("/")[2]: path.split("/")[1] for path in members})


def serve_virus(repository: Repository, monkeypatch: pytest.MonkeyPatch, pictures: Pictures) -> Layout:
    names = {
        "train/Adenovirus": ["A4-65k-071120_2_0.tif", "A4-65k-071120_2_1.tif"],
        "train/Ebola": ["E1-30k-080304_7_0.tif"],
        "validation/Ebola": ["E1-30k-080304_8_0.tif"],
        "test/Adenovirus": ["A4-65k-071120_9_0.tif"],
        "test/Ebola": ["unnamed_3.tif"],
    }
    root = f"TEM virus dataset/{virus.CUT_OUTS}"
    members = {f"{root}/{folder}/{name}": tiff(next(pictures)) for folder, files in names.items() for name in files}
    classes = {name: folder.split("/")[1] for folder, files in names.items() for name in files}
    left_out = {f"{root}/augmented_train/Ebola/AUG_1.tif": b"x", "TEM virus dataset/context_virus_RAW/train/Ebola/1.tif": b"x"}
    archive = zip_of(members | left_out)
    api = f"data.mendeley.com/public-api/datasets/{virus.IDENTIFIER}"
    details = {
        "download_url": "https://data.mendeley.com/public-files/datasets/virus/file_downloaded",
        "sha256_hash": hashlib.sha256(archive).hexdigest(),
    }
    repository.files[f"{api}?version=3"] = _json({"data_licence": {"short_name": "CC BY 4.0"}})
    repository.files[f"{api}/folders/3"] = _json([])
    listing = [{"filename": "TEM virus dataset.zip", "size": len(archive), "content_details": details}]
    repository.files[f"{api}/files?folder_id=root&version=3"] = _json(listing)
    repository.serve({"data.mendeley.com/public-files/datasets/virus/file_downloaded": archive})
    monkeypatch.setattr(virus, "VIRUS", dataclasses.replace(virus.VIRUS, n_images=len(classes)))
    adeno = {name for name in classes if name.startswith("A4")}
    return Layout(classes, [adeno, {"E1-30k-080304_7_0.tif", "E1-30k-080304_8_0.tif"}], (4, 2))


def serve_emps(repository: Repository, monkeypatch: pytest.MonkeyPatch, pictures: Pictures) -> Layout:
    counts = {"aa.png": 1, "bb.png": 4, "cc.png": 12, "dd.png": 2}
    classes = {"aa.png": "One", "bb.png": "Few (2-10)", "cc.png": "Many (>10)", "dd.png": "Few (2-10)"}
    members = {}
    for name, count in counts.items():
        numbers = np.zeros((20, 30), np.uint16)
        numbers.flat[: count * 20] = np.repeat(np.arange(1, count + 1, dtype=np.uint16) * 3, 20)
        members[f"emps-{emps.COMMIT}/images/{name}"] = png(next(pictures))
        members[f"emps-{emps.COMMIT}/segmaps/{name}"] = png(numbers)
    dois = {"aa.png": "10.1/a", "bb.png": "10.1/a", "cc.png": "10.1/c", "dd.png": "10.1/d"}
    rows = [f'{name},{doi},gr1,"[{{""x"": [{"1, " * 50000}1]}}]"' for name, doi in dois.items()]
    members[f"emps-{emps.COMMIT}/metadata.csv"] = "\n".join(["filename,doi,locator,regions", *rows]).encode()
    members[f"emps-{emps.COMMIT}/train.csv"] = (
        b"images/aa.png,segmaps/aa.png\nimages/bb.png,segmaps/bb.png\nimages/cc.png,segmaps/cc.png\n"
    )
    members[f"emps-{emps.COMMIT}/test.csv"] = b"images/dd.png,segmaps/dd.png\n"
    repository.serve({f"codeload.github.com/by256/emps/tar.gz/{emps.COMMIT}": tar_of(members, "w:gz")})
    monkeypatch.setattr(emps, "EMPS", dataclasses.replace(emps.EMPS, n_images=len(classes)))
    return Layout(classes, [{"aa.png", "bb.png"}], (3, 1), ["instance_maps/aa.png", "source/metadata.csv"])


def _uhcs_database(rows: Sequence[tuple[object, ...]]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "database"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE sample (sample_id INTEGER PRIMARY KEY, label TEXT)")
            connection.execute(
                "CREATE TABLE micrograph (micrograph_id INTEGER PRIMARY KEY, path TEXT, micron_bar REAL, micron_bar_units TEXT,"
                " micron_bar_px INTEGER, sample_key INTEGER, primary_microconstituent TEXT)"
            )
            connection.executemany("INSERT INTO sample VALUES (?, ?)", [(1, "AC1 800C"), (2, "AC1 970C")])
            connection.executemany("INSERT INTO micrograph VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            connection.commit()
        return path.read_bytes()


def serve_uhcs(repository: Repository, monkeypatch: pytest.MonkeyPatch, pictures: Pictures) -> Layout:
    rows: list[tuple[object, ...]] = [
        (1, "a.tif", 10.0, "um", 100, 1, "spheroidite"),
        (2, "b.tif", 10.0, "um", 200, 1, "network"),
        (3, "c.png", 5.0, "um", 100, 2, "network"),
        (4, "d.tif", 1.0, "um", 100, None, "spheroidite"),
        (5, "e.tif", None, None, None, None, "pearlite+spheroidite"),
    ]
    endings = {1: "tif", 2: "tif", 3: "png", 4: "tif", 5: "tif"}
    files = {
        "microstructures.sqlite": _uhcs_database(rows),
        "micrographs.zip": zip_of(
            {f"micrographs/micrograph{n}.{end}": (png if end == "png" else tiff)(next(pictures)) for n, end in endings.items()}
        ),
    }
    lines = []
    for name, content in files.items():
        original = f"https://materialsdata.nist.gov/bitstream/handle/11256/940/{name}?sequence=2"
        digest = base64.b32encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()
        lines.append(f"gov,nist)/x 20180101000000 {original.replace('=2', '=1')} application/zip 200 {'A' * 32} 9")
        lines.append(f"gov,nist)/x 20200101000000 {original} application/zip 200 {digest} 9")
        repository.files[f"web.archive.org/web/20200101000000id_/{original}"] = Served(content)
    table = f"web.archive.org/cdx/search/cdx?url={uhcs.RECORD}*&filter=statuscode:200"
    repository.files[table] = Served("\n".join(lines).encode(), "text/plain")
    monkeypatch.setattr(uhcs, "UHCS", dataclasses.replace(uhcs.UHCS, n_images=len(rows)))
    classes = {f"micrograph{row[0]}.{endings[int(str(row[0]))]}": str(row[6]) for row in rows}
    return Layout(classes, [{"micrograph1.tif", "micrograph2.tif"}, {"micrograph4.tif", "micrograph5.tif"}])


def serve_carinthia(repository: Repository, monkeypatch: pytest.MonkeyPatch, pictures: Pictures) -> Layout:
    labels = {f"{number:02}.jpg": label for number, label in enumerate("3333112")}
    lines = ["image_path;file_name;label", *(f"data/images/{name};{name};{label}" for name, label in labels.items())]
    members = {f"data/images/{name}": jpeg(next(pictures)) for name in labels}
    archive = zip_of(members | {"data/carinthia.csv": "\n".join(lines).encode()})
    monkeypatch.setattr(carinthia, "CHECKSUM", f"md5:{_md5(archive)}")
    monkeypatch.setattr(carinthia, "SORTED_COUNTS", [4, 2, 1])
    monkeypatch.setattr(carinthia, "CARINTHIA", dataclasses.replace(carinthia.CARINTHIA, n_images=7))
    repository.serve({f"zenodo.org/records/{carinthia.RECORD}/files/data.zip?download=1": archive})
    return Layout(labels)


def _serve_cem(entry: int, attribute: str) -> Serve:
    def serve(repository: Repository, monkeypatch: pytest.MonkeyPatch, pictures: Pictures) -> Layout:
        root = f"ftp.ebi.ac.uk/empiar/world_availability/{entry}/data/"
        page = '<a href="?C=N;O=D">Name</a><a href="/empiar/world_availability/">Parent</a>'
        repository.files[root] = Served(f'{page}<a href="cut/">cut/</a><a href="read.me">read.me</a>'.encode(), "text/html")
        repository.files[f"{root}cut/"] = Served(f'{page}<a href="a.zip">a.zip</a><a href="9.tif">9</a>'.encode(), "text/html")
        archive = zip_of({f"a/mouse/{number}.tif": tiff(next(pictures)) for number in range(2)})
        repository.serve({f"{root}cut/a.zip": archive, f"{root}cut/9.tif": tiff(next(pictures))})
        monkeypatch.setattr(cem, attribute, dataclasses.replace(getattr(cem, attribute), n_images=3))
        return Layout({"0.tif": "", "1.tif": "", "9.tif": ""}, [{"0.tif", "1.tif"}])

    return serve


LAYOUTS: dict[str, Serve] = {
    "nffa": serve_nffa,
    "nffa-majority": serve_nffa_majority,
    "lu-nanowires": serve_lu_nanowires,
    "mnp": serve_mnp,
    "virus": serve_virus,
    "emps": serve_emps,
    "uhcs": serve_uhcs,
    "carinthia": serve_carinthia,
    "cem500k": _serve_cem(10592, "CEM500K"),
    "cem1.5m": _serve_cem(11035, "CEM1_5M"),
}
