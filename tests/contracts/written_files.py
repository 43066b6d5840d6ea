"""Small files of the makers' formats, written byte by byte from what is known of each: for tests that need to know the truth."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Sides = tuple[float, float] | None
"""Height and width of a pixel in nm; None leaves the file without a calibration."""


def write_mrc(path: Path, frames: np.ndarray, sides_nm: Sides = None, *, order: str = "<", extended: bytes = b"") -> Path:
    """frames: (N, Y, X)."""
    modes = {"int8": 0, "int16": 1, "float32": 2, "uint16": 6, "float16": 12}
    header = bytearray(1024)
    count, rows, columns = frames.shape
    struct.pack_into(f"{order}4i", header, 0, columns, rows, count, modes[frames.dtype.name])
    struct.pack_into(f"{order}3i", header, 28, columns, rows, count)
    cell = (columns * sides_nm[1] * 10, rows * sides_nm[0] * 10) if sides_nm else (0.0, 0.0)
    struct.pack_into(f"{order}3f", header, 40, *cell, 1.0)
    struct.pack_into(f"{order}3i", header, 64, 1, 2, 3)
    struct.pack_into(f"{order}i", header, 92, len(extended))
    header[208:216] = b"MAP DD\0\0" if order == "<" else b"MAP \x11\x11\0\0"
    path.write_bytes(bytes(header) + extended + frames.astype(frames.dtype.newbyteorder(order)).tobytes())
    return path


_DM_NUMBERS = {"int16": (1, 2), "float32": (2, 6), "uint8": (6, 10), "uint16": (10, 4), "uint32": (11, 5)}
"""What dm calls a picture of these numbers, and the numbers."""


def write_dm(
    path: Path,
    frames: np.ndarray,
    sides_nm: Sides = None,
    *,
    version: int = 3,
    unit: str = "nm",
    tags: Mapping[str, Any] | None = None,
) -> Path:
    """frames: (N, Y, X), or (Y, X) for one picture. tags: nested tables of texts and floats below ImageTags."""
    data_type, _ = _DM_NUMBERS[frames.dtype.name]
    scales = [1.0] * frames.ndim if sides_nm is None else [sides_nm[1], sides_nm[0], 1.0][: frames.ndim]
    units = ["" if sides_nm is None else unit] * 2 + [""]
    dimensions = [{"Origin": 0.0, "Scale": s, "Units": u} for s, u in zip(scales, units, strict=False)]
    brightness = {"Origin": 0.0, "Scale": 1.0, "Units": ""}
    image = {
        "ImageData": {
            "Calibrations": {"Brightness": brightness, "Dimension": dimensions, "DisplayCalibratedUnits": 1},
            "Data": frames,
            "DataType": data_type,
            "Dimensions": [int(size) for size in reversed(frames.shape)],
            "PixelDepth": frames.dtype.itemsize,
        },
        "ImageTags": dict(tags or {}),
        "Name": path.stem,
    }
    root = {"ImageList": [image], "InImageMode": 1}
    body = _dm_group(root, version)
    size = struct.pack(">I", len(body)) if version == 3 else struct.pack(">Q", len(body))
    path.write_bytes(struct.pack(">I", version) + size + struct.pack(">I", 1) + body + bytes(8))
    return path


def _dm_group(content: Any, version: int) -> bytes:
    long = ">I" if version == 3 else ">Q"
    entries = [("", each) for each in content] if isinstance(content, list) else list(content.items())
    parts = [b"\1\0", struct.pack(long, len(entries))]
    for name, value in entries:
        is_group = isinstance(value, dict | list)
        body = _dm_group(value, version) if is_group else _dm_data(value, version)
        label = name.encode("latin-1")
        head = struct.pack(">BH", 20 if is_group else 21, len(label)) + label
        parts += [head, struct.pack(">Q", len(body)) if version == 4 else b"", body]
    return b"".join(parts)


def _dm_data(value: Any, version: int) -> bytes:
    long = "I" if version == 3 else "Q"
    if isinstance(value, np.ndarray):
        kind, raw = [20, _DM_NUMBERS[value.dtype.name][1], value.size], value.astype(value.dtype.newbyteorder("<")).tobytes()
    elif isinstance(value, str):
        kind, raw = [20, 4, len(value)], value.encode("utf-16-le")
    elif isinstance(value, float):
        kind, raw = [7], struct.pack("<d", value)
    else:
        kind, raw = [5], struct.pack("<I", value)
    return b"%%%%" + struct.pack(f">{long}", len(kind)) + struct.pack(f">{len(kind)}{long}", *kind) + raw


def write_ser(path: Path, frames: np.ndarray, sides_nm: Sides = None) -> Path:
    """frames: (N, Y, X). TIA writes 1 m a pixel where it has no calibration."""
    types = {"uint8": 1, "uint16": 2, "int16": 5, "int32": 6, "float32": 7}
    count, rows, columns = frames.shape
    dimension = struct.pack("<iddi", count, 0.0, 1.0, 0) + struct.pack("<i6s", 6, b"Number") + struct.pack("<i", 0)
    head_bytes = 30 + len(dimension)
    step_y, step_x = (side * 1e-9 for side in sides_nm) if sides_nm else (1.0, 1.0)
    elements = []
    for frame in frames:
        calibration = struct.pack("<ddi", 0.0, step_x, 0) + struct.pack("<ddi", 0.0, step_y, 0)
        elements.append(calibration + struct.pack("<hii", types[frame.dtype.name], columns, rows) + frame.tobytes())
    start = head_bytes + 8 * count
    offsets = [start + index * len(elements[0]) for index in range(count)]
    tags_start = start + sum(map(len, elements))
    tag_offsets = [tags_start + 8 * index for index in range(count)]
    head = struct.pack("<hhhiiiiii", 0x4949, 0x0197, 0x0210, 0x4122, 0x4152, count, count, head_bytes, 1)
    tags = struct.pack("<HHI", 0x4152, 0, 1_543_560_280) * count
    path.write_bytes(head + dimension + struct.pack(f"<{2 * count}i", *offsets, *tag_offsets) + b"".join(elements) + tags)
    return path


def write_emi(path: Path, magnification: float = 20_000.0) -> Path:
    """The settings of `{stem}_1.ser`, which lies beside it."""
    lines = {"High tension": ("200", "kV"), "Magnification": (f"{magnification:.0f}", "x"), "Stage A": ("0.5", "deg")}
    data = "".join(f"<Data><Label>{k}</Label><Value>{v}</Value><Unit>{u}</Unit></Data>" for k, (v, u) in lines.items())
    text = (
        "<ObjectInfo><Uuid>1</Uuid><ExperimentalConditions><MicroscopeConditions><AcceleratingVoltage>200000"
        "</AcceleratingVoltage></MicroscopeConditions></ExperimentalConditions><ExperimentalDescription><Root>"
        f"{data}</Root></ExperimentalDescription><AcquireDate>Thu Nov 29 22:44:40 2018</AcquireDate></ObjectInfo>"
    )
    path.write_bytes(b"JK\0\2" + bytes(60) + text.encode() + bytes(60))
    return path


def write_velox(path: Path, frames: np.ndarray, sides_nm: Sides = None, *, unit: str = "m", changes: Any = None) -> Path:
    """frames: (N, Y, X). changes: dotted path to a value of the metadata."""
    step_y, step_x = (side * 1e-9 for side in sides_nm) if sides_nm else (1.0, 1.0)
    metadata: dict[str, Any] = {
        "Core": {"MetadataDefinitionVersion": "7.9"},
        "Instrument": {"Manufacturer": "FEI Company", "InstrumentClass": "Titan"},
        "Acquisition": {"AcquisitionStartDatetime": {"DateTime": "1575540224"}},
        "Optics": {"AccelerationVoltage": "300000", "NominalMagnification": "0"},
        "Stage": {"Position": {"x": "0", "y": "0", "z": "0"}, "AlphaTilt": "0.17453292519943295", "BetaTilt": "0"},
        "Scan": {"DwellTime": "1e-05", "FrameTime": "0.2", "ScanRotation": "0"},
        "BinaryResult": {
            "Detector": "HAADF",
            "DetectorIndex": "0",
            "PixelSize": {"width": str(step_x), "height": str(step_y)},
            "PixelUnitX": "" if sides_nm is None else unit,
            "PixelUnitY": "" if sides_nm is None else unit,
            "Offset": {"x": "0", "y": "0"},
        },
        "CustomProperties": {"StemMagnification": {"type": "double", "value": "7100"}, "DetectorMetadata": {}},
        "Detectors": {"Detector-0": {"DetectorName": "HAADF", "ExposureTime": "0.1"}},
    }
    for name, value in (changes or {}).items():
        *groups, last = name.split(".")
        table = metadata
        for group in groups:
            table = table[group]
        table[last] = value
    text = np.frombuffer(json.dumps(metadata).encode().ljust(4000, b"\0"), np.uint8)
    with h5py.File(path, "w") as file:
        group = file.create_group("Data/Image/0123456789abcdef0123456789abcdef")
        group.create_dataset("Data", data=np.moveaxis(frames, 0, -1), chunks=True)
        group["Metadata"] = np.repeat(text[:, None], len(frames), axis=1)
        group["FrameLookupTable"] = np.arange(len(frames))
        version = json.dumps({"format": "Velox", "version": "1.0"})
        file["Version"] = np.array([version], dtype=h5py.string_dtype())
        operations = file.create_group("Operations")
        operations.create_group("StemInputOperation")
    return path


def write_ncem(path: Path, frames: np.ndarray, sides_nm: Sides = None, *, units: str = "[n_m]") -> Path:
    """frames: (N, Y, X)."""
    steps = (1.0, *(sides_nm or (1.0, 1.0)))
    with h5py.File(path, "w") as file:
        file.attrs["version_major"], file.attrs["version_minor"] = 0, 2
        group = file.create_group("data/picture")
        group.attrs["emd_group_type"] = 1
        group["data"] = frames
        for number, (step, size, name) in enumerate(zip(steps, frames.shape, "nyx", strict=True), start=1):
            group[f"dim{number}"] = np.arange(size) * step
            group[f"dim{number}"].attrs["name"] = name
            group[f"dim{number}"].attrs["units"] = units if sides_nm and number > 1 else ""
    return path


def write_tvips(path: Path, frames: np.ndarray, sides_nm: Sides = None, *, magnification: int = 50, kv: int = 200) -> Path:
    """frames: (N, Y, X). The header has room for whole nm and one side."""
    count, rows, columns = frames.shape
    bits, side = frames.dtype.itemsize * 8, round(sides_nm[1]) if sides_nm else 0
    numbers = (256, 2, columns, rows, bits, 0, 0, 1, 1, side, kv, magnification, 128)
    header = struct.pack("<13I", *numbers) + (b"TVIPS " * 34)
    frame_header = bytes(128)
    path.write_bytes(header + b"".join(_tvips_time(frame_header, index) + frames[index].tobytes() for index in range(count)))
    return path


def _tvips_time(header: bytes, index: int) -> bytes:
    return struct.pack("<III", index, 1_543_560_280 + index, 0) + header[12:]
