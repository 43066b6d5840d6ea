"""Bodies are as large in nm as they say, on pictures and pixels that are not square."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morphoscope.synthesis import curves, solids, structures
from morphoscope.synthesis.canvas import Canvas


@settings(max_examples=40, deadline=None)
@given(
    diameter=st.floats(30, 110),
    pixel=st.tuples(st.floats(0.8, 2.0), st.floats(0.8, 2.0)),
    at=st.tuples(st.floats(60, 90), st.floats(60, 150)),
)
def test_a_sphere_covers_its_area(diameter: float, pixel: tuple[float, float], at: tuple[float, float]) -> None:
    canvas = Canvas((int(150 / pixel[0]), int(210 / pixel[1])), pixel)
    patch = canvas.patch(at, diameter)
    rng = np.random.default_rng(0)
    canvas.place(patch, structures.smooth(patch, solids.sphere(rng), diameter, rng))
    instances, objects = canvas.instances()
    area = (instances > 0).sum() * pixel[0] * pixel[1]
    assert area == pytest.approx(math.pi / 4 * diameter**2, rel=0.05)
    assert objects[0].ecd_nm == pytest.approx(diameter)
    rows, columns = np.nonzero(instances)
    assert (rows.mean() + 0.5) * pixel[0] == pytest.approx(at[0], abs=pixel[0])
    assert (columns.mean() + 0.5) * pixel[1] == pytest.approx(at[1], abs=pixel[1])
    assert canvas.mass.max() == pytest.approx(diameter, rel=0.02)
    assert canvas.height.max() == pytest.approx(diameter, rel=0.02)


@pytest.mark.parametrize(
    "make",
    [
        solids.spheroid(1.3, 0.1),
        solids.rounded_box(8, 0.1),
        solids.polyhedron("icosahedron", 0.0, 1.0),
        solids.polyhedron("cube", 0.02, 0.0),
        solids.crushed(10, 0.0),
        solids.lump(0.25, 0.8),
        solids.rod(3.5, 0.1, "round"),
        solids.rod(2.5, 0.1, "flat"),
        solids.rod(4.0, 0.1, "pointed"),
        solids.plate(3, 0.2, 0.1, 0.01, stands=0.0),
        solids.plate(6, 0.2, 0.0, 0.01, stands=1.0),
    ],
)
def test_a_solid_lies_within_its_reach_and_is_about_as_large_as_asked(make: solids.Maker) -> None:
    rng = np.random.default_rng(4)
    axis = np.linspace(-2, 2, 201, dtype=np.float32)
    for _ in range(5):
        solid = make(rng)
        top, bottom = solid.surfaces(axis[:, None], axis[None], 1.0)
        inside = top > bottom
        y, x = axis[np.nonzero(inside)[0]], axis[np.nonzero(inside)[1]]
        assert np.hypot(y, x).max() <= solid.reach + 0.03
        assert 0.3 < math.sqrt(4 * inside.sum() * 0.02**2 / math.pi) < 1.35


def test_the_higher_of_two_bodies_hides_the_lower_and_both_absorb() -> None:
    canvas = Canvas((60, 90), (1.0, 1.0))
    rng = np.random.default_rng(0)
    for centre in ((30.0, 40.0), (30.0, 50.0)):
        patch = canvas.patch(centre, 30)
        canvas.place(patch, structures.smooth(patch, solids.sphere(rng), 30.0, rng))
    instances, objects = canvas.instances()
    assert [o.ecd_nm for o in objects] == [30.0, 30.0]
    assert objects[1].visible_px > objects[0].visible_px
    assert instances[30, 45] == 2
    assert canvas.crop(canvas.mass)[30, 45] == pytest.approx(2 * 2 * math.sqrt(15**2 - 5**2), rel=0.03)


def test_a_wire_is_as_wide_and_long_as_it_says() -> None:
    canvas = Canvas((100, 160), (2.0, 1.5))
    curves.lay(canvas, curves.straight(np.array([60.0, 40.0]), np.array([140.0, 200.0]), 12.0))
    instances, objects = canvas.instances()
    length = math.hypot(80, 160)
    assert objects[0].length_nm == pytest.approx(length)
    assert objects[0].width_nm == pytest.approx(12)
    assert (instances > 0).sum() * 3.0 == pytest.approx(length * 12 + math.pi * 36, rel=0.04)
    assert canvas.mass.max() == pytest.approx(12, rel=0.05)


def test_a_sliver_and_what_the_margin_holds_are_nobody() -> None:
    canvas = Canvas((40, 40), (1.0, 1.0))
    rng = np.random.default_rng(0)
    for centre, diameter in (((20.0, 20.0), 1.0), ((-8.0, 20.0), 10.0)):
        patch = canvas.patch(centre, diameter)
        canvas.place(patch, structures.smooth(patch, solids.sphere(rng), diameter, rng))
    instances, objects = canvas.instances()
    assert objects == ()
    assert not instances.any()
