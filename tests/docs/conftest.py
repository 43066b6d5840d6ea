"""The folder that the pages speak of: pictures, sheets and broken files, all rendered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from written_files import write_dm

from morphoscope.synthesis import write_dataset

SIZE = (96, 128)


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled pictures in images/, test_images/, monday/ and tuesday/, unlabelled ones in new_images/, and broken files."""
    folder = tmp_path_factory.mktemp("laboratory")
    labels = _pictures(folder, "images", 60, seed=0)
    labels.to_excel(folder / "labels.xlsx", index=False)
    _pictures(folder, "test_images", 12, seed=1).to_csv(folder / "test.csv", index=False)
    _pictures(folder, "new_images", 6, seed=2)
    for seed, day in enumerate(("monday", "tuesday"), start=3):
        _pictures(folder, day, 24, seed).to_csv(folder / f"{day}.csv", index=False)
    names = labels["filename"]
    pd.DataFrame({"filename": names, "hv_kv": 15, "anneal_C": np.arange(len(names)) % 4 * 100}).to_csv(
        folder / "settings.csv", index=False
    )
    _broken_files(folder)
    _broken_sheets(folder, labels.head(12))
    return folder


def _pictures(folder: Path, name: str, count: int, seed: int) -> pd.DataFrame:
    """Renders pictures into the folder `name`, the instance maps of images/ into instance_maps/; returns their label sheet."""
    rendered = folder / f"rendered {name}"
    write_dataset("particles", count, rendered, size=SIZE, seed=seed)
    (rendered / "images").rename(folder / name)
    if name == "images":
        (rendered / "instance_maps").rename(folder / "instance_maps")
    return pd.read_csv(rendered / "labels.csv", dtype=str, keep_default_na=False)


def _broken_files(folder: Path) -> None:
    picture = folder / "whole.tif"
    tifffile.imwrite(picture, np.random.default_rng(0).integers(0, 255, (120, 160), dtype=np.uint8))
    (folder / "truncated.tif").write_bytes(picture.read_bytes()[:9000])
    (folder / "notes.tif").write_text("Sample 3, second wash\n", encoding="utf-8")
    (folder / "stack.dm4").write_bytes(bytes([0, 0, 0, 4]) + bytes(200))
    write_dm(folder / "spectrum.dm3", np.ones((8, 64), dtype=np.float32), (0.5, 0.5), unit="eV")


def _broken_sheets(folder: Path, labels: pd.DataFrame) -> None:
    labels.rename(columns={"filename": "picture"}).to_csv(folder / "no_names.csv", index=False)
    pd.concat([labels, labels.head(1).assign(Modality="SEM")]).to_csv(folder / "twice.csv", index=False)
    typo = labels.copy()
    typo.loc[0, "Morphology"] = "Spheer"
    typo.to_csv(folder / "typo.csv", index=False)
