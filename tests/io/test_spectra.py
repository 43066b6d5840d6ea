"""Spectra: EMSA/MAS text, tables of any export, maps of the makers; energies as RosettaSciIO gives them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from morphoscope.errors import ReadError
from morphoscope.io.spectra import read_spectrum

COUNTS = np.round(1000 * np.exp(-(((np.arange(64) - 20) / 4) ** 2)) + 3)
MSA = """#FORMAT      : EMSA/MAS Spectral Data File
#VERSION     : 1.0
#TITLE       : NIO EELS OK SHELL
#NPOINTS     : {n}
#NCOLUMNS    : 4
#XUNITS      : {unit}
#YUNITS      : counts
#DATATYPE    : {kind}
#XPERCHAN    : {step}
#OFFSET      : {offset}
#SIGNALTYPE  : EDS
#BEAMKV   -kV: 200.0
#LIVETIME  -s: 50
#SPECTRUM    : Spectral Data Starts Here
{data}
#ENDOFDATA   :
"""


def msa(path: Path, **changed: object) -> Path:
    rows = COUNTS.reshape(-1, 4)
    values = {"n": 64, "unit": "eV", "kind": "Y", "step": 10, "offset": -100, "data": _lines(rows)} | changed
    path.write_text(MSA.format(**values), encoding="latin-1")
    return path


def _lines(rows: np.ndarray) -> str:
    return "\n".join(", ".join(f"{value:g}" for value in row) for row in rows)


def test_emsa_text_says_energy_signal_and_settings(tmp_path: Path) -> None:
    spectrum = read_spectrum(msa(tmp_path / "a.msa"))
    assert spectrum.energy_kev is not None
    np.testing.assert_array_equal(spectrum.counts, COUNTS)
    assert spectrum.energy_kev[20] == pytest.approx(0.1)
    assert (spectrum.signal, spectrum.beam_kv, spectrum.live_time_s) == ("EDS", 200.0, 50.0)
    assert spectrum.step_kev == pytest.approx(0.01)


def test_emsa_pairs_of_energy_and_counts(tmp_path: Path) -> None:
    energy = 0.2 + 0.01 * np.arange(64)
    pairs = _lines(np.stack([energy, COUNTS], 1))
    spectrum = read_spectrum(msa(tmp_path / "a.msa", kind="XY", unit="keV", data=pairs))
    np.testing.assert_allclose(spectrum.energy_kev, energy)
    np.testing.assert_array_equal(spectrum.counts, COUNTS)


@pytest.mark.parametrize("changed", [{"unit": ""}, {"unit": "channel"}, {"step": ""}, {"step": 0}], ids=str)
def test_emsa_without_calibration_has_no_energies(tmp_path: Path, changed: dict[str, object]) -> None:
    assert read_spectrum(msa(tmp_path / "a.msa", **changed)).energy_kev is None


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("Energy (keV),Counts\n{}", 0.1, 0.73),
        ("# exported\nEnergy [eV];Intensity\n{}", 0.0001, 0.00073),
        ("{}", 0.1, 0.73),
    ],
    ids=["keV", "eV", "no unit"],
)
@pytest.mark.parametrize(
    "form", [(", ", "."), (";", ","), ("\t", "."), ("  ", ".")], ids=["comma", "decimal comma", "tab", "blanks"]
)
def test_tables_of_any_export(tmp_path: Path, text: str, first: float, last: float, form: tuple[str, str]) -> None:
    separator, point = form
    lines = [f"{0.1 + 0.01 * i:.2f}{separator}{int(c)}".replace(".", point) for i, c in enumerate(COUNTS)]
    (tmp_path / "a.csv").write_text(text.format("\n".join(lines)), encoding="utf-8")
    spectrum = read_spectrum(tmp_path / "a.csv")
    assert spectrum.energy_kev is not None
    assert (spectrum.energy_kev[0], spectrum.energy_kev[-1]) == pytest.approx((first, last))
    np.testing.assert_array_equal(spectrum.counts, COUNTS)
    assert bool(spectrum.warnings) == (text == "{}")


@pytest.mark.parametrize("head", ["Channel,Counts\n", "# eV per channel: 10\n", ""])
def test_channel_numbers_are_no_energies(tmp_path: Path, head: str) -> None:
    (tmp_path / "a.csv").write_text(head + "\n".join(f"{i},{int(c)}" for i, c in enumerate(COUNTS)), encoding="utf-8")
    assert read_spectrum(tmp_path / "a.csv").energy_kev is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"filename,Shape\na.tif,Rod\n", "found 0 rows of numbers; expected a spectrum"),
        (b"II*\0 picture", "found no spectrum; expected EMSA/MAS"),
        (b"", "empty file"),
        (("e,c\n" + "1,2\n" * 20 + "1\n" * 3).encode(), "rows of 1 to 2 numbers"),
        (("a b c\n" + "1 2 3\n" * 20).encode(), "3 columns of numbers; expected two"),
        (("e,c\n" + "".join(f"{i / 10},0\n" for i in range(20))).encode(), "all 20 channels are empty"),
        (("e,c\n" + "".join(f"{-i / 10},3\n" for i in range(20))).encode(), "do not rise"),
    ],
)
def test_what_is_no_spectrum_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ReadError, match=said):
        read_spectrum(tmp_path / "a.csv")


def test_a_truncated_emsa_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"found 64 channels; expected 100, .* truncated"):
        read_spectrum(msa(tmp_path / "a.msa", n=100))
    with pytest.raises(ReadError, match="'abc' among the counts"):
        read_spectrum(msa(tmp_path / "a.msa", data="1, 2, abc"))


def test_a_map_of_a_makers_file_is_added_up(shared_data: Path) -> None:
    """Against RosettaSciIO's own axis and sum, and copper's K-alpha (8.048 keV) where copper is."""
    bruker = pytest.importorskip("rsciio.bruker")
    path = shared_data / "vendor/bruker_bcf/openncem/-10.bcf"
    (expected,) = bruker.file_reader(str(path), select_type="spectrum_image")
    spectrum = read_spectrum(path)
    assert spectrum.is_map and spectrum.signal == "EDS" and spectrum.beam_kv == 200
    np.testing.assert_array_equal(spectrum.counts, expected["data"].sum((0, 1), dtype=float))
    axis = expected["axes"][2]
    assert spectrum.energy_kev is not None
    np.testing.assert_allclose(spectrum.energy_kev, axis["offset"] + axis["scale"] * np.arange(axis["size"]))
    near_copper = (spectrum.energy_kev > 7.7) & (spectrum.energy_kev < 8.4)
    peak = spectrum.energy_kev[near_copper][spectrum.counts[near_copper].argmax()]
    assert peak == pytest.approx(8.048, abs=0.03)


def test_an_energy_loss_spectrum_of_gatan(shared_data: Path) -> None:
    """Titanium's L2 line (462 eV) stands out in strontium titanate."""
    pytest.importorskip("rsciio.digitalmicrograph")
    spectrum = read_spectrum(shared_data / "vendor/gatan/scifireaders/EELS_STO.dm3")
    assert spectrum.signal == "EELS" and not spectrum.is_map
    assert spectrum.energy_kev is not None
    assert (spectrum.energy_kev[0], spectrum.step_kev) == pytest.approx((0.35, 0.00025))
    near = (spectrum.energy_kev > 0.44) & (spectrum.energy_kev < 0.475)
    smooth = np.convolve(spectrum.counts, np.ones(5) / 5, "same")
    assert spectrum.energy_kev[near][smooth[near].argmax()] == pytest.approx(0.462, abs=0.001)


def test_a_picture_file_of_a_maker_has_no_spectrum(shared_data: Path) -> None:
    pytest.importorskip("rsciio.digitalmicrograph")
    with pytest.raises(ReadError, match="axis of energy; expected a spectrum"):
        read_spectrum(shared_data / "vendor/gatan/rsciio/2D__test-1.dm3")
