"""PNG, JPEG, BMP, WebP and GIF, drawn: one grey channel at the stored depth, told apart by content."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from morphoscope.errors import ReadError
from morphoscope.io import read

SHAPE = (37, 53)


def drawn(dtype: str = "uint8", shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(7).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_png_keeps_its_depth(tmp_path: Path, dtype: str) -> None:
    grey = drawn(dtype)
    alpha = drawn(dtype, (*SHAPE, 1))
    pictures = {
        "grey": grey,
        "grey and alpha": np.concatenate([grey[..., None], alpha], -1),
        "equal channels": np.repeat(grey[..., None], 3, -1),
        "equal channels and alpha": np.concatenate([np.repeat(grey[..., None], 3, -1), alpha], -1),
    }
    for name, stored in pictures.items():
        (tmp_path / f"{name}.png").write_bytes(imagecodecs.png_encode(stored))
        micrograph = read(tmp_path / f"{name}.png")
        assert (micrograph.pixels.dtype, micrograph.reader) == (np.dtype(dtype), "png"), name
        np.testing.assert_array_equal(micrograph.pixels, grey, name)
        assert micrograph.pixel_size is None and micrograph.warnings == ()


def test_png_colour_palette_and_one_bit(tmp_path: Path) -> None:
    colour = drawn(shape=(*SHAPE, 3))
    Image.fromarray(colour).save(tmp_path / "colour.png", dpi=(300, 300))
    micrograph = read(tmp_path / "colour.png")
    np.testing.assert_allclose(micrograph.pixels, colour @ np.array([0.299, 0.587, 0.114]), atol=0.51)
    assert micrograph.pixel_size is None, "a print resolution is no calibration"
    grey = drawn() // 64 * 64
    Image.fromarray(grey).quantize(8).save(tmp_path / "palette.png")
    np.testing.assert_allclose(read(tmp_path / "palette.png").pixels, grey, atol=1)
    Image.fromarray(grey > 100).save(tmp_path / "bits.png")
    np.testing.assert_array_equal(read(tmp_path / "bits.png").pixels, np.where(grey > 100, 255, 0))


@pytest.mark.parametrize(("suffix", "options"), [("bmp", {}), ("webp", {"lossless": True}), ("gif", {})])
def test_lossless_formats_of_pillow(tmp_path: Path, suffix: str, options: dict[str, bool]) -> None:
    grey = drawn()
    Image.fromarray(grey).save(tmp_path / f"a.{suffix}", **options)
    micrograph = read(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(micrograph.pixels, grey)
    assert (micrograph.reader, micrograph.n_frames) == (suffix, 1)


def test_jpeg_grey_and_colour(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 255, 64).astype("uint8"), (48, 1))
    for mode in ("L", "RGB", "CMYK"):
        Image.fromarray(ramp).convert(mode).save(tmp_path / "a.jpg", quality=95, dpi=(72, 72))
        micrograph = read(tmp_path / "a.jpg")
        np.testing.assert_allclose(micrograph.pixels.astype(int), ramp.astype(int), atol=4, err_msg=mode)
        assert micrograph.pixel_size is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_is_turned_as_its_exif_says(tmp_path: Path, orientation: int) -> None:
    blocks = np.kron(np.array([[0, 60, 120], [180, 240, 20]], dtype="uint8"), np.ones((16, 16), dtype="uint8"))
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(blocks).save(tmp_path / "a.jpg", quality=100, exif=exif)
    turned = {
        1: blocks,
        2: blocks[:, ::-1],
        3: blocks[::-1, ::-1],
        4: blocks[::-1],
        5: blocks.T,
        6: np.rot90(blocks, -1),
        7: blocks[::-1, ::-1].T,
        8: np.rot90(blocks),
    }[orientation]
    np.testing.assert_allclose(read(tmp_path / "a.jpg").pixels.astype(int), turned.astype(int), atol=3)


def test_broken_exif_costs_a_warning_only(tmp_path: Path) -> None:
    Image.fromarray(drawn()).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read(tmp_path / "a.jpg").pixels.shape == SHAPE


def test_animation_frames(tmp_path: Path) -> None:
    frames = [np.full(SHAPE, level, dtype="uint8") for level in (10, 90, 200)]
    for frame in frames:
        frame[3:9, 4:20] = 255
    first, *others = [Image.fromarray(frame) for frame in frames]
    first.save(tmp_path / "a.gif", save_all=True, append_images=others)
    micrograph = read(tmp_path / "a.gif", frame=2)
    assert (micrograph.n_frames, micrograph.frame) == (3, 2)
    np.testing.assert_array_equal(micrograph.pixels, frames[2])


def test_the_content_counts_and_not_the_extension(tmp_path: Path) -> None:
    Image.fromarray(drawn()).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.tif")
    assert read(tmp_path / "a.tif").reader == "png"


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp", "gif"])
def test_truncated_or_scrambled_is_an_error(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(drawn(shape=(200, 300))).save(tmp_path / f"a.{suffix}")
    whole = (tmp_path / f"a.{suffix}").read_bytes()
    for share in (0.02, 0.5, 0.9):
        (tmp_path / f"cut.{suffix}").write_bytes(whole[: max(20, int(len(whole) * share))])
        with pytest.raises(ReadError, match=r"cut\.\w+: the \w+ data can't be decoded .*; expected a complete picture"):
            read(tmp_path / f"cut.{suffix}")


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "gif"])
def test_large_pictures_meet_our_limit_and_no_other(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow alone would now warn of a bomb, or refuse
    Image.fromarray(drawn()).save(tmp_path / f"a.{suffix}")
    assert read(tmp_path / f"a.{suffix}").pixels.shape == SHAPE
    with pytest.raises(ReadError, match=r"37 × 53 pixels.*; expected at most 1,000 values"):
        read(tmp_path / f"a.{suffix}", max_pixels=1000)


def test_a_bad_colour_profile_is_not_mentioned(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(drawn()).save(tmp_path / "a.png", icc_profile=b"no profile at all")
    assert read(tmp_path / "a.png").warnings == ()
    assert capfd.readouterr() == ("", "")
