"""The objects of one instance map, measured as what they are: particles, and wires beside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphoscope.measure.border import Border, border_weights
from morphoscope.measure.neighbours import Neighbours, find_neighbours
from morphoscope.measure.particles import Particles, Spacing, Traced
from morphoscope.measure.wires import Wires, measure_wires
from morphoscope.micrograph import InformationBar


@dataclass(frozen=True, eq=False)
class Objects:
    """N objects. nm, wires_nm: None where the scale is unknown.

    numbers, touches_border, is_wire, is_counted, n_contacts, cluster: (N,); is_counted: in the distributions; cluster: from 1, of
    objects that touch. weights: (N,) how many objects each stands for by the border rule. wires_*: those of is_wire, in order.
    """

    numbers: np.ndarray
    touches_border: np.ndarray
    is_wire: np.ndarray
    is_counted: np.ndarray
    weights: np.ndarray
    n_contacts: np.ndarray
    cluster: np.ndarray
    px: Particles
    nm: Particles | None
    wires_px: Wires
    wires_nm: Wires | None

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def shapes(self) -> Particles:
        """Where to read what has no unit: in true proportions as far as they are known."""
        return self.nm or self.px

    @property
    def is_sized(self) -> np.ndarray:
        """(N,) bool: particles in the distribution of the equivalent circular diameter."""
        return self.is_counted & ~self.is_wire


def measure_objects(
    instance_map: np.ndarray,
    traced: Traced,
    is_wire: np.ndarray,
    border: Border,
    spacing: Spacing | None = None,
    bar: InformationBar | None = None,
) -> Objects:
    """Every object of an instance map (Y, X) as a particle, and those of is_wire (N,) as wires too.

    spacing: nm a pixel (y, x), None where unknown.
    """
    touches_border = traced.touches_border(bar)
    is_counted = np.ones(len(traced), bool) if border == "include" else ~touches_border
    weights = np.ones(len(traced))
    if border == "corrected":
        weights = border_weights(traced, bar)
        is_counted &= np.isfinite(weights)
    neighbours = find_neighbours(instance_map, traced.numbers)
    touching = neighbours.touching()
    px, wires = traced.particles(), measure_wires(instance_map, traced, np.flatnonzero(is_wire).tolist())
    return Objects(
        numbers=traced.numbers,
        touches_border=touches_border,
        is_wire=is_wire,
        is_counted=is_counted,
        weights=weights,
        n_contacts=neighbours.counts(touching),
        cluster=_clusters(neighbours, touching),
        px=px,
        nm=_particles_in_nm(traced, px, spacing),
        wires_px=wires,
        wires_nm=_wires_in_nm(instance_map, traced, wires, spacing),
    )


def _clusters(neighbours: Neighbours, touching: np.ndarray) -> np.ndarray:
    return neighbours.clusters(touching) + 1 if neighbours.n_objects else np.empty(0, np.int64)


def _particles_in_nm(traced: Traced, px: Particles, spacing: Spacing | None) -> Particles | None:
    if spacing is None:
        return None
    return px.scaled(spacing[0]) if spacing[0] == spacing[1] else traced.particles(spacing)


def _wires_in_nm(instance_map: np.ndarray, traced: Traced, wires: Wires, spacing: Spacing | None) -> Wires | None:
    if spacing is None:
        return None
    if spacing[0] == spacing[1]:
        return wires.scaled(spacing[0])
    return measure_wires(instance_map, traced, wires.index.tolist(), spacing)
