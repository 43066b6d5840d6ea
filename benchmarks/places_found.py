"""Is a class found where one tile says so, or where the tiles that share a place agree?

python benchmarks/places_found.py run       # a model of rods and spheres, trained as live.py says; prints the table of
                                            # docs/decisions/live.md
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from needle import haystack

from morphoscope.data.tiles import Tiles, tiles_of, working_copies
from morphoscope.inference.predictor import Predictor
from morphoscope.inference.target import Target
from morphoscope.micrograph import Micrograph
from morphoscope.models.bundle import Bundle

PICTURES, SIDE = 5, 160


def main() -> None:
    """A row a picture and rule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    model = Bundle.load(parser.parse_args().run)
    predictor, target = Predictor(model, quick=bool(model.quick_confidence)), Target.parse("Rod", model.schema)
    enough = predictor.confidence[target.task].sure_threshold
    print("| picture | rule | places | rank of the rod | its probability | found | false alarms |\n|---|---|---|---|---|---|---|")
    for seed in range(PICTURES):
        pixels, rod = haystack(seed)
        picture = Micrograph(Path("haystack"), pixels, "benchmark")
        tiles = tiles_of(picture, SIDE)
        seen = [predictor.see(picture, working=copy) for copy in working_copies(model.preprocessing, picture, tiles)]
        p = target.probability(predictor.answer([(picture.path, one) for one in seen]).predictions).reshape(tiles.grid)
        for rule, values, places in (("one tile", p, tiles), ("tiles agree", tiles.pooled(p), tiles.between())):
            print(f"| {seed + 1} | {rule} | {values.size} | {_row(values, places, rod, enough)} |", flush=True)


def _row(p: np.ndarray, places: Tiles, rod: tuple[int, int], enough: float) -> str:
    y, x = (np.array(starts) + SIDE / 2 for starts in (places.tops, places.lefts))
    is_near = np.hypot(*np.meshgrid(y - rod[0], x - rod[1], indexing="ij")) < SIDE / 2
    rank = 1 + int((p[~is_near] > p[is_near].max()).sum())
    return f"{rank} | {p[is_near].max():.2f} | {'yes' if (p[is_near] >= enough).any() else 'no'} | {int((p[~is_near] >= enough).sum())}"


if __name__ == "__main__":
    main()
