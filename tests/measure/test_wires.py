"""Length, width and shape of drawn wires: straight, bent, flat- and round-ended, crossed, thin, on unequal pixels."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from morphoscope.measure.particles import trace
from morphoscope.measure.skeleton import find_junctions, find_skeleton, without_spurs
from morphoscope.measure.wire_order import orientation_order, persistence_length
from morphoscope.measure.wires import Wires, half_widths, measure_wires
from morphoscope.synthesis import render

SHAPE = (260, 340)


def tube(points: np.ndarray, width: float, spacing=(1.0, 1.0), shape=SHAPE) -> np.ndarray:
    """(Y, X) bool: within half a width of a line through points (y, x) in the spacing's unit; round ends."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    pixels = np.stack([(y + 0.5) * spacing[0], (x + 0.5) * spacing[1]], -1)
    nearest = np.full(shape, np.inf)
    for start, end in itertools.pairwise(points):
        along = end - start
        t = np.clip(((pixels - start) @ along) / (along @ along), 0, 1)
        nearest = np.minimum(nearest, np.hypot(*np.moveaxis(pixels - start - t[..., None] * along, -1, 0)))
    return nearest <= width / 2


def arc(radius: float, degrees: float, centre=(130.3, 170.6), turn: float = 0.4) -> np.ndarray:
    angle = turn + np.linspace(0, math.radians(degrees), 60)
    return np.array(centre) + radius * np.column_stack([np.sin(angle), np.cos(angle)])


def only(mask: np.ndarray, spacing=(1.0, 1.0)) -> Wires:
    instance_map = mask.astype(np.uint8)
    return measure_wires(instance_map, trace(instance_map), [0], spacing)


@pytest.mark.parametrize("angle", [0, 17, 43, 71, 90])
@pytest.mark.parametrize("width", [3, 6, 13])
def test_straight_wire_with_round_ends(angle, width) -> None:
    half = 90 * np.array([math.sin(math.radians(angle)), math.cos(math.radians(angle))])
    found = only(tube(np.array([np.array([130.2, 170.7]) - half, np.array([130.2, 170.7]) + half]), width))
    assert found.length[0] == pytest.approx(180, rel=0.03)
    assert found.width[0] == pytest.approx(width, rel=0.05)
    assert found.tortuosity[0] == pytest.approx(1, abs=0.005)
    assert found.width_std[0] < 0.3 * width
    assert (found.n_junctions[0], found.is_net[0]) == (0, False)


@pytest.mark.parametrize("angle", [0, 30, 45, 90])
def test_flat_ends_belong_to_the_wire_in_full(drawn, angle) -> None:
    found = only(drawn("rectangle", 160.0, 8.0, angle, (1.0, 1.0)))
    assert found.length[0] == pytest.approx(160, rel=0.03)
    assert found.width[0] == pytest.approx(8, rel=0.05)


@pytest.mark.parametrize(("radius", "degrees", "width"), [(80, 180, 6), (60, 270, 9), (40, 200, 4)])
def test_arc_has_its_length_and_tortuosity(radius, degrees, width) -> None:
    found = only(tube(arc(radius, degrees), width))
    length = radius * math.radians(degrees)
    assert found.length[0] == pytest.approx(length, rel=0.02)
    assert found.width[0] == pytest.approx(width, rel=0.03)
    assert found.tortuosity[0] == pytest.approx(length / (2 * radius * abs(math.sin(math.radians(degrees) / 2))), rel=0.03)


@pytest.mark.parametrize("spacing", [(2.0, 2.0), (1.0, 1.5), (3.0, 2.0)])
def test_lengths_are_physical_on_unequal_pixels(spacing) -> None:
    centre = (SHAPE[0] * spacing[0] / 2, SHAPE[1] * spacing[1] / 2)
    found = only(tube(arc(90, 150, centre), 14, spacing), spacing)
    assert found.length[0] == pytest.approx(90 * math.radians(150), rel=0.03)
    assert found.width[0] == pytest.approx(14, rel=0.05)
    middle = found.centre_lines[0][len(found.centre_lines[0]) // 2]
    assert np.hypot(*(middle + 0.5 * np.array(spacing) - centre)) == pytest.approx(90, abs=1.5)


def test_a_wire_beneath_others_is_measured_whole() -> None:
    wire = tube(arc(90, 120), 7)
    instance_map = wire.astype(np.uint8)
    for number, x in enumerate((120, 170, 200), start=2):
        instance_map[tube(np.array([[5.0, x - 30.0], [250.0, x + 40.0]]), 9)] = number
    traced = trace(instance_map)
    found = measure_wires(instance_map, traced, range(4))
    assert found.length[0] == pytest.approx(90 * math.radians(120), rel=0.03)
    assert found.width[0] == pytest.approx(7, rel=0.05)
    np.testing.assert_allclose(found.length[1:], math.hypot(245, 70), rtol=0.03)


def test_a_net_has_the_length_of_its_branches() -> None:
    lines = [np.array([[20.0, c], [240.0, c]]) for c in (80.0, 180.0, 280.0)] + [
        np.array([[r, 20.0], [r, 320.0]]) for r in (60.0, 200.0)
    ]
    net = np.any([tube(line, 6) for line in lines], axis=0)
    found = only(net)
    assert found.is_net[0]
    assert math.isnan(found.tortuosity[0])
    assert found.n_junctions[0] == 6
    assert found.length[0] == pytest.approx(3 * 220 + 2 * 300, rel=0.04)
    assert found.width[0] == pytest.approx(6, rel=0.07)


def test_a_rough_outline_makes_no_junctions() -> None:
    wire = tube(arc(90, 150), 9)
    rng = np.random.default_rng(0)
    rough = wire & (rng.random(SHAPE) < 0.97) | tube(arc(90, 150), 11) & (rng.random(SHAPE) < 0.3)
    skeleton = without_spurs(find_skeleton(wire), half_widths(wire))
    assert len(find_junctions(skeleton)) == 0
    assert only(rough).length[0] == pytest.approx(90 * math.radians(150), rel=0.06)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (3, 40), (40, 3)])
def test_tiny_and_degenerate_objects_have_finite_sizes(shape) -> None:
    field = np.zeros((60, 70), np.uint8)
    field[10 : 10 + shape[0], 10 : 10 + shape[1]] = 1
    found = only(field > 0)
    assert np.isfinite([found.length[0], found.width[0], found.width_std[0]]).all()
    assert found.length[0] > 0
    assert len(only(np.ones((20, 30), bool)).length) == 1


def test_rendered_nanowires_have_their_true_length_and_width() -> None:
    """All whole wires, those that others cross among them; strands of a bundle hide each other along their length."""
    length, width = [], []
    for picture in render("tem-nanowires", 24, size=(320, 400), seed=5, bar=0.0):
        if picture.labels["class"] == "bundle":
            continue
        chosen = [i for i, each in enumerate(picture.objects) if each.kind == "wire" and not each.touches_border]
        found = measure_wires(picture.instance_map, trace(picture.instance_map), chosen, picture.pixel_size_nm)
        true = [picture.objects[i] for i in chosen]
        length += [a / b.length_nm - 1 for a, b in zip(found.length, true, strict=True)]
        width += [a / b.width_nm - 1 for a, b in zip(found.width, true, strict=True)]
    assert len(length) > 40
    assert abs(np.median(length)) < 0.015
    assert abs(np.median(width)) < 0.015
    assert np.mean(np.abs(length) < 0.03) > 0.8
    assert np.mean(np.abs(width) < 0.05) > 0.85


def test_orientation_order_of_parallel_and_random_lines() -> None:
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, math.pi, 300)
    lines = [np.array([[0.0, 0.0], [math.sin(a), math.cos(a)]]) for a in angles]
    assert orientation_order(lines) < 0.15
    assert orientation_order(lines[:1] * 9) == pytest.approx(1)
    assert orientation_order([lines[0], -lines[0]]) == pytest.approx(1), "a wire has no head"
    assert math.isnan(orientation_order([]))


@pytest.mark.parametrize("true", [30.0, 120.0])
def test_persistence_length_of_worm_like_chains(true) -> None:
    rng = np.random.default_rng(0)
    turns = rng.normal(0, math.sqrt(1 / true), (60, 400)).cumsum(axis=1) + rng.uniform(0, 6, (60, 1))
    lines = [np.column_stack([np.sin(t), np.cos(t)]).cumsum(axis=0) for t in turns]
    assert persistence_length(lines, 4.0) == pytest.approx(true, rel=0.2)
    assert math.isnan(persistence_length([np.array([[0.0, 0.0], [0.0, 200.0]])], 4.0)), "straight"
    assert math.isnan(persistence_length([], 4.0))
