"""Makers' own formats, written by hand: what each key means, what is no picture, and what counts as unknown."""

from __future__ import annotations

import builtins
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import written_files as write

from morphoscope.errors import NoPictureError, ReadError
from morphoscope.io import read
from morphoscope.io.sidecar import sidecars

SIDES = (4.0, 2.0)
MICROSCOPE = {
    "Microscope Info": {
        "Voltage": 200_000.0,
        "Indicated Magnification": 25_000.0,
        "Illumination Mode": "TEM",
        "Imaging Mode": "MAG1",
        "Operation Mode": "TEM",
        "Name": "JEM-2100F",
        "Stage Position": {"Stage Alpha": -12.5},
    },
    "DataBar": {"Acquisition Date": "27/08/2016", "Acquisition Time": "20:52:30", "Device Name": "Orius SC1000"},
}


def frames(count: int = 1, dtype: str = "uint16") -> np.ndarray:
    return np.arange(count * 37 * 53).reshape(count, 37, 53).astype(dtype)


def with_microscope(**changes: Any) -> dict[str, Any]:
    return {**MICROSCOPE, "Microscope Info": {**MICROSCOPE["Microscope Info"], **changes}}


def test_gatan_settings(tmp_path: Path) -> None:
    micrograph = read(write.write_dm(tmp_path / "a.dm3", frames()[0], SIDES, tags=MICROSCOPE))
    settings = micrograph.acquisition
    assert (settings.value("hv_kv"), settings.value("magnification"), settings.value("tilt_deg")) == (200.0, 25_000.0, -12.5)
    assert (settings.value("detector"), settings.value("instrument")) == ("Orius SC1000", "JEM-2100F")
    assert settings.value("date") == "2016-08-27T20:52:30" and settings.value("mode") == "TEM"
    assert micrograph.reader == "dm (Gatan)" and micrograph.warnings == ()


@pytest.mark.parametrize(("unit", "nm"), [("µm", 1000.0), ("um", 1000.0), ("A", 0.1), ("pm", 0.001), ("m", 1e9)])
def test_units_of_a_length(tmp_path: Path, unit: str, nm: float) -> None:
    size = read(write.write_dm(tmp_path / "a.dm4", frames()[0], (3e-4, 2e-4), version=4, unit=unit)).pixel_size
    assert size is not None and (size.y_nm, size.x_nm) == (pytest.approx(3e-4 * nm), pytest.approx(2e-4 * nm))


@pytest.mark.parametrize("unit", ["1/nm", "1 / nm", "nm^-1", "1/A", "mrad"])
def test_a_diffraction_pattern_has_no_pixel_size_and_is_called_so(tmp_path: Path, unit: str) -> None:
    tags = with_microscope(**{"Imaging Mode": "DIFFRACTION"})
    micrograph = read(write.write_dm(tmp_path / "a.dm3", frames()[0], (0.1, 0.1), unit=unit, tags=tags))
    assert micrograph.is_diffraction and micrograph.pixel_size is None and micrograph.field_of_view_nm is None
    assert micrograph.acquisition.magnification is None, "in diffraction it is a camera length"
    assert "A diffraction pattern: its scale is reciprocal" in micrograph.warnings[0]


def test_a_scanning_microscope_images_in_diffraction(tmp_path: Path) -> None:
    tags = with_microscope(**{"Imaging Mode": "DIFFRACTION", "Operation Mode": "SCANNING", "Illumination Mode": "STEM NANOPROBE"})
    micrograph = read(write.write_dm(tmp_path / "a.dm3", frames()[0], SIDES, tags=tags))
    assert micrograph.acquisition.value("magnification") == 25_000 and not micrograph.is_diffraction


@pytest.mark.parametrize("unit", ["eV", "keV"])
def test_steps_of_energy_are_no_pixels(tmp_path: Path, unit: str) -> None:
    path = write.write_dm(tmp_path / "a.dm3", frames()[0], (0.5, 0.5), unit=unit, tags=MICROSCOPE)
    with pytest.raises(NoPictureError, match=r"a\.dm3: found no picture, .*\(37 × 53, spectra\); expected two axes") as caught:
        read(path)
    assert caught.value.settings.value("hv_kv") == 200.0, "the instrument is known though there is no picture"


def test_exactly_one_can_not_be_told_from_no_calibration(tmp_path: Path) -> None:
    micrograph = read(write.write_dm(tmp_path / "a.dm3", frames()[0], (1.0, 1.0)))
    assert micrograph.pixel_size is None and "exactly 1 nm a pixel" in micrograph.warnings[0]


def test_velox_settings(tmp_path: Path) -> None:
    micrograph = read(write.write_velox(tmp_path / "a.emd", frames(), SIDES))
    settings = micrograph.acquisition
    assert (settings.value("hv_kv"), settings.value("magnification")) == (300.0, 7100.0)
    assert settings.value("tilt_deg") == pytest.approx(10.0), "radians in the file"
    assert (settings.value("detector"), settings.value("dwell_us")) == ("HAADF", pytest.approx(10.0))
    assert settings.value("date") == "2019-12-05T10:03:44" and micrograph.reader == "emd (Thermo Velox)"


def test_velox_camera_magnification_and_diffraction(tmp_path: Path) -> None:
    camera = {"CustomProperties.StemMagnification": {"type": "double", "value": "0"}}
    nominal = {**camera, "Optics.NominalMagnification": "43000"}
    assert (
        read(write.write_velox(tmp_path / "a.emd", frames(), SIDES, changes=nominal)).acquisition.value("magnification") == 43_000
    )
    diffraction = read(write.write_velox(tmp_path / "b.emd", frames(), SIDES, unit="1/m", changes=camera))
    assert diffraction.is_diffraction and diffraction.pixel_size is None
    assert diffraction.acquisition.magnification is None, "0 is unknown"


def test_hdf5_of_another_kind(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "a.emd", "w") as file:
        file["numbers"] = np.arange(5)
    with pytest.raises(ReadError, match="expected"):
        read(tmp_path / "a.emd")


@pytest.mark.parametrize("name", ["a (1)", "50% ü", "b"])
def test_tia_settings_lie_beside_the_pixels(tmp_path: Path, name: str) -> None:
    ser = write.write_ser(tmp_path / f"{name}_1.ser", frames(), SIDES)
    assert read(ser).acquisition.magnification is None
    emi = write.write_emi(tmp_path / f"{name}.emi")
    assert sidecars(ser) == [emi] and sidecars(emi) == [ser]
    from_emi, from_ser = read(emi), read(ser)
    np.testing.assert_array_equal(from_emi.pixels, from_ser.pixels)
    assert from_emi.pixel_size is not None and from_emi.pixel_size.x_nm == pytest.approx(2.0)
    for micrograph, origin in ((from_emi, "header"), (from_ser, "sidecar")):
        settings = micrograph.acquisition
        assert (settings.value("magnification"), settings.value("hv_kv"), settings.value("tilt_deg")) == (20_000.0, 200.0, 0.5)
        assert settings.magnification is not None and settings.magnification.origin == origin


def test_tia_names_that_the_library_takes_for_a_pattern(tmp_path: Path) -> None:
    ser, emi = write.write_ser(tmp_path / "a [2]_1.ser", frames(), SIDES), write.write_emi(tmp_path / "a [2].emi")
    micrograph = read(ser)
    assert micrograph.pixel_size is not None and "rename it" in micrograph.warnings[0]
    with pytest.raises(ReadError, match="expected a plain name"):
        read(emi)


def test_tia_settings_without_pixels_and_damaged_ones(tmp_path: Path) -> None:
    emi = write.write_emi(tmp_path / "a.emi")
    with pytest.raises(ReadError, match=r"a\.emi: found no a_1\.ser beside it; expected the \.ser files .* Copy them"):
        read(emi)
    ser = write.write_ser(tmp_path / "a_1.ser", frames(), SIDES)
    emi.write_bytes(b"JK\0\2<ObjectInfo><broken")
    micrograph = read(ser)
    assert micrograph.pixels.shape == (37, 53) and micrograph.pixel_size is not None


def test_tvips_camera_pixels_are_none_on_the_specimen(tmp_path: Path) -> None:
    fine = read(write.write_tvips(tmp_path / "a_000.tvips", frames(2), (3, 3), magnification=5000))
    assert fine.pixel_size is not None and fine.pixel_size.x_nm == 3
    coarse = read(write.write_tvips(tmp_path / "b_000.tvips", frames(2), (15_600, 15_600), magnification=50_000, kv=200_000))
    assert coarse.pixel_size is None and "is the camera's" in coarse.warnings[0]
    assert (coarse.acquisition.value("hv_kv"), coarse.acquisition.value("magnification")) == (200.0, 50_000.0)
    with pytest.raises(ReadError, match="fewer than two whole frames"):
        read(write.write_tvips(tmp_path / "c_000.tvips", frames(1), SIDES))


def _thermo_header(volts: float = 300_000.0, x_m: float = 2.5e-10) -> bytes:
    block = bytearray(768)
    struct.pack_into("<i", block, 0, len(block))
    struct.pack_into("<d", block, 84, volts)
    struct.pack_into("<d", block, 100, -30.0)
    struct.pack_into("<2d", block, 156, x_m, 5e-10)
    struct.pack_into("<d", block, 289, 105_000.0)
    return bytes(block)


def test_mrc_extended_headers(tmp_path: Path) -> None:
    path = write.write_mrc(tmp_path / "a.mrc", frames(2), None, extended=_thermo_header() + _thermo_header(volts=200_000.0))
    data = bytearray(path.read_bytes())
    data[104:108] = b"FEI1"
    path.write_bytes(data)
    first, second = read(path), read(path, frame=1)
    assert first.pixel_size is not None and (first.pixel_size.y_nm, first.pixel_size.x_nm) == (0.5, 0.25)
    assert (first.acquisition.value("hv_kv"), second.acquisition.value("hv_kv")) == (300.0, 200.0)
    assert (first.acquisition.value("tilt_deg"), first.acquisition.value("magnification")) == (-30.0, 105_000.0)
    blocks = bytearray(1024 * 128)
    struct.pack_into("<13f", blocks, 0, 7.5, *[0.0] * 10, 1.5e-9, 62_000.0)
    older = read(write.write_mrc(tmp_path / "b.mrc", frames(), None, extended=bytes(blocks)))
    assert older.pixel_size is not None and older.pixel_size.x_nm == pytest.approx(1.5)
    assert (older.acquisition.value("tilt_deg"), older.acquisition.value("magnification")) == (7.5, 62_000.0)


def test_mrc_without_a_calibration(tmp_path: Path) -> None:
    default = read(write.write_mrc(tmp_path / "a.mrc", frames(), (0.1, 0.1)))
    assert default.pixel_size is None and "exactly 1 Å a pixel" in default.warnings[0]
    assert read(write.write_mrc(tmp_path / "b.mrc", frames(), (-0.4, -0.4))).pixel_size is None
    for mode, found in ((4, "complex numbers"), (101, "MRC mode 101")):
        data = bytearray((tmp_path / "b.mrc").read_bytes())
        struct.pack_into("<i", data, 12, mode)
        (tmp_path / "c.mrc").write_bytes(data)
        with pytest.raises(ReadError, match=found):
            read(tmp_path / "c.mrc")


MDOC = """PixelSpacing = 2.75
Voltage = 300
ImageFile = a.mrc
ImageSize = {columns} {rows}
DataMode = 6

[T = SerialEM: Digitized on Titan]

[ZValue = 0]
TiltAngle = -60.01
Magnification = 33000
SpotSize = 5
DateTime = 05-Mar-21  14:07:12

[ZValue = 1]
TiltAngle = -57.02
Magnification = 33000
"""


@pytest.mark.parametrize("name", ["a.mrc.mdoc", "a.mdoc", "a.mrc.MDOC"])
def test_serialem_sidecar_speaks_of_each_frame(tmp_path: Path, name: str) -> None:
    path = write.write_mrc(tmp_path / "a.mrc", frames(2), None)
    (tmp_path / name).write_text(MDOC.format(columns=53, rows=37), encoding="utf-8")
    for number, tilt in enumerate((-60.01, -57.02)):
        micrograph = read(path, frame=number)
        size, settings = micrograph.pixel_size, micrograph.acquisition
        assert size is not None and (size.x_nm, size.origin) == (pytest.approx(0.275), "sidecar")
        assert (settings.value("hv_kv"), settings.value("magnification"), settings.value("tilt_deg")) == (300.0, 33_000.0, tilt)
    assert read(path).acquisition.value("date") == "2021-03-05T14:07:12"


def test_a_sidecar_of_another_picture_is_left_out_with_a_sentence(tmp_path: Path) -> None:
    path = write.write_mrc(tmp_path / "a.mrc", frames(), None)
    (tmp_path / "a.mrc.mdoc").write_text(MDOC.format(columns=400, rows=1200), encoding="utf-8")
    micrograph = read(path)
    assert micrograph.pixel_size is None and micrograph.acquisition.hv_kv is None
    (warning,) = micrograph.warnings
    assert "a.mrc.mdoc speaks of a picture of 1200 × 400 pixels, this one has 37 × 53" in warning and "metadata sheet" in warning


DE_INFO = """Camera Model = Celeritas
Instrument Project Magnification = 1000
Instrument Project TEMorSTEM Mode = 1
Specimen Pixel Size X (nanometers) = 0.5
Specimen Pixel Size Y (nanometers) = 0.5
"""


def test_direct_electron_info_is_shared_by_the_files_of_an_acquisition(tmp_path: Path) -> None:
    (tmp_path / "20241021_00405_info.txt").write_text(DE_INFO, encoding="utf-8")
    image = read(write.write_mrc(tmp_path / "20241021_00405_0_Virt 0_sum.mrc", frames(), None))
    movie = read(write.write_mrc(tmp_path / "20241021_00405_movie.mrc", frames(3), None))
    assert image.acquisition.value("magnification") == movie.acquisition.value("magnification") == 1000
    assert image.pixel_size is not None and image.pixel_size.x_nm == 0.5 and not image.is_diffraction
    assert movie.is_diffraction and movie.pixel_size is None


@pytest.mark.parametrize("name", ["a.dm3", "a.dm4", "a_1.ser", "a.emi", "a.emd", "a_000.tvips"])
def test_without_the_extra_a_sentence_names_it(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    writers = {
        "dm3": write.write_dm,
        "dm4": write.write_dm,
        "ser": write.write_ser,
        "emd": write.write_velox,
        "tvips": write.write_tvips,
    }
    path = tmp_path / name
    if name == "a.emi":
        write.write_ser(tmp_path / "a_1.ser", frames(2))
        write.write_emi(path)
    else:
        writers[name.rpartition(".")[2]](path, frames(2))
    usual = builtins.__import__

    def without(module: str, *rest: Any) -> Any:
        if module.partition(".")[0] == "rsciio":
            raise ImportError(module)
        return usual(module, *rest)

    for module in [module for module in sys.modules if module.partition(".")[0] == "rsciio"]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ReadError) as caught:
        read(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: found an") or sentence.startswith(f"{path}: found a ")
    assert "is not installed; expected the extra 'vendor'. Run pip install \"morphoscope[vendor]\"" in sentence
    assert read(write.write_mrc(tmp_path / "b.mrc", frames(), SIDES)).pixel_size is not None, "MRC needs no extra"
