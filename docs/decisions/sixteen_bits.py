"""The share of white pixels after two ways to 8 bits, over 24 rendered 16-bit pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

from morphoscope.io import to_display
from morphoscope.synthesis import render

pictures = [picture.pixels for picture in render("particles", 24, bits=16)]
clipped = np.mean([(np.asarray(Image.fromarray(pixels).convert("L")) == 255).mean() for pixels in pictures])
stretched = np.mean([(to_display(pixels) == 255).mean() for pixels in pictures])
print(f"Pillow: {clipped:.1%} white. to_display: {stretched:.2%} white.")
