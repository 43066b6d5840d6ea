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
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from morphoscope.data.masks import MaskedFolder, MaskRequest, read_masked_folder
from morphoscope.data.split import Fold
from morphoscope.models.segmenter_file import load_segmenter
from morphoscope.models.segmenter_start import resolved_start
from morphoscope.reporting.curve_plot import CurveLine, curve_plot
from morphoscope.scores.instances import score_picture
from morphoscope.scores.intervals import Interval, crossed_bootstrap_interval
from morphoscope.training.segmentation.experiment import MaskTraining, mask_fold, planned, trained
from morphoscope.training.segmentation.fit import UNWATCHED
from morphoscope.training.segmentation.held_out import OTSU, TRAINED, Find, finders
from morphoscope.training.segmentation.recipe import MaskRecipe

PAGE = Path(__file__).parent / "FEW_MASKS.md"
DRAWING = Path(__file__).parent.parent / "docs" / "images" / "few-masks.svg"
VIEW_PX = 320
FIGURES = {"ap50": "AP50", "iou": "foreground IoU", "dice": "Dice"}
Figures = dict[str, list[float]]
"""Of each held-out picture, in order."""


@dataclass(frozen=True)
class Way:
    """A start and whether its encoder stays as it is."""

    start: str
    is_frozen: bool = False

    @property
    def name(self) -> str:
        return {"random": "random weights", "default": "shipped encoder"}[self.start] + (", frozen" if self.is_frozen else "")


WAYS = (Way("random"), Way("default"), Way("default", is_frozen=True))


@dataclass(frozen=True)
class Fit:
    """What is learned from so many masks, drawn by the repeat's number."""

    way: Way
    masks: int
    repeat: int
    steps: int

    @property
    def file(self) -> str:
        return f"{self.way.name.replace(',', '').replace(' ', '-')}-{self.masks}-{self.steps}-{self.repeat}.json"


@dataclass(frozen=True, eq=False)
class Material:
    """EMPS with its masks: rows to draw masks from, and held-out ones."""

    folder: MaskedFolder
    pool: np.ndarray
    test: np.ndarray

    @classmethod
    def of(cls, data: Path, most_tested: int) -> Material:
        emps = data / "emps"
        folder = read_masked_folder(MaskRequest((emps / "images",), emps / "instance_maps", (emps / "labels.csv",), "Paper"))
        fold = mask_fold(folder, MaskRecipe())
        pool = np.concatenate([fold.train, fold.validation])
        return cls(folder, np.array([row for row in pool if folder.pictures[row].n_objects]), fold.test[:most_tested])

    def scored(self, find: Find) -> Figures:
        """Figures of each held-out picture."""
        found = []
        for row in self.test:
            micrograph, true = self.folder.read(int(row))
            found.append(score_picture(true, find(micrograph)))
        return {figure: [float(getattr(score, figure)) for score in found] for figure in FIGURES}

    def learned(self, fit: Fit) -> Find:
        """What a segmenter finds after a fixed number of steps; with so few masks none is spared to choose weights by."""
        rows = np.sort(np.random.default_rng(fit.repeat).permutation(self.pool)[: fit.masks])
        recipe = MaskRecipe(
            encoder=resolved_start(fit.way.start),
            freeze_encoder=fit.way.is_frozen,
            steps=fit.steps,
            view_px=VIEW_PX,
            seed=fit.repeat,
        )
        training = MaskTraining.of(self.folder, Fold(rows, rows[:0], rows[:0], 0, 0), recipe)
        return finders(trained(training, planned(training, recipe, np.inf), UNWATCHED).network)[TRAINED]


def make(fit: Fit, data: Path, work: Path, most_tested: int) -> None:
    """Leaves the fit's figures in the work folder."""
    torch.set_num_threads(1)
    material = Material.of(data, most_tested)
    figures = material.scored(material.learned(fit))
    (work / fit.file).write_text(json.dumps(figures), encoding="utf-8")
    print(f"{fit.way.name}, {fit.masks} masks, repeat {fit.repeat}: AP50 {np.mean(figures['ap50']):.3f}", flush=True)


def estimate(repeats: list[Figures], papers: np.ndarray, figure: str) -> tuple[float, Interval | None]:
    """The mean over repeats and pictures with its interval: papers and repeats drawn again."""
    values = np.array([each[figure] for each in repeats])
    _, paper = np.unique(papers, return_inverse=True)
    sums = np.zeros((len(values), paper.max() + 1, 2))
    for repeat, row in enumerate(values):
        np.add.at(sums[repeat], paper, np.column_stack([row, np.ones_like(row)]))
    return float(values.mean()), crossed_bootstrap_interval(sums, lambda totals: totals[:, 0] / totals[:, 1])


def drawn(figures: dict[Way, dict[int, list[Figures]]], otsu: Figures, papers: np.ndarray) -> str:
    """AP50 against masks as SVG, Otsu's dotted."""
    lines = []
    for way, by_masks in figures.items():
        means, bands = zip(*(estimate(repeats, papers, "ap50") for repeats in by_masks.values()), strict=True)
        masks = list(by_masks)
        lines.append(CurveLine(way.name, masks, np.array(means), list(bands), masks))
    title = "AP50 in % against masks to learn from; dotted: Otsu and watershed"
    return curve_plot(lines, title, float(np.mean(otsu["ap50"])), axis="masks", alone=True)


def page(figures: dict[Way, dict[int, list[Figures]]], otsu: Figures, papers: np.ndarray, steps: int) -> str:
    """FEW_MASKS.md."""
    parts = (__doc__ or "").split("\n\n")
    repeats = len(next(iter(next(iter(figures.values())).values())))
    repeated = "one repeat" if repeats == 1 else f"{repeats} repeats, each with other masks and another seed"
    said = (
        f"{len(papers)} held-out pictures of {len(np.unique(papers))} papers; {repeated}; "
        f"{steps} steps on views of {VIEW_PX} px. Means over pictures and repeats, 95 % intervals that draw papers and repeats anew."
    )
    image = f"![AP50 against masks, the shipped encoder above random weights](../docs/images/{DRAWING.name})"
    lines = ["# Few masks", "", parts[0], "", image, "", parts[2].strip(), "", said, ""]
    lines += [f"| start | masks | {' | '.join(FIGURES.values())} |", f"|---|---|{'---|' * len(FIGURES)}"]
    rows = [("no learning: Otsu and watershed", 0, [otsu])]
    rows += [(way.name, masks, found) for way, by_masks in figures.items() for masks, found in by_masks.items()]
    for name, masks, found in rows:
        cells = []
        for figure in FIGURES:
            mean, interval = estimate(found, papers, figure)
            cells.append(f"**{mean:.3f}**" + (f" ({interval[0]:.2f}–{interval[1]:.2f})" if interval else ""))
        lines.append(f"| {name} | {masks} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Learns where needed, then writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--counts", default="1,3,9,27,80")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--test", type=int, default=60, help="held-out pictures, at most")
    parser.add_argument("--jobs", type=int, default=2, help="fits at a time, one thread each")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    counts = [int(count) for count in options.counts.split(",")]

    def fit(way: Way, masks: int, repeat: int) -> Fit:
        return Fit(way, masks, repeat, options.steps)

    missing = [fit(way, masks, repeat) for repeat in range(options.repeats) for masks in counts for way in WAYS]
    missing = [each for each in missing if not (options.work / each.file).is_file()]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for _ in pool.map(partial(make, data=options.data, work=options.work, most_tested=options.test), missing):
            pass

    def read(each: Fit) -> Figures:
        return json.loads((options.work / each.file).read_text(encoding="utf-8"))

    figures = {way: {n: [read(fit(way, n, repeat)) for repeat in range(options.repeats)] for n in counts} for way in WAYS}
    material = Material.of(options.data, options.test)
    otsu, papers = material.scored(finders(load_segmenter())[OTSU]), material.folder.groups[material.test]
    DRAWING.write_text(drawn(figures, otsu, papers), encoding="utf-8")
    PAGE.write_text(page(figures, otsu, papers, options.steps), encoding="utf-8")


if __name__ == "__main__":
    main()
