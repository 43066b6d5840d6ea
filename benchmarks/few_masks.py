"""How many masks a segmenter of one's own objects needs, from several starts, with the encoder learning too or frozen.

    python benchmarks/few_masks.py --images ../shared/data/emps/images --masks ../shared/data/emps/instance_maps \
        --labels ../shared/data/emps/labels.csv --group Paper --counts 1,2,4,8,16 --starts random,default --frozen --out few_masks.csv

The held-out pictures are the same for all and share no group with those to learn from; smaller sets of masks are part of larger
ones of the same repeat. A row a start, count and repeat: means over pictures, as `summarised` gives them. EMPS trained the shipped
segmenter, so `default-segmenter` would not be an honest start there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from morphoscope.data.masks import MaskedFolder, MaskRequest, read_masked_folder
from morphoscope.data.split import Fold
from morphoscope.models.segmenter import Segmenter
from morphoscope.models.segmenter_file import load_segmenter
from morphoscope.models.segmenter_start import resolved_start
from morphoscope.scores.instance_summary import MEANS, MEDIANS, summarised
from morphoscope.scores.instances import score_picture
from morphoscope.training.segmentation.experiment import MaskTraining, mask_fold, planned, trained
from morphoscope.training.segmentation.fit import UNWATCHED
from morphoscope.training.segmentation.held_out import OTSU, TRAINED, Find, finders
from morphoscope.training.segmentation.recipe import MaskRecipe


def row(folder: MaskedFolder, test: np.ndarray, find: Find) -> dict[str, float]:
    """Figures on the held-out pictures."""
    scores = []
    for index in test:
        micrograph, true = folder.read(int(index))
        scores.append(score_picture(true, find(micrograph)))
    figures = summarised(scores, folder.groups[test])
    low, high = figures["ap50_ci95"] or (np.nan, np.nan)
    return {"n_test": len(test), **{name: figures[name] for name in (*MEANS, *MEDIANS)}, "ap50_low": low, "ap50_high": high}


def learned(folder: MaskedFolder, train: np.ndarray, test: np.ndarray, recipe: MaskRecipe) -> Segmenter:
    """A segmenter after a fixed number of steps; with so few masks none is spared to choose weights by."""
    material = MaskTraining.of(folder, Fold(np.sort(train), test[:0], test, 0, 0), recipe)
    return trained(material, planned(material, recipe, np.inf), UNWATCHED).network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--masks", type=Path, required=True)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--group")
    parser.add_argument("--counts", default="1,2,4,8,16,32,80")
    parser.add_argument("--starts", default="random,default")
    parser.add_argument("--frozen", action="store_true", help="also each start but random with its encoder frozen")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--view-px", type=int, default=320)
    parser.add_argument("--test", type=int, default=60, help="held-out pictures, at most")
    parser.add_argument("--out", type=Path, default=Path("few_masks.csv"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    request = MaskRequest((options.images,), options.masks, (options.labels,) if options.labels else (), options.group)
    folder = read_masked_folder(request)
    fold = mask_fold(folder, MaskRecipe())
    pool, test = np.concatenate([fold.train, fold.validation]), fold.test[: options.test]
    ways = [(start, frozen) for start in options.starts.split(",") for frozen in (False, True)[: 1 + options.frozen]]
    rows = [{"start": OTSU, **row(folder, test, finders(load_segmenter())[OTSU])}]
    for repeat in range(options.repeats):
        order = np.random.default_rng(repeat).permutation([one for one in pool if folder.pictures[one].n_objects])
        for count in map(int, options.counts.split(",")):
            for start, frozen in ways:
                if count > len(order) or (frozen and start == "random"):
                    continue
                recipe = MaskRecipe(encoder=resolved_start(start), steps=options.steps, view_px=options.view_px, seed=repeat)
                recipe = recipe.model_copy(update={"freeze_encoder": frozen})
                network = learned(folder, order[:count], test, recipe)
                way = {"start": start, "frozen": frozen, "masks": count, "repeat": repeat, "steps": options.steps}
                rows.append(way | row(folder, test, finders(network)[TRAINED]))
                print({name: round(v, 3) if isinstance(v, float) else v for name, v in rows[-1].items()}, flush=True)
                pd.DataFrame(rows).to_csv(options.out, index=False)
    print(pd.DataFrame(rows).groupby(["start", "frozen", "masks"])[["ap50", "iou", "dice"]].mean().round(3))


if __name__ == "__main__":
    main()
