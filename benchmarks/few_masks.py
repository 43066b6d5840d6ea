"""How many masks a segmenter of one's own objects needs, from several starts, with the encoder learning too or frozen.

    python benchmarks/few_masks.py --data ../shared/data --work runs        # learns what `runs` does not hold, writes FEW_MASKS.md

EMPS: pictures of particles with the mask of each object, through `morphoscope curve --masks`. The held-out pictures are the same for
all fits and share no paper with those to learn from; smaller sets of masks are part of larger ones of the same repeat. Every fit takes
the same number of steps, and nothing is chosen on held-out pictures. The shipped encoder has seen all of these pictures, but no label
or mask of them. The shipped segmenter learned from these masks, so it is no honest start here; how well it does on papers that it
has not seen is in SEGMENTATION.md.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import pandas as pd

from morphoscope import mask_curve

PAGE = Path(__file__).parent / "FEW_MASKS.md"
DRAWING = Path(__file__).parent.parent / "docs" / "images" / "few-masks.svg"
STARTS = {
    "otsu": "no learning: Otsu and watershed",
    "random": "random weights",
    "default": "shipped encoder",
    "frozen:default": "shipped encoder, frozen",
}
FIGURES = {"ap50": "AP50", "iou": "foreground IoU", "dice": "Dice"}


def page(table: pd.DataFrame, means: pd.DataFrame, steps: int) -> str:
    """FEW_MASKS.md. table, means: curve.csv and means.csv."""
    parts = (__doc__ or "").split("\n\n")
    repeats = int(table["repeat"].max()) + 1
    lines = [
        "# Few masks",
        "",
        parts[0],
        "",
        f"![AP50 against masks to learn from](../docs/images/{DRAWING.name})",
        "",
        parts[2].strip(),
        "",
        f"{table['n_test'].iloc[0]} held-out pictures; {repeats} repeats, each with other masks and another seed; {steps} steps of four "
        "views of 320 px. Means over pictures and repeats, with 95 % intervals that draw papers and repeats anew.",
        "",
        f"| start | masks | {' | '.join(FIGURES.values())} |",
        f"|---|---|{'---|' * len(FIGURES)}",
    ]
    for row in means.to_dict("records"):
        cells = [f"**{row[name]:.3f}** ({row[f'{name}_low']:.2f}–{row[f'{name}_high']:.2f})" for name in FIGURES]
        lines.append(f"| {STARTS[row['encoder']]} | {row['masks']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Learns where needed, then writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--counts", default="1,5,20,80")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--steps", type=int, default=400)
    options = parser.parse_args()
    emps = options.data / "emps"
    table = mask_curve(
        emps / "images",
        emps / "instance_maps",
        options.work,
        labels=emps / "labels.csv",
        group="Paper",
        encoders=[start for start in STARTS if start != "otsu"],
        counts=[int(count) for count in options.counts.split(",")],
        repeats=options.repeats,
        steps=options.steps,
        overwrite=True,
        say=print,
    )
    shutil.copy(options.work / "curve-ap50.svg", DRAWING)
    PAGE.write_text(page(table, pd.read_csv(options.work / "means.csv"), options.steps), encoding="utf-8")


if __name__ == "__main__":
    main()
