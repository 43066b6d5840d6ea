"""A folder with masks, rendered once for all tests that learn objects."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from morphoscope.synthesis import write_dataset


@pytest.fixture(scope="session")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """images/, instance_maps/ and labels.csv with Sample: twelve pictures of seven samples."""
    folder = tmp_path_factory.mktemp("masked")
    write_dataset("particles", 12, folder, size=(72, 96), seed=5)
    sheet = pd.read_csv(folder / "labels.csv")
    sheet["Sample"] = [f"S{row % 7}" for row in range(len(sheet))]
    sheet.to_csv(folder / "labels.csv", index=False)
    return folder
