"""What rendered particles are made of: elements by mass, and the crystal that diffracts; lengths in Å as tables give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Position = tuple[float, float, float]


@dataclass(frozen=True)
class Crystal:
    """A cubic or tetragonal cell: edges a and c in Å, and its atoms as element and place in parts of the edges."""

    a: float
    c: float
    atoms: tuple[tuple[str, Position], ...]


@dataclass(frozen=True)
class Material:
    """family: what pixels can tell. elements: parts by mass. crystal: None for a glass, whose halos lie at `halos_per_nm`."""

    name: str
    family: str
    elements: Mapping[str, float]
    crystal: Crystal | None = None
    halos_per_nm: tuple[float, ...] = ()


def _face_centred(element: str, a: float) -> Crystal:
    places: tuple[Position, ...] = ((0.0, 0.0, 0.0), (0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0))
    return Crystal(a, a, tuple((element, place) for place in places))


def _body_centred(places: tuple[Position, ...]) -> tuple[Position, ...]:
    return (*places, *(((x + 0.5) % 1, (y + 0.5) % 1, (z + 0.5) % 1) for x, y, z in places))


def _anatase() -> Crystal:
    """I4_1/amd, origin at the titanium: Howard, Sabine and Dickson, Acta Cryst. B47, 462 (1991)."""
    u = 0.2081
    titanium = _body_centred(((0, 0, 0), (0, 0.5, 0.25)))
    oxygen = _body_centred(((0, 0, u), (0, 0, -u % 1), (0, 0.5, 0.25 + u), (0, 0.5, 0.25 - u)))
    return Crystal(3.7845, 9.5143, (*(("Ti", p) for p in titanium), *(("O", p) for p in oxygen)))


def _rutile() -> Crystal:
    """P4_2/mnm: the same authors."""
    u = 0.3048
    oxygen = ((u, u, 0), (1 - u, 1 - u, 0), (0.5 + u, 0.5 - u, 0.5), (0.5 - u, 0.5 + u, 0.5))
    return Crystal(4.5937, 2.9587, (("Ti", (0, 0, 0)), ("Ti", (0.5, 0.5, 0.5)), *(("O", p) for p in oxygen)))


METAL, TITANIA, SILICA = "metal", "titania", "silica"
_TITANIA = {"Ti": 0.60, "O": 0.40}
MATERIALS = (
    Material("gold", METAL, {"Au": 1.0}, _face_centred("Au", 4.0786)),
    Material("silver", METAL, {"Ag": 1.0}, _face_centred("Ag", 4.0862)),
    Material("copper", METAL, {"Cu": 1.0}, _face_centred("Cu", 3.6149)),
    Material("anatase", TITANIA, _TITANIA, _anatase()),
    Material("rutile", TITANIA, _TITANIA, _rutile()),
    # The first peak of vitreous silica at 1.52 1/Å (times 2 pi) and the two beyond: Wright, J. Non-Cryst. Solids 179, 84 (1994).
    Material("silica", SILICA, {"Si": 0.47, "O": 0.53}, None, (2.42, 4.6, 8.3)),
)
"""Gold and silver have the same lattice to 0.2 %, so that only a spectrum tells them apart; anatase and rutile the same elements, so
that only diffraction does. Lattice constants of the metals: Kittel, Introduction to Solid State Physics."""
