"""Makers' tags written by hand, with unequal pixels: what each key means, and what counts as unknown."""

from __future__ import annotations

import struct
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from morphoscope.calibration import conflicts
from morphoscope.io import read
from morphoscope.micrograph import InformationBar, Micrograph

SHAPE = (90, 120)

FEI = """[User]\r
Date=04/15/2019\r
Time=02:51:48 PM\r
[System]\r
SystemType=Nova NanoSEM 450\r
[Beam]\r
HV=10000\r
Spot=3\r
Beam=EBeam\r
[EBeam]\r
HFW=3.6e-006\r
WD=0.0050\r
BeamCurrent=8e-011\r
[Scan]\r
Dwelltime=1e-005\r
PixelWidth={x}\r
PixelHeight={y}\r
HorFieldsize=3.6e-006\r
[Stage]\r
StageT=0.5235987756\r
[Image]\r
ResolutionX=120\r
ResolutionY=80\r
MagCanvasRealWidth=0.127\r
[Detectors]\r
Name=TLD\r
Mode=SE\r
"""

ZEISS = "\r\n".join(
    [
        "0\r\n0\r\n778",
        "AP_WD\r\nWD =  4.6 mm",
        "AP_ACTUALKV\r\nEHT =  5.00 kV",
        "AP_MAG\r\nMag =    {mag}",
        "{size}",
        "AP_PIXEL_SIZE\r\nPixel Size = 19.53 nm",
        "AP_WIDTH\r\nWidth = 20.00 \xb5m",
        "DP_DETECTOR_CHANNEL\r\nSignal A = SE2",
        "AP_STAGE_AT_T\r\nStage at T =  -2.5 \xb0",
        "DP_DWELL_TIME\r\nDwell Time = 100 ns",
        "AP_IPROBE\r\nI Probe =  200.0 pA",
        "DP_SEM\r\nSem = Auriga",
        "AP_DATE\r\nDate :27 May 2021",
        "AP_TIME\r\nTime :10:23:37",
        "",
    ]
)

TESCAN = """ImageStripSize=10\r
Magnification=108.08\r
PixelSizeX={x}\r
PixelSizeY={y}\r
Date=2016-05-16\r
Time=16:03:27\r
Device=MIRA3 XMU\r
Detector=SE\r
DwellTime=3.2000e-6\r
HV=10.0000e3\r
PredictedBeamCurrent=264.0e-12\r
StageTilt=-1.5\r
WD=13.250e-3\r
"""

JEOL = """$SEM_DATA_VERSION 1
$CM_ACCEL_VOLT 1.50
$$SM_WD 2.77
$CM_MAG 50000
$CM_SIGNAL SEI
$CM_STAGE_POS -0.169 1.289 7.4 360.0 12.5 0
$CM_DATE 2010/10/01
$CM_TIME 08:44:19
$CM_INSTRUMENT 7600F
$$SM_MICRON_BAR 50
$$SM_MICRON_MARKER 10um
$CM_FULL_SIZE 120 80
"""

HITACHI = """[SemImageFile]
InstructName=SU8230
Date=2021/06/23
Time=16:41:13
DataSize=120x90
PixelSize=165.3646
SignalName=BSE
AcceleratingVoltage=15000 Volt
Magnification=600
WorkingDistance=7892.3 um
StagePositionT=-3.5
"""


def written(path: Path, *tags: tuple[int, str, Any], **options: Any) -> Micrograph:
    extratags = [(code, kind, 0 if kind == "s" else len(np.atleast_1d(value)), value, True) for code, kind, value in tags]
    pixels = np.random.default_rng(0).integers(0, 255, SHAPE, dtype="uint8")
    tifffile.imwrite(path, pixels, extratags=extratags, metadata=None, **options)
    return read(path)


def sides(micrograph: Micrograph) -> tuple[float, float] | None:
    size = micrograph.pixel_size
    return None if size is None else (pytest.approx(size.y_nm), pytest.approx(size.x_nm))


def values(micrograph: Micrograph) -> dict[str, Any]:
    names = ("magnification", "hv_kv", "wd_mm", "detector", "tilt_deg", "dwell_us", "beam_current_na", "instrument", "date")
    return {name: micrograph.acquisition.value(name) for name in names}


@pytest.mark.parametrize("code", [34680, 34682])
def test_fei(tmp_path: Path, code: int) -> None:
    micrograph = written(tmp_path / "a.tif", (code, "s", FEI.format(x="3.0e-008", y="4.0e-008")))
    assert sides(micrograph) == (40.0, 30.0)
    assert values(micrograph) == {
        "magnification": pytest.approx(35277.777778),
        "hv_kv": 10.0,
        "wd_mm": 5.0,
        "detector": "TLD",
        "tilt_deg": pytest.approx(30.0),
        "dwell_us": 10.0,
        "beam_current_na": 0.08,
        "instrument": "Nova NanoSEM 450",
        "date": "2019-04-15T14:51:48",
    }
    assert micrograph.information_bar == InformationBar(80, 10, "bottom")
    assert micrograph.reader == "tiff (FEI/Thermo)" and micrograph.pixel_size.origin == "header"
    assert [item.source for item in micrograph.pixel_size.evidence] == [
        "header: FEI Scan.PixelWidth",
        "header: FEI field width over columns",
    ]
    assert micrograph.acquisition.spot.value == "3" and micrograph.acquisition.mode.value == "SE"


@pytest.mark.parametrize("unknown", ["0", "-1", "nan", "", "inf"])
def test_unknown_is_none_and_never_a_number(tmp_path: Path, unknown: str) -> None:
    text = FEI.format(x=unknown, y=unknown).replace("HV=10000", f"HV={unknown}").replace("WD=0.0050", f"WD={unknown}")
    micrograph = written(tmp_path / "a.tif", (34682, "s", text))
    assert sides(micrograph) is None
    assert micrograph.acquisition.hv_kv is None and micrograph.acquisition.wd_mm is None
    tescan = TESCAN.format(x=unknown, y=unknown).replace("Magnification=108.08", f"Magnification={unknown}")
    micrograph = written(tmp_path / "b.tif", (50431, "s", tescan))
    assert sides(micrograph) is None and micrograph.acquisition.magnification is None
    zeiss = ZEISS.format(mag=unknown, size=f"AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = {unknown} nm").replace(
        "20.00 \xb5m", unknown
    )
    micrograph = written(tmp_path / "c.tif", (34118, "B", zeiss.encode("latin-1")))
    assert sides(micrograph) is None and micrograph.acquisition.magnification is None


def test_fei_navigation_camera_has_a_field_and_no_scan(tmp_path: Path) -> None:
    text = "[Image]\nResolutionX=120\nResolutionY=90\n[IRBeam]\nHFW=0.0012\nVFW=0.0018\n"
    assert sides(written(tmp_path / "a.tif", (34682, "s", text))) == (20000.0, 10000.0)
    assert sides(written(tmp_path / "b.tif", (34682, "s", "[Image]\nResolutionX=120\n"))) is None


@pytest.mark.parametrize(
    ("text", "magnification", "size", "pixel_nm"),
    [
        ("5.72 K X", 5720.0, "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 9.766 nm", 9.766),
        ("188 X", 188.0, "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 976.6 pm", 0.9766),
        ("1.20 M X", 1.2e6, "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 2.615 \xb5m", 2615.0),
        ("10.00 KX", 10000.0, "", 20000 / 120),
    ],
)
def test_zeiss(tmp_path: Path, text: str, magnification: float, size: str, pixel_nm: float) -> None:
    content = ZEISS.format(mag=text, size=size).encode("latin-1")
    micrograph = written(tmp_path / "a.tif", (34118, "B", content))
    assert sides(micrograph) == (pixel_nm, pixel_nm)
    assert values(micrograph) == {
        "magnification": magnification,
        "hv_kv": 5.0,
        "wd_mm": 4.6,
        "detector": "SE2",
        "tilt_deg": -2.5,
        "dwell_us": 0.1,
        "beam_current_na": 0.2,
        "instrument": "Zeiss Auriga",
        "date": "2021-05-27T10:23:37",
    }


def test_zeiss_display_pixel_size_alone_is_no_calibration(tmp_path: Path) -> None:
    content = "AP_PIXEL_SIZE\r\nPixel Size = 19.53 nm\r\n".encode("latin-1")
    assert sides(written(tmp_path / "a.tif", (34118, "B", content))) is None


def test_tescan_tag_and_sidecar(tmp_path: Path) -> None:
    text = TESCAN.format(x="2.5e-6", y="3.0e-6")
    preview = b"\0\0\0\x0cjP  \r\n\x87\n=noise=\xff\xd9"
    first, second = (text[: text.index("Detector")].encode(), text[text.index("Detector") :].encode())
    blocks = [struct.pack("<IH", len(data) + 2, kind) + data for kind, data in ((1, preview), (2, first), (3, second))]
    from_tag = written(tmp_path / "a.tif", (50431, "B", b"".join(blocks)))
    (tmp_path / "b-tif.hdr").write_text(f"[MAIN]\n{first.decode()}[SEM]\n{second.decode()}", encoding="utf-8")
    from_sidecar = written(tmp_path / "b.tif")
    for micrograph, origin in ((from_tag, "header"), (from_sidecar, "sidecar")):
        assert sides(micrograph) == (3000.0, 2500.0) and micrograph.pixel_size.origin == origin
        assert micrograph.information_bar == InformationBar(80, 10, "bottom")
        assert values(micrograph) == {
            "magnification": 108.08,
            "hv_kv": 10.0,
            "wd_mm": 13.25,
            "detector": "SE",
            "tilt_deg": -1.5,
            "dwell_us": 3.2,
            "beam_current_na": 0.264,
            "instrument": "MIRA3 XMU",
            "date": "2016-05-16T16:03:27",
        }


def test_jeol_sidecar(tmp_path: Path) -> None:
    (tmp_path / "a.TXT").write_text(JEOL.replace("\n", "\r\n"), encoding="utf-8")
    micrograph = written(tmp_path / "a.tif")
    assert sides(micrograph) == (200.0, 200.0) and micrograph.pixel_size.origin == "sidecar"
    assert micrograph.information_bar == InformationBar(80, 10, "bottom")
    assert values(micrograph) | {"dwell_us": None, "beam_current_na": None} == {
        "magnification": 50000.0,
        "hv_kv": 1.5,
        "wd_mm": 2.77,
        "detector": "SEI",
        "tilt_deg": 12.5,
        "dwell_us": None,
        "beam_current_na": None,
        "instrument": "JEOL 7600F",
        "date": "2010-10-01T08:44:19",
    }
    (tmp_path / "a.TXT").write_text(JEOL.replace("$$SM_MICRON_BAR 50\n", ""), encoding="utf-8")
    assert read(tmp_path / "a.tif").pixel_size is None, "a magnification alone is no scale"


@pytest.mark.parametrize("text", [JEOL.replace("120 80", "1280 960"), HITACHI.replace("120x90", "1280x960")])
def test_a_sidecar_of_the_same_proportions_is_of_a_resized_picture(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    micrograph = written(tmp_path / "a.tif")
    assert micrograph.pixel_size is not None and len(conflicts(micrograph.pixel_size)) == 1


@pytest.mark.parametrize("text", [JEOL.replace("120 80", "1280 320"), HITACHI.replace("120x90", "640x1280")])
def test_a_sidecar_of_other_proportions_is_of_another_picture(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    micrograph = written(tmp_path / "a.tif")
    assert micrograph.pixel_size is None and micrograph.acquisition.hv_kv is None
    assert "this one has 90 × 120: its values are left out" in micrograph.warnings[0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig", "cp1252"])
def test_hitachi_sidecar(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "花粉 (x600).txt").write_text(HITACHI, encoding=encoding)
    micrograph = written(tmp_path / "花粉 (x600).tif")
    assert sides(micrograph) == (165.3646, 165.3646) and micrograph.pixel_size.origin == "sidecar"
    found = values(micrograph)
    assert (found["magnification"], found["hv_kv"], found["wd_mm"], found["tilt_deg"]) == (600.0, 15.0, 7.8923, -3.5)
    assert (found["detector"], found["instrument"], found["date"]) == ("BSE", "Hitachi SU8230", "2021-06-23T16:41:13")


def test_hitachi_comment_is_rounded_so_the_sidecar_is_asked_first(tmp_path: Path) -> None:
    comment = "PixelSize=165.3646\r\nCondition=Vacc=15.0kV Mag=x1.20k WD=7.9mm LensMode=3\r\nSignalName=SE\r\n"
    tags = ((40092, "B", (comment + "\0").encode("utf-16-le")), (40093, "B", "TM4000\0".encode("utf-16-le")))
    alone = written(tmp_path / "alone.tif", *tags)
    assert sides(alone) == (165.3646, 165.3646) and alone.pixel_size.origin == "header"
    found = values(alone)
    assert (found["magnification"], found["hv_kv"], found["wd_mm"]) == (1200.0, 15.0, 7.9)
    assert (found["detector"], found["instrument"]) == ("SE", "Hitachi TM4000")
    (tmp_path / "both_x999.txt").write_text(HITACHI, encoding="utf-16")
    both = written(tmp_path / "both_x999.tif", *tags)
    assert (both.acquisition.value("wd_mm"), both.acquisition.magnification.origin) == (7.8923, "sidecar")
    assert [item.source.partition(":")[0] for item in both.pixel_size.evidence] == ["sidecar", "header"]


def test_notes_beside_a_picture_are_no_sidecar(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("PixelSize=5\nMagnification=7\n", encoding="utf-8")
    micrograph = written(tmp_path / "a.tif")
    assert micrograph.pixel_size is None and micrograph.warnings == ()


def test_phenom(tmp_path: Path) -> None:
    xml = """<?xml version="1.0"?><FeiImage><pixelWidth unit="um">0.25</pixelWidth><pixelHeight unit="nm">300</pixelHeight>
    <databarHeight>10</databarHeight><instrument><edition>G4 Phenom ProX</edition></instrument></FeiImage>"""
    micrograph = written(tmp_path / "a.tif", (34683, "s", xml))
    assert sides(micrograph) == (300.0, 250.0) and micrograph.information_bar == InformationBar(80, 10, "bottom")
    assert micrograph.acquisition.value("instrument") == "G4 Phenom ProX"


def _tvips(mode: int) -> bytes:
    fields = {
        "Version": 2,
        "Magic": 0xAAAAAAAA,
        "PixelSizeX": 0.42,
        "PixelSizeY": 0.5,
        "TemMode": mode,
        "TemHighTension": 99000.0,
    }
    content = b""
    for header in (tifffile.TIFF.TVIPS_HEADER_V1, tifffile.TIFF.TVIPS_HEADER_V2):
        record = np.zeros((), dtype=np.dtype(header).newbyteorder("<"))
        for name, value in fields.items():
            if name in record.dtype.names:
                record[name] = value
        if "TemMagnification" in record.dtype.names:
            record["TemMagnification"] = 32000
            record["TemStagePosition"][3] = 12.5
        content += record.tobytes()
    return content


def test_tvips(tmp_path: Path) -> None:
    image = written(tmp_path / "a.tif", (37706, "B", _tvips(1)))
    assert sides(image) == (0.5, pytest.approx(0.42))
    assert image.acquisition.value("hv_kv") == 99.0 and image.acquisition.value("tilt_deg") == 12.5
    assert image.acquisition.value("magnification") == 32000.0
    diffraction = written(tmp_path / "b.tif", (37706, "B", _tvips(3)))
    assert sides(diffraction) is None and diffraction.acquisition.magnification is None


def test_olympus_sis_on_the_second_page_behind_a_preview(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    picture = np.random.default_rng(0).integers(0, 4000, SHAPE, dtype="uint16")
    header = struct.pack("<4s6xhhhhh6x32sH", b"SIS0", 30, 14, 2, 4, 119, b"name", 1) + struct.pack("<hhI", 1, 1, 0xDEADBEEF)
    calibration = struct.pack("<10xhdd8xd2x34s32s", -9, 0.0239, 0.03, 600000.0, b"Veleta", b"")
    with tifffile.TiffWriter(path) as writer:
        writer.write(np.zeros((*SHAPE, 3), "uint8"), photometric="rgb", metadata=None)
        writer.write(picture, metadata=None, extratags=[(33560, 1, len(header), header, True)])
    data = path.read_bytes()  # the calibration lies somewhere in the file; the tag gives its offset
    path.write_bytes(data.replace(struct.pack("<I", 0xDEADBEEF), struct.pack("<I", len(data))) + calibration + bytes(300))
    micrograph = read(path)
    np.testing.assert_array_equal(micrograph.pixels, picture)
    assert micrograph.n_frames == 1 and sides(micrograph) == (0.03, 0.0239)
    assert micrograph.acquisition.value("magnification") == 600000.0
    assert micrograph.acquisition.value("date") == datetime(2019, 5, 2, 14, 30).isoformat()


SIGHTX = """<?xml version="1.0"?>\r
<TemReporter><Instruments>JEM-ARM200F</Instruments><Eos><EosMode>{eos}</EosMode></Eos>\r
<ElectronGun><AccelerationVoltage>200000</AccelerationVoltage></ElectronGun>\r
<GonioStage><StagePosition><TX>1.5</TX><TY>0</TY></StagePosition></GonioStage>\r
<ImageFormingSystem><ModeString>{mode}</ModeString><SelectorValue>50000</SelectorValue></ImageFormingSystem></TemReporter>\x01"""


@pytest.mark.parametrize(("eos", "mode"), [("eosTEM", "MAG"), ("eosTEM", "DIFF"), ("eosASID", "MAG")])
def test_jeol_sightx(tmp_path: Path, eos: str, mode: str) -> None:
    tags = ((270, "s", SIGHTX.format(eos=eos, mode=mode)), (271, "s", "JEOL Ltd."))
    micrograph = written(tmp_path / "a.tif", *tags, resolution=(1000, 500), resolutionunit="CENTIMETER")
    assert sides(micrograph) == ((0.4, 0.2) if (eos, mode) == ("eosTEM", "MAG") else None)
    assert micrograph.acquisition.value("hv_kv") == 200.0 and micrograph.acquisition.value("tilt_deg") == 1.5
    assert micrograph.acquisition.value("magnification") == (50000.0 if mode == "MAG" else None)
    assert micrograph.is_diffraction is (mode.startswith("DIFF") and eos == "eosTEM")


@pytest.mark.parametrize(("unit", "factor"), [("nm", 1.0), ("micron", 1e3), ("\\u00B5m", 1e3), ("um", 1e3), ("mm", 1e6)])
def test_imagej(tmp_path: Path, unit: str, factor: float) -> None:
    micrograph = written(tmp_path / "a.tif", (270, "s", f"ImageJ=1.53t\nunit={unit}\n"), resolution=(0.5, 0.25))
    assert sides(micrograph) == (4 * factor, 2 * factor)


@pytest.mark.parametrize(
    "text", ["ImageJ=1.53t\n", "ImageJ=1.53t\nunit=pixel\n", "ImageJ=1.53t\nunit=inch\n", "unit=nm\n", "ImageJ"]
)
def test_a_resolution_without_a_length_unit_is_no_calibration(tmp_path: Path, text: str) -> None:
    assert sides(written(tmp_path / "a.tif", (270, "s", text), resolution=(300, 300), resolutionunit="INCH")) is None


@pytest.mark.parametrize(("units", "factor"), [("", 1e3), (' PhysicalSizeXUnit="nm" PhysicalSizeYUnit="nm"', 1.0)])
def test_ome(tmp_path: Path, units: str, factor: float) -> None:
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        f'<Pixels PhysicalSizeX="0.5" PhysicalSizeY="0.25"{units} SizeX="120" SizeY="90"/></Image></OME>'
    )
    assert sides(written(tmp_path / "a.tif", (270, "s", xml))) == (0.25 * factor, 0.5 * factor)
    assert sides(written(tmp_path / "b.tif", (270, "s", xml.replace("PhysicalSize", "Other")))) is None


@pytest.mark.parametrize(("unit", "expected"), [("nm", (3.0, 2.0)), ("um", (3000.0, 2000.0)), ("1/nm", None), ("", None)])
def test_tiff_of_digitalmicrograph(tmp_path: Path, unit: str, expected: tuple[float, float] | None) -> None:
    tags = ((65003, "s", unit), (65004, "s", unit), (65009, "d", 2.0), (65010, "d", 3.0))
    assert sides(written(tmp_path / "a.tif", *tags)) == expected


def test_print_resolution_is_no_calibration(tmp_path: Path) -> None:
    for unit in ("INCH", "CENTIMETER", "NONE"):
        assert sides(written(tmp_path / "a.tif", resolution=(300, 300), resolutionunit=unit)) is None
