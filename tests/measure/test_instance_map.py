"""Instance maps from files of every kind, and which picture they belong to."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from morphoscope.errors import ReadError
from morphoscope.measure.instance_map import n_pieces, read_instance_map
from morphoscope.measure.mask_matching import match_instance_maps

NUMBERS = np.zeros((20, 31), np.uint32)
NUMBERS[2:5, 3:9], NUMBERS[10:12, 20:22] = 1, 200


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int32, np.int64, np.float32])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_tiff_of_every_number_type(tmp_path, dtype, byteorder) -> None:
    tifffile.imwrite(tmp_path / "map.tif", NUMBERS.astype(dtype), byteorder=byteorder, photometric="minisblack")
    found = read_instance_map(tmp_path / "map.tif")
    assert found.dtype.kind == "u"
    np.testing.assert_array_equal(found, NUMBERS)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png(tmp_path, dtype) -> None:
    Image.fromarray(NUMBERS.astype(dtype)).save(tmp_path / "map.png")
    np.testing.assert_array_equal(read_instance_map(tmp_path / "map.png"), NUMBERS)


def test_numbers_above_16_bits_are_kept(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "map.tif", NUMBERS * np.uint32(20_000_000))
    assert read_instance_map(tmp_path / "map.tif").max() == 4_000_000_000


def write_colour(path) -> None:
    Image.fromarray(np.dstack([NUMBERS, NUMBERS * 0, NUMBERS]).astype(np.uint8)).save(path)


def write_palette(path) -> None:
    Image.fromarray(NUMBERS.astype(np.uint8)).convert("P").save(path)


def write_inverted(path) -> None:
    tifffile.imwrite(path, NUMBERS.astype(np.uint8), photometric="miniswhite")


def write_fractions(path) -> None:
    tifffile.imwrite(path, (NUMBERS / 3).astype(np.float32))


def write_nan(path) -> None:
    tifffile.imwrite(path, np.where(NUMBERS > 1, np.nan, NUMBERS).astype(np.float32))


def write_negative(path) -> None:
    tifffile.imwrite(path, -NUMBERS.astype(np.int16))


def write_pages(path) -> None:
    tifffile.imwrite(path, np.stack([NUMBERS, NUMBERS]), photometric="minisblack")


@pytest.mark.parametrize(
    ("write", "suffix", "said"),
    [
        (write_colour, ".png", "found colours"),
        (write_colour, ".tif", "found colours"),
        (write_palette, ".png", "found colours, a palette"),
        (write_inverted, ".tif", "inverted grey levels"),
        (write_fractions, ".tif", "found float32 values from 0 to 66.6667"),
        (write_nan, ".tif", "found float32 values from nan to nan"),
        (write_negative, ".tif", "found int16 values from -200 to 0"),
        (write_pages, ".tif", "found 2 pages"),
    ],
)
def test_what_holds_no_object_numbers_is_refused(tmp_path, write, suffix, said) -> None:
    write(tmp_path / f"map{suffix}")
    with pytest.raises(ReadError, match=said) as refused:
        read_instance_map(tmp_path / f"map{suffix}")
    assert "expected an instance map" in str(refused.value)


def test_a_truncated_map_is_refused(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "map.tif", NUMBERS)
    whole = (tmp_path / "map.tif").read_bytes()
    (tmp_path / "map.tif").write_bytes(whole[:-300])
    with pytest.raises(ReadError, match="truncated"):
        read_instance_map(tmp_path / "map.tif")


def test_pieces_join_at_corners() -> None:
    assert n_pieces(np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]])) == 2


def touch(folder, *names) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_same_stem_whatever_the_suffix(tmp_path) -> None:
    touch(tmp_path / "masks", "a.png", "b.TIF", "c.d.tiff", "notes.txt", ".a.png")
    pictures = [tmp_path / name for name in ("a.tif", "b.jpg", "c.d.bmp")]
    found = match_instance_maps(pictures, tmp_path / "masks")
    assert [found[path].name for path in pictures] == ["a.png", "b.TIF", "c.d.tiff"]


def test_sub_folders_tell_equal_stems_apart(tmp_path) -> None:
    touch(tmp_path / "masks", "one/x.png", "two/x.png")
    one, two = tmp_path / "images" / "one" / "x.tif", tmp_path / "images" / "two" / "x.tif"
    found = match_instance_maps([one, two], tmp_path / "masks")
    assert (found[one].parent.name, found[two].parent.name) == ("one", "two")


def test_a_mask_that_two_pictures_claim_belongs_to_neither(tmp_path) -> None:
    touch(tmp_path / "masks", "x.png")
    pictures = [tmp_path / "one" / "x.tif", tmp_path / "two" / "x.tif"]
    found = match_instance_maps(pictures, tmp_path / "masks")
    assert all("same stem as 2 pictures" in str(found[path]) for path in pictures)


def test_missing_and_ambiguous_masks_are_named(tmp_path) -> None:
    touch(tmp_path / "masks", "particle_01.png", "twice.png", "twice.tif")
    lost, twice = tmp_path / "particle_1.tif", tmp_path / "twice.jpg"
    found = match_instance_maps([lost, twice], tmp_path / "masks")
    assert "found no mask" in str(found[lost])
    assert "Did you mean 'particle_01'?" in str(found[lost])
    assert "found 2 masks" in str(found[twice])


def test_a_folder_without_masks_is_refused(tmp_path) -> None:
    with pytest.raises(ReadError, match="no such folder"):
        match_instance_maps([tmp_path / "a.tif"], tmp_path / "nowhere")
    with pytest.raises(ReadError, match=r"found no \.png"):
        match_instance_maps([tmp_path / "a.tif"], tmp_path)
