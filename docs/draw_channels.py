"""Draws images/channels.png: two pairs of rendered materials that look alike, with the spectrum and the pattern that tell them apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from morphoscope.measure.diffraction import levels
from morphoscope.synthesis import Rendered, render
from morphoscope.synthesis.picture import RenderedSpectrum

SIDE, GAP, HEAD, SCALE_KEV = 200, 8, 26, 13.5
MARKS = {
    "gold": ((2.12, "Au M"), (9.71, "Au L"), (11.44, "Au L")),
    "silver": ((2.98, "Ag L"),),
    "anatase": ((4.51, "Ti K"),),
    "rutile": ((4.51, "Ti K"),),
}


def plot(spectrum: RenderedSpectrum, name: str) -> Image.Image:
    """The spectrum: square roots of the counts over the energy, its lines named."""
    drawn = Image.new("RGB", (SIDE, SIDE), "white")
    pen, font = ImageDraw.Draw(drawn), ImageFont.load_default(11)
    energy = (spectrum.offset_ev + spectrum.step_ev * np.arange(len(spectrum.counts))) / 1e3
    shown = (energy > 0) & (energy < SCALE_KEV)
    height = np.sqrt(np.convolve(spectrum.counts, np.ones(3) / 3, "same"))[shown]
    base, top = SIDE - 18, 18
    x, y = energy[shown] / SCALE_KEV * SIDE, base - (base - top) * height / height.max()
    pen.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=(30, 60, 140), width=1)
    pen.line([(0, base), (SIDE, base)], fill=(90, 90, 90))
    for kev in range(2, 12, 2):
        pen.text((kev / SCALE_KEV * SIDE, base + 3), str(kev), fill=(90, 90, 90), font=font, anchor="ma")
    pen.text((SIDE - 2, base + 3), "keV", fill=(90, 90, 90), font=font, anchor="ra")
    for kev, label in MARKS[name]:
        near = y[np.abs(energy[shown] - kev) < 0.1].min()
        pen.text((kev / SCALE_KEV * SIDE + 6, max(4.0, float(near) - 8)), label, fill=(180, 50, 20), font=font)
    return drawn


def column(picture: Rendered, name: str) -> Image.Image:
    """Name, picture, spectrum and pattern under each other."""
    drawn = Image.new("RGB", (SIDE, HEAD + 3 * SIDE + 2 * GAP), "white")
    ImageDraw.Draw(drawn).text((SIDE / 2, 5), name, fill="black", font=ImageFont.load_default(15), anchor="ma")
    if picture.pattern is None or picture.spectrum is None:
        raise ValueError(f"{name} was rendered without its channels")
    pattern = Image.fromarray(np.uint8(255 * levels(picture.pattern.pixels)))
    for row, part in enumerate((Image.fromarray(picture.pixels), plot(picture.spectrum, name), pattern)):
        drawn.paste(part.convert("RGB").resize((SIDE, SIDE)), (0, HEAD + row * (SIDE + GAP)))
    return drawn


def main() -> None:
    """Draws one of each material whose particles and patterns show well; materials take turns of six."""
    chosen = {"gold": 6, "silver": 1, "anatase": 9, "rutile": 4}
    columns = []
    for name, index in chosen.items():
        (picture,) = render("materials", 1, size=SIDE, seed=4, start=index, difficulty=0.3, bar=0)
        columns.append(column(picture, name))
    page = Image.new("RGB", (4 * (SIDE + GAP) - GAP, columns[0].height), "white")
    for place, drawn in enumerate(columns):
        page.paste(drawn, (place * (SIDE + GAP), 0))
    target = Path(__file__).parent / "images" / "channels.png"
    page.quantize(40).save(target, optimize=True)
    print(target, target.stat().st_size)


if __name__ == "__main__":
    main()
