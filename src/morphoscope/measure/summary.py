"""What the objects of one picture say of the specimen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from morphoscope.measure.border import Border, area_fraction, field_area, n_associated
from morphoscope.measure.distribution import Distribution, distribution
from morphoscope.measure.field import Domains, domains, specimen_field
from morphoscope.measure.focus import Sharpness
from morphoscope.measure.objects import Objects
from morphoscope.measure.particles import Spacing, Traced
from morphoscope.measure.routing import Route
from morphoscope.measure.skeleton import find_junctions, find_skeleton, without_spurs
from morphoscope.measure.wire_order import orientation_order, persistence_length
from morphoscope.measure.wires import Wires, half_widths
from morphoscope.micrograph import InformationBar
from morphoscope.units import NM_PER_UNIT

_UM2_PER_NM2 = NM_PER_UNIT["µm"] ** -2
_TANGENT_WIDTHS = 2.0
"""Lag in widths from which a wire's tangents tell its stiffness."""


@dataclass(frozen=True)
class Contacts:
    """How objects touch. share: of the objects that touch another. mean_cluster, largest: objects a cluster, lone ones too."""

    share: float | None
    n_clusters: int
    mean_cluster: float | None
    largest: int


@dataclass(frozen=True)
class WireSummary:
    """Wires in the distributions of length and width, in px or nm. None: can't be told."""

    length: Distribution
    width: Distribution
    persistence_length: float | None


@dataclass(frozen=True)
class Summary:
    """n objects of n_objects are in the distributions: of the equivalent circular diameter of particles (px, nm), and of the
    length and width of wires. None: the scale is unknown, or there is nothing to say it of.

    n_junctions: places where wires cross or branch, in a picture of wires or a network.
    """

    n: int
    n_objects: int
    n_wires: int
    n_touching_border: int
    border: Border
    route: Route
    sharpness: Sharpness
    area_fraction: float
    px: Distribution
    nm: Distribution | None
    wires_px: WireSummary
    wires_nm: WireSummary | None
    tortuosity: float | None
    orientation_order: float | None
    n_junctions: int | None
    contacts: Contacts
    percolates: bool
    domains_px: Domains
    domains_nm: Domains | None
    n_associated: int
    field_um2: float | None
    n_per_um2: float | None


def summarise(
    instance_map: np.ndarray,
    traced: Traced,
    objects: Objects,
    found: Route,
    sharp: Sharpness,
    *,
    border: Border,
    spacing: Spacing | None,
    bar: InformationBar | None,
    percolates: bool,
    precision: float,
) -> Summary:
    """All figures of one picture. spacing: nm a pixel (y, x), None where unknown."""
    covered = specimen_field(instance_map, bar) != 0
    sized, wires = objects.is_sized, objects.wires_px
    diameters = objects.px.equivalent_circular_diameter[sized]
    px = distribution(diameters, _unequal(objects.weights[sized]), precision=precision)
    field_um2 = field_area(traced.shape, bar, spacing) * _UM2_PER_NM2 if spacing else None
    associated, in_px = n_associated(traced, bar), domains(covered)
    return Summary(
        n=int(objects.is_counted.sum()),
        n_objects=len(objects),
        n_wires=int((objects.is_wire & objects.is_counted).sum()),
        n_touching_border=int(objects.touches_border.sum()),
        border=border,
        route=found,
        sharpness=sharp,
        area_fraction=area_fraction(traced, bar),
        px=px,
        nm=px.scaled(math.sqrt(math.prod(spacing))) if spacing else None,  # exact: a diameter of equal area
        wires_px=_wires(objects, wires, precision),
        wires_nm=_wires(objects, objects.wires_nm, precision) if objects.wires_nm is not None else None,
        tortuosity=_mean(wires.tortuosity[objects.is_counted[wires.index]]),
        orientation_order=_known(orientation_order((wires if objects.wires_nm is None else objects.wires_nm).centre_lines)),
        n_junctions=_junctions(covered) if found.kind != "particles" else None,
        contacts=_contacts(objects),
        percolates=percolates,
        domains_px=in_px,
        domains_nm=_domains_in_nm(covered, in_px, spacing),
        n_associated=associated,
        field_um2=field_um2,
        n_per_um2=associated / field_um2 if field_um2 else None,
    )


def _domains_in_nm(covered: np.ndarray, px: Domains, spacing: Spacing | None) -> Domains | None:
    if spacing is None:
        return None
    return px.scaled(spacing[0]) if spacing[0] == spacing[1] else domains(covered, spacing)


def _unequal(weights: np.ndarray) -> np.ndarray | None:
    return None if (weights == 1).all() else weights


def _wires(objects: Objects, wires: Wires, precision: float) -> WireSummary:
    counted = objects.is_counted[wires.index]
    weights = _unequal(objects.weights[wires.index][counted])
    length, width = wires.length[counted], wires.width[counted]
    typical = float(np.median(wires.width)) if len(wires) else math.nan
    lines = [line for line, is_net in zip(wires.centre_lines, wires.is_net, strict=True) if not is_net]
    stiffness = persistence_length(lines, _TANGENT_WIDTHS * typical) if lines else math.nan
    return WireSummary(
        distribution(length, weights, precision=precision), distribution(width, weights, precision=precision), _known(stiffness)
    )


def _contacts(objects: Objects) -> Contacts:
    n = len(objects)
    if not n:
        return Contacts(None, 0, None, 0)
    sizes = np.bincount(objects.cluster)[1:]
    return Contacts(float((objects.n_contacts > 0).mean()), len(sizes), float(sizes.mean()), int(sizes.max()))


def _junctions(covered: np.ndarray) -> int:
    """Crossings of everything that is covered, whichever object it belongs to."""
    if not covered.any():
        return 0
    radius = half_widths(covered)
    skeleton = without_spurs(find_skeleton(covered), radius)
    merge = 2 * float(np.median(radius[skeleton])) if skeleton.any() else 1.0
    return len(find_junctions(skeleton, merge))


def _mean(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
