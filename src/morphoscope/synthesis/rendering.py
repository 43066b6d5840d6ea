"""`render`: pictures of a kind, one after the other, each the same whatever else is rendered."""

from __future__ import annotations

from collections.abc import Iterator

from morphoscope.registry import Registry
from morphoscope.synthesis.picture import Draft, Kind, Options, Rendered

KINDS = Registry(
    "kind of rendered micrograph",
    {
        "sem10": "morphoscope.synthesis.kinds.sem10:SEM10",
        "tem-nanowires": "morphoscope.synthesis.kinds.tem_nanowires:TEM_NANOWIRES",
        "tem-particles": "morphoscope.synthesis.kinds.particles:TEM_PARTICLES",
        "sem-particles": "morphoscope.synthesis.kinds.particles:SEM_PARTICLES",
        "particles": "morphoscope.synthesis.kinds.particles:PARTICLES",
        "sizes": "morphoscope.synthesis.kinds.sizes:SIZES",
        "materials": "morphoscope.synthesis.kinds.materials:MATERIALS_KIND",
        "accords": "morphoscope.synthesis.kinds.accords:ACCORDS",
    },
)


def render(
    kind: str,
    count: int,
    *,
    size: int | tuple[int, int] = 256,
    seed: int = 0,
    start: int = 0,
    difficulty: float = 0.5,
    bits: int = 8,
    bar: float = 0.5,
    pixel_aspect: float = 1.0,
) -> Iterator[Rendered]:
    """`count` pictures of a kind with their truth, from index `start`: Rendered with pixels (Y, X), instance map, sizes in nm.

        for picture in morphoscope.render("tem-particles", 3, size=(384, 512)):
            print(picture.labels, picture.pixel_size_nm)

    Beside the options, a picture depends on kind, seed and index alone; each is drawn when it is asked for.
    size: (height, width) or the side of a square, in px. difficulty: 0 (clean) to 1 (noisy, blurred, low in contrast).
    bits: 8 or 16. bar: probability of an information bar or scale bar. pixel_aspect: height over width of a pixel.
    Raises MorphoscopeError for a kind or an option that does not exist.
    """
    options = Options((size, size) if isinstance(size, int) else size, difficulty, bits, bar, pixel_aspect)
    loaded: Kind = KINDS.load(kind)
    return (loaded.draw(_draft(kind, loaded, seed, index, options)) for index in range(start, start + count))


def _draft(kind: str, loaded: Kind, seed: int, index: int, options: Options) -> Draft:
    """Classes take turns; the pictures of a class fall into samples of a few."""
    cycle, turn = divmod(index, loaded.turns)
    sample = cycle // loaded.per_sample * loaded.turns + turn
    return Draft(kind, seed, index, f"sample-{sample:04d}", turn, options)
