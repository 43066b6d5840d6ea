"""Horizontal bars drawn into a picture: solid, outlined, with end ticks, or parted by their label."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

_LEVELS = 12  # grey levels at which ink is told from paper
_LEAST_PX = 14  # the shortest bar
_MOST_SLENDER, _LEAST_FILL = 2.0, 0.4  # least width over height, and share of its box that a bar fills
_MOST_SLOPE = 0.04  # of a bar askew
_UNEVEN, _LEAST_EVEN, _WAVY_PX = 0.25, 0.85, 0.8  # of the thickness; share of even columns; distance from a straight line
_SAME_PX, _MOST_BARS = 3.0, 60
_LEAST_CONTRAST = 24.0  # grey levels of 255 between a bar and what surrounds it
_RING_PX = 3


@dataclass(frozen=True)
class Bar:
    """A bar in pixels: columns x0 to x1 and, in its middle, rows y0 to y1 (last+1), with what speaks for it.

    `slope` is the rows it sinks a column: a scanned figure may be askew.

    `contrast` is the difference of grey to the surroundings and `noise` how grey changes there from pixel to pixel;
    `flatness` (0..1) is how even the ink is, `sharpness` (0..1) how much of the contrast is lost at once beyond its ends,
    `stability` (0..1) at what share of the levels between ink and paper it is seen; `has_ticks`, `is_parted`, `is_ruler`
    and `is_outlined` say how it is drawn, `is_open` that an end tick was not seen.
    """

    x0: float
    x1: float
    y0: float
    y1: float
    is_bright: bool
    slope: float = 0.0
    contrast: float = 0.0
    noise: float = 0.0
    flatness: float = 0.0
    sharpness: float = 0.0
    stability: float = 0.0
    has_ticks: bool = False
    is_parted: bool = False
    is_ruler: bool = False
    is_outlined: bool = False
    is_open: bool = False

    @property
    def length(self) -> float:
        """Length in pixels; with end ticks from the middle of one to the middle of the other."""
        return self.x1 - self.x0

    @property
    def y(self) -> float:
        """The row of its middle."""
        return (self.y0 + self.y1) / 2

    def moved(self, y: float, x: float) -> Bar:
        """The bar in the frame of a larger picture, of which this one was a part at (y, x)."""
        return replace(self, x0=self.x0 + x, x1=self.x1 + x, y0=self.y0 + y, y1=self.y1 + y)


def find_bars(grey: np.ndarray, thickest: int) -> list[Bar]:
    """Bars of an eight-bit part of a picture (Y, X), the clearest first.

    A bar is a straight run of even ink, at least twice as long as high and at most `thickest` rows high, that ends at once
    on both sides. Lines that cross the whole part are left out: they belong to a frame.
    """
    low, high = (float(level) for level in np.percentile(grey, (0.1, 99.9)))
    if high - low < _LEAST_CONTRAST:
        return []
    found: list[Bar] = []
    for level in np.linspace(low, high, _LEVELS + 2)[1:-1]:
        bright = (grey > level).view(np.uint8)
        found += _runs(bright, True, thickest) + _runs(1 - bright, False, thickest)
    bars = [_judged(grey, bar, (high - low) / (_LEVELS + 1)) for bar in _merged(found)]
    bars = [bar for bar in bars if bar.contrast >= _LEAST_CONTRAST]
    return sorted(bars, key=lambda bar: -bar.stability * bar.flatness * bar.length)


def _runs(ink: np.ndarray, is_bright: bool, thickest: int) -> list[Bar]:
    """Straight runs of ink (Y, X) at one level."""
    kernel = np.ones((1, _LEAST_PX), np.uint8)
    opened = cv2.morphologyEx(ink, cv2.MORPH_OPEN, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    runs = []
    for number, (x, y, width, height, area) in enumerate(boxes[1:], start=1):
        if width < _LEAST_PX or width >= ink.shape[1]:
            continue
        if height > thickest + _MOST_SLOPE * width or area < _LEAST_FILL * width * height or width < _MOST_SLENDER * height:
            continue
        shape = _straight(labels[y : y + height, x : x + width] == number)
        if shape is not None and shape[0] <= thickest:
            thickness, slope, middle = shape
            y0 = y + middle - thickness / 2
            runs.append(Bar(float(x), float(x + width), y0, y0 + thickness, is_bright, slope))
    return runs


def _straight(member: np.ndarray) -> tuple[float, float, float] | None:
    """Thickness, slope and middle row of a component (Y, X) that is a straight stroke of even thickness, else None."""
    thick = member.sum(axis=0)
    thickness = float(np.median(thick))
    is_even = np.abs(thick - thickness) <= max(1.0, _UNEVEN * thickness)
    if is_even.mean() < _LEAST_EVEN:
        return None
    rows = np.arange(len(member))
    columns = np.flatnonzero(is_even)
    centre = (rows @ member)[columns] / thick[columns] + 0.5
    slope, start = np.polyfit(columns - len(thick) / 2, centre, 1)
    if abs(slope) * len(thick) < 1.0:
        slope, start = 0.0, float(np.median(centre))
    off = centre - start - slope * (columns - len(thick) / 2)
    if np.abs(off).mean() > _WAVY_PX or abs(slope) > _MOST_SLOPE:
        return None
    return thickness, float(slope), float(start)


def _merged(runs: list[Bar]) -> list[Bar]:
    """One bar for the runs that several levels found at the same place; of very many those seen at most levels."""
    place = np.array([(run.x0, run.x1, run.y0, run.y1, run.slope) for run in runs]).reshape(-1, 5)
    is_bright = np.array([run.is_bright for run in runs], bool)
    left = np.argsort(place[:, 0] - place[:, 1])
    bars = []
    while left.size:
        seed = left[0]
        near = np.abs(place[left, :2] - place[seed, :2]).max(axis=1) <= _SAME_PX
        touches = (place[left, 2] <= place[seed, 3]) & (place[left, 3] >= place[seed, 2])
        is_same = near & touches & (is_bright[left] == is_bright[seed])
        x0, x1, y0, y1, slope = (float(end) for end in np.median(place[left[is_same]], axis=0))
        bars.append(Bar(x0, x1, y0, y1, bool(is_bright[seed]), slope, stability=float(is_same.sum())))
        left = left[~is_same]
    return sorted(bars, key=lambda bar: -bar.stability * bar.length)[:_MOST_BARS]


def _judged(grey: np.ndarray, bar: Bar, between_levels: float) -> Bar:
    """The bar with what speaks for it, and its ends where the grey is halfway between ink and paper.

    bar: its stability is still a number of levels, `between_levels` grey levels apart.
    """
    level = _levelled(grey, bar)
    x0, x1 = round(bar.x0), round(bar.x1)
    y0, y1 = round(bar.y0), max(round(bar.y1), round(bar.y0) + 1)
    inside = level[y0:y1, x0:x1].astype(np.float32)
    ink = float(np.median(inside))
    sides = [level[max(0, y0 - _RING_PX) : y0, x0:x1].astype(np.float32), level[y1 : y1 + _RING_PX, x0:x1].astype(np.float32)]
    sign = 1.0 if bar.is_bright else -1.0
    drops = [sign * (ink - float(np.median(side[row]))) for side, row in zip(sides, (0, -1), strict=True) if side.size]
    contrast = max(min(drops, default=0.0), 1.0)
    noise = max(
        (float(np.median(np.abs(np.diff(side[row])))) for side, row in zip(sides, (0, -1), strict=True) if side.size), default=0.0
    )
    spread = float(np.mean(np.abs(inside - np.median(inside, axis=1, keepdims=True))))
    profile = sign * (level[y0:y1].mean(axis=0, dtype=np.float32) - ink)
    return replace(
        bar,
        x0=_end(profile, x0, -1),
        x1=_end(profile, x1 - 1, 1),
        contrast=contrast,
        noise=noise,
        flatness=max(0.0, 1.0 - 2.0 * spread / contrast),
        sharpness=float(np.clip(-max(_beyond(profile, x0, -1), _beyond(profile, x1 - 1, 1)) / contrast, 0, 1)),
        stability=min(1.0, bar.stability / max(1.0, contrast / between_levels)),
    )


def _levelled(grey: np.ndarray, bar: Bar) -> np.ndarray:
    """The part of a picture (Y, X) sheared so that a bar askew lies level."""
    if bar.slope == 0.0:
        return grey
    columns = np.arange(grey.shape[1])
    shift = np.round(bar.slope * (columns - (bar.x0 + bar.x1) / 2)).astype(int)
    rows = np.clip(np.arange(len(grey))[:, None] + shift, 0, len(grey) - 1)
    return grey[rows, columns]


def _beyond(profile: np.ndarray, last: int, step: int) -> float:
    """The profile a little beyond the last column inside; at the picture's border that of the column inside."""
    return float(profile[np.clip(np.arange(2, 5) * step + last, 0, len(profile) - 1)].mean())


def _end(profile: np.ndarray, last: int, step: int) -> float:
    """Where the profile (0 in the ink, negative outside) falls halfway, near the last column inside, going by `step`."""
    outside = profile[np.clip(np.arange(2, 6) * step + last, 0, len(profile) - 1)].min()
    half = outside / 2
    at = last - 2 * step
    for column in range(last - 2 * step, last + 4 * step, step):
        if not 0 <= column < len(profile) or profile[column] < half:
            break
        at = column
    before = profile[at]
    after = profile[at + step] if 0 <= at + step < len(profile) else outside
    part = 0.5 if before <= after else float(np.clip((before - half) / (before - after), 0, 1))
    centre = at + part * step
    return centre + 0.5
