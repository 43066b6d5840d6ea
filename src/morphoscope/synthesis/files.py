"""A rendered picture as a file: TIFF with the tags its maker would write, or PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from morphoscope.synthesis.picture import Rendered, RenderedPattern, RenderedSpectrum

FEI_TAG, ZEISS_TAG = 34682, 34118


def write_picture(path: Path, picture: Rendered) -> None:
    """Write the pixels as the suffix of `path` says. A TIFF carries pixel size, kV and WD where its maker stores them."""
    if path.suffix == ".png":
        Image.fromarray(picture.pixels).save(path)
    elif picture.pixel_size_nm is None:
        tifffile.imwrite(path, picture.pixels, software="Morphoscope", metadata=None)
    elif picture.settings.instrument.maker == "FEI":
        _tagged(path, picture, FEI_TAG, fei_text(picture, picture.pixel_size_nm))
    elif picture.settings.instrument.maker == "ZEISS":
        _tagged(path, picture, ZEISS_TAG, zeiss_text(picture, picture.pixel_size_nm))
    else:
        y_nm, x_nm = picture.pixel_size_nm
        tifffile.imwrite(path, picture.pixels, imagej=True, resolution=(1 / x_nm, 1 / y_nm), metadata={"unit": "nm"})


def write_spectrum(path: Path, spectrum: RenderedSpectrum) -> None:
    """Write a spectrum as EMSA/MAS text (ISO 22029)."""
    header = {
        "FORMAT": "EMSA/MAS Spectral Data File",
        "VERSION": "1.0",
        "TITLE": path.stem,
        "OWNER": "Morphoscope (rendered)",
        "NPOINTS": len(spectrum.counts),
        "NCOLUMNS": 1,
        "XUNITS": "eV",
        "YUNITS": "counts",
        "DATATYPE": "Y",
        "XPERCHAN": f"{spectrum.step_ev:g}",
        "OFFSET": f"{spectrum.offset_ev:g}",
        "SIGNALTYPE": "EDS",
        "BEAMKV   -kV": f"{spectrum.beam_kv:g}",
        "LIVETIME  -s": f"{spectrum.live_s:.1f}",
        "SPECTRUM": "Spectral Data Starts Here",
    }
    lines = [f"#{key:<12}: {value}" for key, value in header.items()]
    path.write_text("\n".join([*lines, *(f"{count:g}" for count in spectrum.counts), "#ENDOFDATA   : "]) + "\n", encoding="ascii")


def write_pattern(path: Path, pattern: RenderedPattern) -> None:
    """Write a diffraction pattern as a TIFF with its scale in 1/nm, as ImageJ does."""
    across = 1 / pattern.per_nm
    tifffile.imwrite(path, pattern.pixels, imagej=True, resolution=(across, across), metadata={"unit": "1/nm"})


def write_instances(path: Path, instance_map: np.ndarray) -> None:
    """Write an instance map (Y, X) uint16 as a 16-bit PNG."""
    Image.fromarray(instance_map).save(path)


def _tagged(path: Path, picture: Rendered, tag: int, text: str) -> None:
    encoded = text.encode("latin-1")
    tifffile.imwrite(
        path, picture.pixels, software="Morphoscope", metadata=None, extratags=[(tag, 2, len(encoded) + 1, encoded, True)]
    )


def fei_text(picture: Rendered, pixel_nm: tuple[float, float]) -> str:
    """The INI text that FEI and Thermo instruments store, lengths in m, angles in rad, potentials in V."""
    s, bar = picture.settings, picture.information_bar
    height, width = picture.pixels.shape
    rows = bar.top if bar else height
    y_m, x_m = (nm * 1e-9 for nm in pixel_nm)
    year, month, day = s.date.split("-")
    sections: dict[str, dict[str, object]] = {
        "User": {"Date": f"{month}/{day}/{year}", "Time": "10:00:00 AM"},
        "System": {"Type": "TEM" if s.instrument.is_tem else "SEM", "SystemType": s.instrument.model},
        "Beam": {"HV": round(s.hv_kv * 1e3), "Spot": 3},
        "EBeam": {
            "HV": round(s.hv_kv * 1e3),
            "HFW": f"{width * x_m:.6g}",
            "VFW": f"{rows * y_m:.6g}",
            "WD": "" if s.wd_mm is None else f"{s.wd_mm * 1e-3:.6g}",
        },
        "Scan": {"Dwelltime": f"{s.dwell_us * 1e-6:.6g}", "PixelWidth": f"{x_m:.8g}", "PixelHeight": f"{y_m:.8g}"},
        "Stage": {"StageT": 0, "StageR": 0},
        "Image": {"ResolutionX": width, "ResolutionY": rows, "MagCanvasRealWidth": s.instrument.display_mm * 1e-3},
        "Detectors": {"Number": 1, "Name": s.detector, "Mode": "TEM" if s.instrument.is_tem else "SE"},
        "PrivateFei": {"DatabarHeight": bar.height if bar else 0},
    }
    if s.instrument.is_tem:
        del sections["Image"]["MagCanvasRealWidth"]
    return "\r\n".join(
        f"[{name}]\r\n" + "".join(f"{key}={value}\r\n" for key, value in entries.items()) for name, entries in sections.items()
    )


def zeiss_text(picture: Rendered, pixel_nm: tuple[float, float]) -> str:
    """The key and value lines that SmartSEM stores. It knows square pixels only: the width is written."""
    s = picture.settings
    year, month, day = s.date.split("-")
    magnification = f"{s.magnification / 1e3:.2f} K X" if s.magnification >= 1000 else f"{s.magnification:.0f} X"
    lines = [
        "0",
        "0",
        "0",
        "AP_MAG",
        f"Mag =   {magnification}",
        "AP_IMAGE_PIXEL_SIZE",
        f"Image Pixel Size = {pixel_nm[1]:.6g} nm",
        "AP_ACTUALKV",
        f"EHT = {s.hv_kv:.2f} kV",
        "AP_WD",
        f"WD = {s.wd_mm:.1f} mm",
        "AP_STAGE_AT_T",
        "Stage at T =   0.0 °",
        "DP_DETECTOR_CHANNEL",
        f"Signal A = {s.detector}",
        "DP_DWELL_TIME",
        f"Dwell Time = {s.dwell_us * 1e3:.0f} ns",
        "AP_DATE",
        f"Date :{int(day)} {MONTHS[int(month) - 1]} {year}",
    ]
    return "\r\n".join(lines) + "\r\n"


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
