"""TIFF of every kind, drawn: the pixels come back as one grey channel at the stored depth."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from morphoscope.errors import ReadError
from morphoscope.io import read

SHAPE = (37, 53)
DTYPES = ("uint8", "uint16", "int16", "uint32", "int32", "float32", "float64")


def drawn(dtype: str, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    values = np.random.default_rng(7).random(shape) * 250 - (100 if np.dtype(dtype).kind != "u" else 0)
    return values.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_grey_levels_come_back_as_stored(tmp_path: Path, dtype: str, byteorder: str) -> None:
    pixels = drawn(dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, byteorder=byteorder)
    micrograph = read(tmp_path / "a.tif")
    assert micrograph.pixels.dtype == np.dtype(dtype) and micrograph.pixels.dtype.isnative
    np.testing.assert_array_equal(micrograph.pixels, pixels)
    assert (micrograph.n_frames, micrograph.frame, micrograph.reader) == (1, 0, "tiff")
    assert micrograph.pixel_size is None and micrograph.warnings == ()


@pytest.mark.parametrize("compression", ["lzw", "deflate", "zstd", "packbits", "lzma"])
@pytest.mark.parametrize("options", [{}, {"predictor": True}, {"tile": (16, 32)}, {"rowsperstrip": 5}, {"bigtiff": True}])
def test_compressions_and_layouts(tmp_path: Path, compression: str, options: dict[str, object]) -> None:
    pixels = drawn("uint16")
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression=compression, **options)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, pixels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
@pytest.mark.parametrize("samples", [3, 4])
def test_equal_channels_are_that_channel(tmp_path: Path, dtype: str, planarconfig: str, samples: int) -> None:
    grey = drawn(dtype)
    colour = np.repeat(grey[..., None], samples, axis=-1)
    if samples == 4:
        colour[..., 3] = 0
    stored = np.moveaxis(colour, -1, 0) if planarconfig == "separate" else colour
    extra = {"extrasamples": ["unassalpha"]} if samples == 4 else {}
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planarconfig, **extra)
    micrograph = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(micrograph.pixels, grey)
    assert micrograph.pixels.dtype == dtype and micrograph.warnings == () and micrograph.n_frames == 1


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_colour_becomes_luminance_at_the_same_depth(tmp_path: Path, dtype: str) -> None:
    colour = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, (*SHAPE, 3), dtype=dtype, endpoint=True)
    tifffile.imwrite(tmp_path / "a.tif", colour, photometric="rgb")
    expected = colour @ np.array([0.299, 0.587, 0.114])
    found = read(tmp_path / "a.tif").pixels
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, atol=0.51 if dtype == "uint8" else 1.0)


def test_jpeg_compressed_colour(tmp_path: Path) -> None:
    grey = np.tile(np.linspace(0, 255, 64).astype("uint8"), (48, 1))
    tifffile.imwrite(tmp_path / "a.tif", np.repeat(grey[..., None], 3, -1), photometric="rgb", compression="jpeg", tile=(48, 64))
    tifffile.imwrite(tmp_path / "b.tif", grey, compression="jpeg", compressionargs={"level": 95}, tile=(48, 64))
    np.testing.assert_allclose(read(tmp_path / "a.tif").pixels.astype(int), grey.astype(int), atol=4)
    np.testing.assert_allclose(read(tmp_path / "b.tif").pixels.astype(int), grey.astype(int), atol=4)


def test_palette_is_mapped(tmp_path: Path) -> None:
    index = np.random.default_rng(3).integers(0, 256, SHAPE, dtype="uint8")
    ramp = (np.arange(256)[::-1] * 257).astype("uint16")
    tifffile.imwrite(tmp_path / "a.tif", index, photometric="palette", colormap=np.stack([ramp] * 3))
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, 255 - index)
    colours = np.zeros((3, 256), dtype="uint16")
    colours[1] = ramp  # green only
    tifffile.imwrite(tmp_path / "b.tif", index, photometric="palette", colormap=colours)
    np.testing.assert_allclose(read(tmp_path / "b.tif").pixels, 0.587 * (255 - index.astype(float)), atol=1)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_white_is_zero_is_inverted(tmp_path: Path, dtype: str) -> None:
    pixels = drawn(dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, np.iinfo(dtype).max - pixels)


def test_one_bit_becomes_black_and_white(tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).random(SHAPE) > 0.5
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    tifffile.imwrite(tmp_path / "b.tif", pixels, photometric="miniswhite")
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, np.where(pixels, 255, 0))
    np.testing.assert_array_equal(read(tmp_path / "b.tif").pixels, np.where(pixels, 0, 255))


def test_channels_that_are_no_colours_warn(tmp_path: Path) -> None:
    stored = np.random.default_rng(3).integers(0, 9, (*SHAPE, 5), dtype="uint16")
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="minisblack", planarconfig="contig")
    micrograph = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(micrograph.pixels, stored[..., 0])
    assert "5 channels" in micrograph.warnings[0]


@pytest.mark.parametrize("options", [{}, {"compression": "zstd"}, {"bigtiff": True}, {"byteorder": ">"}])
def test_stack_gives_the_frame_asked_for(tmp_path: Path, options: dict[str, object]) -> None:
    stack = drawn("uint16", (5, *SHAPE))
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", **options)
    for frame in (0, 3, 4):
        micrograph = read(tmp_path / "a.tif", frame=frame)
        assert (micrograph.n_frames, micrograph.frame) == (5, frame)
        np.testing.assert_array_equal(micrograph.pixels, stack[frame])
    with pytest.raises(ReadError, match=r"frame 5 was asked for, the file has 5; expected a number from 0 to 4"):
        read(tmp_path / "a.tif", frame=5)
    with pytest.raises(ReadError, match="frame -1"):
        read(tmp_path / "a.tif", frame=-1)


@pytest.mark.parametrize("options", [{"imagej": True}, {"imagej": True, "byteorder": ">"}, {}])
def test_stack_behind_one_page(tmp_path: Path, options: dict[str, object]) -> None:
    stack = drawn("uint16", (4, *SHAPE))
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", truncate=True, **options)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert len(tiff.pages) == 1
    micrograph = read(tmp_path / "a.tif", frame=2)
    assert micrograph.n_frames == 4
    np.testing.assert_array_equal(micrograph.pixels, stack[2])


def test_previews_and_pyramids_are_no_frames(tmp_path: Path) -> None:
    full = drawn("uint8", (64, 96))
    with tifffile.TiffWriter(tmp_path / "thumbnail.tif") as writer:  # without any flag: the size tells
        writer.write(full, metadata=None)
        writer.write(full[::4, ::4], metadata=None)
    with tifffile.TiffWriter(tmp_path / "flagged.tif") as writer:
        writer.write(full, metadata=None)
        writer.write(full, subfiletype=1, metadata=None)
    with tifffile.TiffWriter(tmp_path / "pyramid.tif") as writer:
        writer.write(full, subifds=2, metadata=None)
        writer.write(full[::2, ::2], subfiletype=1, metadata=None)
        writer.write(full[::4, ::4], subfiletype=1, metadata=None)
    with tifffile.TiffWriter(tmp_path / "small first.tif") as writer:
        writer.write(full[::4, ::4], metadata=None)
        writer.write(full, metadata=None)
    for name in ("thumbnail", "flagged", "pyramid", "small first"):
        micrograph = read(tmp_path / f"{name}.tif")
        assert micrograph.n_frames == 1, name
        np.testing.assert_array_equal(micrograph.pixels, full)


def test_eight_bit_values_in_an_old_palette(tmp_path: Path) -> None:
    index = np.arange(256, dtype="uint8").reshape(16, 16)
    tifffile.imwrite(tmp_path / "a.tif", index, photometric="palette", colormap=np.stack([np.arange(256)] * 3).astype("uint16"))
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, index)


def test_truncation_is_never_silent(tmp_path: Path) -> None:
    pixels = drawn("uint16", (128, 96))
    for name, options in {"plain": {}, "strips": {"rowsperstrip": 8}, "lzw": {"compression": "lzw", "rowsperstrip": 8}}.items():
        tifffile.imwrite(tmp_path / "a.tif", pixels, **options)
        whole = (tmp_path / "a.tif").read_bytes()
        for share in (0.3, 0.7, 0.95):
            (tmp_path / "cut.tif").write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(ReadError, match=r"cut\.tif: .*; expected .*(truncated|damaged).*: copy or export it again\."):
                read(tmp_path / "cut.tif")
        assert name


def test_a_bomb_is_refused_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tif"
    entries = [
        (256, 4, 30_000),
        (257, 4, 30_000),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, 30_000),
    ]
    entries.append((279, 4, 900_000_000))
    packed = b"".join(struct.pack("<HHII", code, kind, 1, value) for code, kind, value in entries)
    path.write_bytes(struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + packed + b"\0\0\0\0")
    with pytest.raises(ReadError, match=r"30000 × 30000 pixels; expected at most 500,000,000 values\. .*--max-pixels"):
        read(path)
    tifffile.imwrite(tmp_path / "a.tif", drawn("uint8", (*SHAPE, 3)), photometric="rgb")
    assert read(tmp_path / "a.tif", max_pixels=37 * 53 * 3).pixels.shape == SHAPE
    with pytest.raises(ReadError, match=r"37 × 53 pixels × 3 channels; expected at most 5,882"):
        read(tmp_path / "a.tif", max_pixels=37 * 53 * 3 - 1)


def test_tifffile_logs_nothing_to_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "odd.tif"
    tifffile.imwrite(path, drawn("uint8"), extratags=[(34118, 1, 6, b"\xff\x00junk"[:6], True)], metadata=None)
    data = bytearray(path.read_bytes())
    position = data.find(struct.pack("<HH", 305, 2))  # the Software tag: let its text lie beyond the file
    data[position + 4 : position + 12] = struct.pack("<II", 500, 10_000_000)
    path.write_bytes(data)
    micrograph = read(path)
    assert micrograph.pixels.shape == SHAPE
    assert capfd.readouterr() == ("", "")
