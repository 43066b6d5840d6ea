"""How often the rule for resized pictures is right, drawn: `python resize_rule.py`."""

from __future__ import annotations

import numpy as np

from morphoscope.calibration.resolve import is_close, is_resized
from morphoscope.micrograph import Evidence, PixelSize

HEADER = PixelSize(3.0, 3.0, "header", (Evidence("header: pixel size", 3.0),))
USUAL, NOW = (1024, 1280, 1536, 2048, 3072, 4096), (512, 600, 640, 690, 768, 1024, 1280)
BAR_ERROR = 0.005
DRAWS = 20_000


def main() -> None:
    """Prints the share that is taken for a resize, for each way in which bar and header can differ."""
    random = np.random.default_rng(0)

    def taken(factors: np.ndarray, columns: np.ndarray) -> float:
        apart = [(f, c) for f, c in zip(factors, columns, strict=True) if not is_close(3.0 * f, 3.0)]
        return float(np.mean([is_resized(HEADER, 3.0 * f, int(c)) for f, c in apart]))

    error = np.exp(random.normal(0, BAR_ERROR, DRAWS))
    before = random.choice(USUAL, DRAWS)
    after = (before * random.uniform(0.2, 0.97, DRAWS)).astype(int)
    print(f"resized from a usual width: {taken(before / after * error, after):.3f}")
    now = random.choice(NOW, DRAWS)
    print(f"label misread by powers of ten: {taken(10.0 ** random.choice([-3, -1, 1, 3], DRAWS) * error, now):.3f}")
    print(f"header of another picture, any ratio from 1/16 to 16: {taken(16 ** random.uniform(-1, 1, DRAWS), now):.3f}")


if __name__ == "__main__":
    main()
