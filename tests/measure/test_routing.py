"""What decides that a picture is one of particles, wires or a network."""

from __future__ import annotations

import numpy as np
import pytest

from morphoscope.measure.inscribed import inscribed_radius, slenderness
from morphoscope.measure.particles import trace
from morphoscope.measure.routing import kind_of_class, route


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *[("Wire-fibre", "wires"), ("Nanowires", "wires"), ("Fibres", "wires"), ("bundle", "wires"), ("network", "network")],
        *[("Sphere", "particles"), ("Cube-polyhedron", "particles"), ("Rod", "particles"), ("Plate-triangle", "particles")],
        *[("Thin flat or wavy with few kinks", None), ("NA", None), ("", None), ("magnetic", None)],
    ],
)
def test_words_of_a_class_say_what_to_measure(name, kind) -> None:
    assert kind_of_class(name) == kind


def test_asking_wins_over_the_class_and_that_over_the_look() -> None:
    slender, pixels = np.array([20.0, 1.0]), np.array([900, 100])
    assert route("particles", "Wire-fibre", slender, pixels, True).is_wire.tolist() == [False, False]
    assert route("auto", "Sphere", slender, pixels, True).kind == "particles"
    by_class = route("auto", "Wire-fibre", np.array([1.0, 1]), pixels, False)
    assert (by_class.kind, by_class.is_wire.all()) == ("wires", True)
    assert "'Wire-fibre'" in by_class.reason
    assert route("auto", "no word", slender, pixels, False).kind == "wires"
    assert route("auto", "", slender, pixels, True).kind == "network"


def test_short_pieces_count_as_wires_among_wires_only() -> None:
    slender = np.array([20.0, 4.0, 1.0])
    among = route("auto", "", slender, np.array([900, 100, 50]), False)
    assert among.is_wire.tolist() == [True, True, False]
    beside = route("auto", "", slender, np.array([100, 900, 500]), False)
    assert (beside.kind, beside.is_wire.tolist()) == ("particles", [True, False, False])
    assert route("auto", "", np.empty(0), np.empty(0), False).kind == "particles"


def test_slenderness_of_strips_and_discs() -> None:
    y, x = np.mgrid[:200, :300]
    field = np.zeros((200, 300), np.uint8)
    field[(y - 60) ** 2 + (x - 60) ** 2 <= 40**2] = 1
    field[150:158, 20:180] = 2
    field[150:158, 180:280] = 3
    traced = trace(field)
    radius = inscribed_radius(field, traced)
    np.testing.assert_allclose(radius, [40, 4, 4], atol=0.6, rtol=0.02)
    np.testing.assert_allclose(slenderness(traced, radius), [np.pi / 4, 20, 12.5], rtol=0.3)
