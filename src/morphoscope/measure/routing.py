"""What is measured of a picture: particles, wires or a network, as asked, as its class says, or as its objects look."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["particles", "wires", "network"]
AskedKind = Literal["auto", "particles", "wires", "network"]

WIRE_SLENDERNESS = 8.0
"""An object so much longer than wide is a wire; below it is a rod, which its Feret diameters describe."""
SHORT_WIRE_SLENDERNESS = 3.0
"""In a picture of wires: cut and short pieces count as wires from here, the aspect ratio of a nanofibre (ISO/TS 80004-2)."""
WIRE_SHARE = 0.5
"""Of the covered area: a picture whose wires hold it is a picture of wires."""

_NETWORK_WORDS = ("network", "net", "mesh", "web", "percolating", "percolated")
_WIRE_WORDS = (
    *("wire", "wires", "nanowire", "nanowires", "fibre", "fibres", "fiber", "fibers", "nanofibre", "nanofibres", "nanofiber"),
    *(
        "nanofibers",
        "filament",
        "filaments",
        "tube",
        "tubes",
        "nanotube",
        "nanotubes",
        "bundle",
        "bundles",
        "dispersed",
        "singular",
    ),
)
_PARTICLE_WORDS = (
    *(
        "particle",
        "particles",
        "nanoparticle",
        "nanoparticles",
        "sphere",
        "spheres",
        "cube",
        "cubes",
        "polyhedron",
        "rod",
        "rods",
    ),
    *("nanorod", "nanorods", "plate", "plates", "triangle", "triangles", "irregular", "powder", "grain", "grains", "spherical"),
)


@dataclass(frozen=True, eq=False)
class Route:
    """kind: of the picture. is_wire: (N,) bool, which objects are measured as wires. reason: what decided, for people."""

    kind: Kind
    is_wire: np.ndarray
    reason: str


def kind_of_class(name: str) -> Kind | None:
    """What a class of a label sheet or of predictions.csv asks to be measured, None where its words say nothing of it."""
    words = set(re.findall(r"[a-z]+", name.casefold()))
    for kind, known in (("network", _NETWORK_WORDS), ("wires", _WIRE_WORDS), ("particles", _PARTICLE_WORDS)):
        if words & set(known):
            return kind  # type: ignore[return-value]
    return None


def route(asked: AskedKind, class_name: str, slender: np.ndarray, n_pixels: np.ndarray, percolates: bool) -> Route:
    """What to measure of N objects. slender: (N,) see `slenderness`. class_name: the picture's, empty where unknown.

    `auto` takes the class where its words say something. Else wires are the objects with a slenderness of WIRE_SLENDERNESS; where
    they hold WIRE_SHARE of the covered area, those from SHORT_WIRE_SLENDERNESS are wires too, and the picture is one of a
    network where it percolates, else of wires.
    """
    if asked != "auto":
        return Route(asked, np.full(len(slender), asked != "particles"), "asked for")
    by_class = kind_of_class(class_name)
    if by_class is not None:
        return Route(by_class, np.full(len(slender), by_class != "particles"), f"its class is '{class_name}'")
    is_wire = slender >= WIRE_SLENDERNESS
    share = float(n_pixels[is_wire].sum() / n_pixels.sum()) if len(n_pixels) else 0.0
    if share < WIRE_SHARE:
        told = f"wires hold {share:.0%} of the covered area" if is_wire.any() else "no object is as slender as a wire"
        return Route("particles", is_wire, told)
    found: Kind = "network" if percolates else "wires"
    told = f"wires hold {share:.0%} of the covered area" + (" and percolate" if percolates else "")
    return Route(found, slender >= SHORT_WIRE_SLENDERNESS, told)
