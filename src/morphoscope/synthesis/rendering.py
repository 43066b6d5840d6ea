"""`render`: pictures of a kind, one after the other, each the same whatever else is rendered."""

from __future__ import annotations

from collections.abc import Iterator

from morphoscope.errors import MorphoscopeError
from morphoscope.registry import Registry
from morphoscope.synthesis.picture import Draft, Kind, Rendered

KINDS = Registry(
    "kind of rendered micrograph",
    {
        "sem10": "morphoscope.synthesis.kinds.sem10:SEM10",
        "tem-particles": "morphoscope.synthesis.kinds.particles:TEM_PARTICLES",
        "sem-particles": "morphoscope.synthesis.kinds.particles:SEM_PARTICLES",
        "particles": "morphoscope.synthesis.kinds.particles:PARTICLES",
    },
)

SMALLEST_SIDE_PX = 16


def render(
    kind: str, count: int, *, size: int | tuple[int, int] = 256, seed: int = 0, start: int = 0, difficulty: float = 0.5, bits: int = 8,
    bar: float = 0.5, pixel_aspect: float = 1.0,
) -> Iterator[Rendered]:  # fmt: skip
    """`count` pictures of a kind, from index `start`. A picture depends on its kind, seed and index (and the options), never on count.

    size: (height, width) or the side of a square, in px. difficulty: 0 (clean) to 1 (noisy, blurred, low contrast). bits: 8 or 16.
    bar: probability of an information bar or scale bar. pixel_aspect: height over width of a pixel.
    Raises MorphoscopeError for a kind or an option that does not exist.
    """
    height, width = (size, size) if isinstance(size, int) else size
    _check(count, height, width, difficulty, bits, pixel_aspect)
    loaded: Kind = KINDS.load(kind)
    return (
        _picture(kind, loaded, (height, width), seed, index, difficulty, bits, bar, pixel_aspect)
        for index in range(start, start + count)
    )


def _picture(
    kind: str,
    loaded: Kind,
    size: tuple[int, int],
    seed: int,
    index: int,
    difficulty: float,
    bits: int,
    bar: float,
    pixel_aspect: float,
) -> Rendered:
    turn, cycle = index % loaded.turns, index // loaded.turns
    sample = f"sample-{cycle // loaded.per_sample * loaded.turns + turn:04d}"
    draft = Draft(
        kind=kind, seed=seed, index=index, size=size, difficulty=difficulty, pixel_aspect=pixel_aspect, bits=bits, bar=bar, sample=sample, turn=turn
    )  # fmt: skip
    return loaded.draw(draft)


def _check(count: int, height: int, width: int, difficulty: float, bits: int, pixel_aspect: float) -> None:
    for name, value, fits, expected in (
        ("count", count, count >= 0, "0 or more"),
        ("size", f"{height} x {width}", min(height, width) >= SMALLEST_SIDE_PX, f"sides of at least {SMALLEST_SIDE_PX} px"),
        ("difficulty", difficulty, 0 <= difficulty <= 1, "a number from 0 to 1"),
        ("bits", bits, bits in (8, 16), "8 or 16"),
        ("pixel_aspect", pixel_aspect, 0.2 <= pixel_aspect <= 5, "a ratio from 0.2 to 5"),
    ):
        if not fits:
            raise MorphoscopeError(f"render: {name} is {value}; expected {expected}. Change it and render again.")
