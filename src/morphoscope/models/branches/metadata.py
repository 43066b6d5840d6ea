"""Instrument metadata as a branch: physical scale, beam and stage settings, and the columns of the user's sheet.

Every value carries a flag that says whether it was known, so a picture without metadata is an ordinary input.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from morphoscope.calibration.resolve import METADATA_COLUMNS
from morphoscope.data.matching import spelling_key
from morphoscope.micrograph import Micrograph

MIN_KNOWN_SHARE = 0.05
"""A column known for a smaller share of the training pictures is left out: too few to learn from."""
MAX_CATEGORIES = 32
MAGNIFICATION = "magnification"

Value = float | str


def metadata_values(micrograph: Micrograph, sheet_row: Mapping[str, str]) -> dict[str, Value]:
    """What is known of one picture: log10 scale in nm, settings, and the sheet's further columns. Unknown keys are absent.

    Magnification depends on the display width that its maker assumed, so its logarithm only speaks where no pixel size is known;
    as it stands, it is for recipes that ask for it.
    """
    values: dict[str, Value] = {}
    acquisition = micrograph.acquisition
    if micrograph.pixel_size and micrograph.field_of_view_nm:
        values["log pixel size"] = math.log10(micrograph.pixel_size.mean_nm)
        values["log field of view"] = math.log10(math.prod(micrograph.field_of_view_nm)) / 2
    if acquisition.magnification and acquisition.magnification.value > 0:
        values[MAGNIFICATION] = acquisition.magnification.value
        if "log pixel size" not in values:
            values["log magnification"] = math.log10(acquisition.magnification.value)
    for name in ("hv_kv", "wd_mm", "tilt_deg", "detector", "mode"):
        if (value := acquisition.value(name)) is not None:
            values[name] = value
    values |= {name: _number_or_text(text) for name, text in sheet_row.items() if name.lower() not in METADATA_COLUMNS}
    return values


def _number_or_text(text: str) -> Value:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text
    return number if math.isfinite(number) else text


@dataclass(frozen=True)
class NumericColumn:
    """Standardised with the training pictures' mean and standard deviation; `zoom` is its change when log10(zoom) rises by 1."""

    name: str
    mean: float
    std: float
    zoom: float = 0.0
    bound: float = 5.0
    """Standardised values are bounded so that one typing error in a sheet can't dominate the network."""


@dataclass(frozen=True)
class CategoricalColumn:
    """Texts of a sheet, the most frequent first; case and blanks don't tell two apart, as in labels."""

    name: str
    categories: tuple[str, ...]


_ZOOM_RESPONSE = {"log pixel size": -1.0, "log field of view": -1.0, "log magnification": 1.0}


@dataclass(frozen=True)
class MetadataEncoder:
    """Metadata to a vector of (value, is-missing) pairs and one-hot categories, fitted on training pictures only."""

    numeric: tuple[NumericColumn, ...] = ()
    categorical: tuple[CategoricalColumn, ...] = ()

    @classmethod
    def fit(cls, rows: Sequence[Mapping[str, Value]], magnification_divisor: float = 0.0) -> MetadataEncoder:
        """Columns that enough of the training pictures know and that tell them apart. magnification_divisor: above 0, the
        magnification over it alone, whatever the training pictures are."""
        if magnification_divisor:
            is_known = any(MAGNIFICATION in row for row in rows)
            return cls((NumericColumn(MAGNIFICATION, 0.0, magnification_divisor, bound=1e9),) if is_known else ())
        numeric, categorical = [], []
        for name in dict.fromkeys(name for row in rows for name in row if name != MAGNIFICATION):
            known = [row[name] for row in rows if name in row]
            if len(known) < max(2, MIN_KNOWN_SHARE * len(rows)):
                continue
            numbers = [value for value in known if not isinstance(value, str)]
            if len(numbers) == len(known):
                mean, std = float(np.mean(numbers)), float(np.std(numbers))
                if std > 1e-9 or len(known) < len(rows):
                    numeric.append(NumericColumn(name, mean, max(std, 1e-9), _ZOOM_RESPONSE.get(name, 0.0)))
            else:
                counts = Counter(spelling_key(str(value)) for value in known)
                if 1 < len(counts) <= MAX_CATEGORIES or len(known) < len(rows):
                    categorical.append(CategoricalColumn(name, tuple(c for c, _ in counts.most_common(MAX_CATEGORIES))))
        return cls(tuple(numeric), tuple(categorical))

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.numeric] + [column.name for column in self.categorical]

    @property
    def width(self) -> int:
        """Length D of the vector."""
        return 2 * len(self.numeric) + sum(len(column.categories) + 1 for column in self.categorical)

    def encode(self, values: Mapping[str, Value]) -> np.ndarray:
        """(D,) float32. An unknown value or an unseen category is the column's missing flag."""
        parts: list[float] = []
        for column in self.numeric:
            value = values.get(column.name)
            missing = value is None or isinstance(value, str)
            if missing:
                parts += [0.0, 1.0]
            else:
                standard = (float(value) - column.mean) / column.std  # type: ignore[arg-type]
                parts += [float(np.clip(standard, -column.bound, column.bound)), 0.0]
        for choice in self.categorical:
            key = spelling_key(str(values[choice.name])) if choice.name in values else None
            keys = [spelling_key(category) for category in choice.categories]
            parts += [float(key == category) for category in keys]
            parts.append(float(key not in keys))
        return np.asarray(parts, np.float32)

    def columns_of_slots(self) -> np.ndarray:
        """(D,) int: which column each slot of the vector belongs to."""
        widths = [2] * len(self.numeric) + [len(column.categories) + 1 for column in self.categorical]
        return np.repeat(np.arange(len(widths)), widths)

    def missing_vector(self) -> np.ndarray:
        """(D,) float32: the vector of a picture of which nothing is known."""
        return self.encode({})

    def zoom_response(self) -> np.ndarray:
        """(D,) float32: change of each slot when a picture is magnified by a factor of e."""
        response = np.zeros(self.width, np.float32)
        for i, column in enumerate(self.numeric):
            response[2 * i] = column.zoom / (column.std * math.log(10))
        return response

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> MetadataEncoder:
        return cls(
            tuple(NumericColumn(**column) for column in data["numeric"]),
            tuple(CategoricalColumn(c["name"], tuple(c["categories"])) for c in data["categorical"]),
        )


@dataclass
class MetadataJitter:
    """What training does to encoded metadata: follows the zoom of the view, and drops known values so that none is relied on."""

    encoder: MetadataEncoder
    drop: float = 0.2
    _slots: Tensor = field(init=False)
    _missing: Tensor = field(init=False)
    _zoom: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self._slots = torch.from_numpy(self.encoder.columns_of_slots())
        self._missing = torch.from_numpy(self.encoder.missing_vector())
        self._zoom = torch.from_numpy(self.encoder.zoom_response())

    def __call__(self, vectors: Tensor, log_zoom: Tensor, generator: torch.Generator) -> Tensor:
        """(B, D) vectors of the same pictures after a zoom (B,) with some columns made unknown."""
        device = vectors.device
        numeric_missing = torch.zeros_like(vectors)
        numeric_slots = 2 * len(self.encoder.numeric)
        numeric_missing[:, 0:numeric_slots:2] = vectors[:, 1:numeric_slots:2]
        moved = vectors + (1 - numeric_missing) * log_zoom[:, None] * self._zoom.to(device)
        n_columns = len(self.encoder.names)
        dropped = (torch.rand(len(vectors), n_columns, generator=generator) < self.drop)[:, self._slots].to(device)
        return torch.where(dropped, self._missing.to(device), moved)


class MetadataBranch(nn.Module):
    """(B, D) encoded metadata to (B, 32) features."""

    out_features = 32

    def __init__(self, width: int, hidden: int = 64) -> None:
        """hidden: width of a layer in between; 0: a linear layer and ReLU alone, as ACCORDS has it."""
        super().__init__()
        if hidden:
            self.layers = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, self.out_features), nn.GELU())
        else:
            self.layers = nn.Sequential(nn.Linear(width, self.out_features), nn.ReLU())

    def forward(self, vectors: Tensor) -> Tensor:
        return self.layers(vectors)
