"""Labels of scale bars, as printed and as a reader garbles them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morphoscope.calibration.label_text import cleaned, find_lengths, is_bare_unit, parse_label

MANTISSAS = st.sampled_from([1, 2, 5, 2.5, 3, 4])


@pytest.mark.parametrize(
    ("text", "nm"),
    [
        ("200 nm", 200),
        ("1µm", 1000),
        ("0.5 μm", 500),
        ("2.00um", 2000),
        ("100μm", 1e5),
        ("1 mm", 1e6),
        ("50 Å", 5),
        ("1,0 µm", 1000),
        ("—500nm", 500),
        ("- 1 µm −", 1000),
        ("0.5 µm°", 500),
        ("l00 nm", 100),
        ("2OO nm", 200),
        ("5O nrn", 50),
        ("1 pm", 1000),
        ("10 ym", 10000),
        ("50 rm", 50),
        ("100µm1", 1e5),
        ("200.nm", 200),
        ("200 nml", 200),
    ],
)
def test_as_printed_and_as_read(text: str, nm: float) -> None:
    length = parse_label(text)
    assert length is not None and length.value_nm == pytest.approx(nm)


@pytest.mark.parametrize(
    "text", ["", "nm", "SE2", "15.0kV", "x50k", "0 nm", "00 nm", "0.21 nm", "592 nm", "WD = 9.7 mm", "2.98 mm", "7/10/2018"]
)
def test_what_is_no_label(text: str) -> None:
    assert parse_label(text) is None


def test_a_garbled_label_is_trusted_less() -> None:
    trusts = [parse_label(text) for text in ("100 nm", "l00 nm", "100 rm", "100 mm")]
    values = [length.trust for length in trusts if length is not None]
    assert len(values) == 4 and values[0] == max(values) and values[3] == min(values)


@given(
    mantissa=MANTISSAS, power=st.integers(0, 2), unit=st.sampled_from(["nm", "µm", "um", "μm"]), space=st.sampled_from(["", " "])
)
def test_every_round_length(mantissa: float, power: int, unit: str, space: str) -> None:
    length = parse_label(f"{mantissa * 10**power:g}{space}{unit}")
    assert length is not None and length.trust > 0.5
    assert length.value_nm == pytest.approx(mantissa * 10**power * (1 if unit == "nm" else 1000))


@given(st.text(max_size=30))
def test_any_text_is_no_trouble(text: str) -> None:
    length = parse_label(text)
    assert length is None or (length.value_nm > 0 and 0 < length.trust <= 1)
    assert all(0 <= item.start < item.end <= 1 for item in find_lengths(text))


def test_lengths_among_other_words() -> None:
    assert [item.value_nm for item in find_lengths("15.0kV X25,000 1µm WD 3.1mm")] == [1000]
    assert [item.value_nm for item in find_lengths("100nm OCPN")] == [100]
    assert find_lengths("HFW 20 µm") == [] and find_lengths("Width = 20.00 µm") == []


def test_plain_text() -> None:
    assert cleaned("| 10 ūm |") == "10 um"
    assert cleaned("5 Å") == "5 Å"
    assert is_bare_unit("μm") and not is_bare_unit("5 nm")
