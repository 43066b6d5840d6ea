"""How many masks a segmenter of one's own objects needs, from several starts, with the encoder learning too or frozen.

    python benchmarks/few_masks.py --data ../shared/data --work runs        # learns what `runs` does not hold, writes FEW_MASKS.md

EMPS: pictures of particles with the mask of each object. The held-out pictures are the same for all fits and share no paper with those
to learn from; smaller sets of masks are part of larger ones of the same repeat. Every fit takes the same number of steps, and nothing
is chosen on held-out pictures. The shipped encoder has seen all of these pictures, but no label or mask of them. The shipped segmenter
learned from these masks, so it is no honest start here; how well it does on papers that it has not seen is in SEGMENTATION.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from morphoscope.data.masks import MaskedFolder, MaskRequest, read_masked_folder
from morphoscope.data.split import Fold
from morphoscope.models.segmenter_file import load_segmenter
from morphoscope.models.segmenter_start import resolved_start
from morphoscope.scores.instances import score_picture
from morphoscope.scores.intervals import crossed_bootstrap_interval
from morphoscope.training.segmentation.experiment import MaskTraining, mask_fold, planned, trained
from morphoscope.training.segmentation.fit import UNWATCHED
from morphoscope.training.segmentation.held_out import OTSU, TRAINED, Find, finders
from morphoscope.training.segmentation.recipe import MaskRecipe

PAGE = Path(__file__).parent / "FEW_MASKS.md"
VIEW_PX = 320
FIGURES = {"ap50": "AP50", "iou": "foreground IoU", "dice": "Dice"}


@dataclass(frozen=True)
class Way:
    """A start and whether its encoder stays as it is."""

    start: str
    is_frozen: bool = False

    @property
    def name(self) -> str:
        return {"random": "random weights", "default": "shipped encoder"}[self.start] + (", frozen" if self.is_frozen else "")


WAYS = (Way("random"), Way("default"), Way("default", is_frozen=True))


def scored(folder: MaskedFolder, rows: np.ndarray, find: Find) -> dict[str, list[float]]:
    """Figures of each held-out picture."""
    found = []
    for row in rows:
        micrograph, true = folder.read(int(row))
        found.append(score_picture(true, find(micrograph)))
    return {figure: [float(getattr(score, figure)) for score in found] for figure in FIGURES}


def kept(path: Path, folder: MaskedFolder, rows: np.ndarray, finder: Callable[[], Find]) -> dict[str, list[float]]:
    """Figures that the work folder holds, made now where it doesn't."""
    if not path.is_file():
        figures = scored(folder, rows, finder())
        path.write_text(json.dumps(figures), encoding="utf-8")
        print(f"{path.stem}: AP50 {np.mean(figures['ap50']):.3f}", flush=True)
    return json.loads(path.read_text(encoding="utf-8"))


def learned(folder: MaskedFolder, *, way: Way, rows: np.ndarray, steps: int, seed: int) -> Find:
    """What a segmenter finds after a fixed number of steps; with so few masks none is spared to choose weights by."""
    recipe = MaskRecipe(encoder=resolved_start(way.start), steps=steps, view_px=VIEW_PX, seed=seed)
    recipe = recipe.model_copy(update={"freeze_encoder": way.is_frozen})
    material = MaskTraining.of(folder, Fold(np.sort(rows), rows[:0], rows[:0], 0, 0), recipe)
    return finders(trained(material, planned(material, recipe, np.inf), UNWATCHED).network)[TRAINED]


def shown(repeats: list[dict[str, list[float]]], papers: np.ndarray, figure: str) -> str:
    """The mean over repeats and pictures with its interval: papers and repeats drawn again."""
    values = np.array([each[figure] for each in repeats])
    _, paper = np.unique(papers, return_inverse=True)
    sums = np.zeros((len(values), paper.max() + 1, 2))
    for repeat, row in enumerate(values):
        np.add.at(sums[repeat], paper, np.column_stack([row, np.ones_like(row)]))
    interval = crossed_bootstrap_interval(sums, lambda totals: totals[:, 0] / totals[:, 1])
    return f"**{values.mean():.3f}**" + (f" ({interval[0]:.2f}–{interval[1]:.2f})" if interval else "")


def page(rows: list[tuple[str, str, list[dict[str, list[float]]]]], papers: np.ndarray, steps: int, repeats: int) -> str:
    """FEW_MASKS.md. rows: the way, the number of masks, and a repeat's figures each."""
    parts = (__doc__ or "").split("\n\n")
    lines = ["# Few masks", "", parts[0], "", parts[2].strip(), ""]
    repeated = "one repeat" if repeats == 1 else f"{repeats} repeats, each with other masks and another seed"
    lines.append(
        f"{len(papers)} held-out pictures of {len(np.unique(papers))} papers; {repeated}; "
        f"{steps} steps on views of {VIEW_PX} px. Means over pictures and repeats, 95 % intervals that draw papers and repeats anew."
    )
    lines += ["", f"| start | masks | {' | '.join(FIGURES.values())} |", f"|---|---|{'---|' * len(FIGURES)}"]
    for way, masks, found in rows:
        lines.append(f"| {way} | {masks} | {' | '.join(shown(found, papers, figure) for figure in FIGURES)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Learns where needed; the page is written after each number of masks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--counts", default="1,2,4,8,16,32,80")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--test", type=int, default=60, help="held-out pictures, at most")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    emps = options.data / "emps"
    folder = read_masked_folder(MaskRequest((emps / "images",), emps / "instance_maps", (emps / "labels.csv",), "Paper"))
    fold = mask_fold(folder, MaskRecipe())
    test, pool = fold.test[: options.test], np.concatenate([fold.train, fold.validation])
    pool = np.array([row for row in pool if folder.pictures[row].n_objects])
    otsu = kept(options.work / "otsu.json", folder, test, lambda: finders(load_segmenter())[OTSU])
    rows = [("no learning: Otsu and watershed", "0", [otsu])]
    for count in map(int, options.counts.split(",")):
        for way in WAYS:
            found = []
            for repeat in range(options.repeats):
                chosen = np.random.default_rng(repeat).permutation(pool)[:count]
                name = way.name.replace(", ", " ").replace(" ", "-")
                path = options.work / f"{name}-{count}-{options.steps}-{repeat}.json"
                learns = partial(learned, folder, way=way, rows=chosen, steps=options.steps, seed=repeat)
                found.append(kept(path, folder, test, learns))
            rows.append((way.name, str(count), found))
        PAGE.write_text(page(rows, folder.groups[test], options.steps, options.repeats), encoding="utf-8")


if __name__ == "__main__":
    main()
