"""What ImageJ, StarDist, Cellpose and napari write is measured too, and what can't be opened safely is refused."""

from __future__ import annotations

import pickle
import zipfile

import numpy as np
import pytest
import roifile
import tifffile
from PIL import Image

from morphoscope.errors import OutputError, ReadError
from morphoscope.measure.instance_map import read_instance_map, write_instance_map
from morphoscope.measure.mask_matching import match_instance_maps, without_masks
from morphoscope.micrograph import PixelSize

SHAPE = (60, 90)


def rectangle(top: int, left: int, bottom: int, right: int) -> roifile.ImagejRoi:
    roi = roifile.ImagejRoi()
    roi.roitype, roi.version = roifile.ROI_TYPE.RECT, 227
    roi.top, roi.left, roi.bottom, roi.right = top, left, bottom, right
    return roi


def polygon(*corners: tuple[float, float]) -> roifile.ImagejRoi:
    return roifile.ImagejRoi.frompoints(np.array(corners, np.float32))


def save_zip(path, *rois: roifile.ImagejRoi) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number, roi in enumerate(rois):
            archive.writestr(f"{number:04}.roi", roi.tobytes())


def test_regions_of_interest_become_a_map(tmp_path) -> None:
    line = roifile.ImagejRoi.frompoints(np.array([[1, 1], [40, 40]], np.float32))
    line.roitype = roifile.ROI_TYPE.POLYLINE
    save_zip(tmp_path / "a.zip", rectangle(5, 10, 15, 30), line, polygon((50, 20), (70, 20), (70, 40), (50, 40)))
    found = read_instance_map(tmp_path / "a.zip", shape=SHAPE)
    expected = np.zeros(SHAPE, int)
    expected[5:15, 10:30], expected[20:40, 50:70] = 1, 2
    np.testing.assert_array_equal(found, expected)
    (tmp_path / "b.roi").write_bytes(rectangle(5, 10, 15, 30).tobytes())
    np.testing.assert_array_equal(read_instance_map(tmp_path / "b.roi", shape=SHAPE), expected == 1)


def test_a_disc_outlined_like_stardist_has_its_area(tmp_path) -> None:
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    save_zip(tmp_path / "a.zip", polygon(*zip(45 + 20 * np.cos(angle), 30 + 20 * np.sin(angle), strict=True)))
    assert read_instance_map(tmp_path / "a.zip", shape=SHAPE).sum() == pytest.approx(np.pi * 400, rel=0.02)


@pytest.mark.parametrize("name", ["a.zip", "a.roi"])
def test_what_holds_no_outline_is_refused(tmp_path, name) -> None:
    (tmp_path / name).write_bytes(b"no outlines at all")
    with pytest.raises(ReadError, match="expected ImageJ outlines"):
        read_instance_map(tmp_path / name, shape=SHAPE)


def test_a_zip_of_other_things_or_none_is_refused(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(ReadError, match="expected ImageJ outlines"):
        read_instance_map(tmp_path / "a.zip", shape=SHAPE)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.roi", bytes(2**28 + 1))
    with pytest.raises(ReadError, match="unpack to 256 MB"):
        read_instance_map(tmp_path / "bomb.zip", shape=SHAPE)


def test_arrays_are_read_and_pickles_are_not(tmp_path) -> None:
    numbers = np.zeros(SHAPE, np.int32)
    numbers[3:9, 4:20] = 7
    np.save(tmp_path / "plain.npy", numbers)
    np.testing.assert_array_equal(read_instance_map(tmp_path / "plain.npy"), numbers)
    np.save(tmp_path / "a_seg.npy", {"masks": numbers}, allow_pickle=True)
    with pytest.raises(
        ReadError, match=r"pickled Python objects, as Cellpose's _seg\.npy holds, .* save the masks as PNG or TIFF"
    ):
        read_instance_map(tmp_path / "a_seg.npy")
    (tmp_path / "raw.npy").write_bytes(pickle.dumps(numbers))
    np.save(tmp_path / "deep.npy", np.zeros((3, 4, 5)))
    for name in ("raw.npy", "deep.npy"):
        with pytest.raises(ReadError, match="expected an instance map"):
            read_instance_map(tmp_path / name)


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_what_is_written_is_read_again_and_by_others(tmp_path, name) -> None:
    numbers = np.zeros(SHAPE, np.int64)
    numbers[3:9, 4:20], numbers[30:40, 50:60] = 1, 40_000
    write_instance_map(tmp_path / name, numbers, PixelSize(2.0, 2.0, "header"))
    np.testing.assert_array_equal(read_instance_map(tmp_path / name), numbers)
    opened = tifffile.imread(tmp_path / name) if name == "a.tif" else np.asarray(Image.open(tmp_path / name))
    assert opened.dtype == np.uint16
    if name == "a.tif":
        with tifffile.TiffFile(tmp_path / name) as file:
            assert file.is_imagej
            assert file.imagej_metadata["unit"] == "nm"
            assert file.pages.first.get_resolution() == pytest.approx((0.5, 0.5))


def test_more_than_65535_objects_need_a_tiff(tmp_path) -> None:
    numbers = np.arange(300 * 300).reshape(300, 300)
    write_instance_map(tmp_path / "a.tif", numbers)
    np.testing.assert_array_equal(read_instance_map(tmp_path / "a.tif"), numbers)
    with pytest.raises(OutputError, match=r"89999 objects; a PNG holds at most 65535\. Write a \.tif"):
        write_instance_map(tmp_path / "a.png", numbers)


def touch(folder, *names) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()


def test_endings_of_other_programs_are_known(tmp_path) -> None:
    touch(
        tmp_path / "m",
        "a_cp_masks.png",
        "a_seg.npy",
        "b_masks.tif",
        "c.zip",
        "c.png",
        "d_RoiSet.zip",
        "e_seg.npy",
        "f.tif",
        "f_mask.png",
    )
    pictures = [tmp_path / f"{stem}.tif" for stem in "abcdef"]
    found = match_instance_maps(pictures, tmp_path / "m")
    names = ["a_cp_masks.png", "b_masks.tif", "c.png", "d_RoiSet.zip", "e_seg.npy", "f.tif"]
    assert [found[path].name for path in pictures] == names


def test_masks_beside_their_pictures(tmp_path) -> None:
    touch(tmp_path / "m", "a.tif", "a_cp_masks.png", "b_mask.tif")
    pictures = [tmp_path / "m" / name for name in ("a.tif", "a_cp_masks.png", "b_mask.tif")]
    assert [path.name for path in without_masks(pictures)] == ["a.tif", "b_mask.tif"], "b_mask is a picture of its own"
    assert match_instance_maps(pictures[:1], tmp_path / "m")[pictures[0]].name == "a_cp_masks.png"
