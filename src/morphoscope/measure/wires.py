"""Wires of an instance map: centre line, length, local width, tortuosity and junctions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d, label
from scipy.spatial import cKDTree

from morphoscope.measure.particles import PIXELS, Spacing, Traced
from morphoscope.measure.skeleton import find_junctions, find_skeleton, longest_path, total_length, without_spurs

_WORKING_WIDTH_PX = 10.0
"""Thicker wires are measured on a coarser grid: their centre line needs no more pixels across."""
_SMOOTHING = 0.5
"""Standard deviation, in widths, along the centre line: takes the steps of pixels away, and leaves bends of a width and more."""
_LEAST_SMOOTHING_PX = 2.0
_MAIN_SHARE = 0.7
"""Of all branches: an object whose longest way holds less of them is a net, not one wire."""
_ROUND, _FLAT = math.pi / 2, 2.0
"""Area of a wire's end beyond the middle of its rounding, over the squared half width."""
_OPEN_SHARE = 0.2
"""Of the straight way between two parts of a wire: no more of it may be background, for the parts to be joined."""
_STRAIGHT_ON = 0.5
"""Cosine of the angle between a wire's end and the way to the next part, that a join needs at both ends."""
_HEADING_POINTS = (12, 40)
_SMALLEST_PART = 4
_CLOSING = 1.5
"""Half widths: how far apart visible pixels may lie for what other objects hide between them to count as the wire's."""
_CLEAR_PX = 2.0
"""Of a wire's outline to the next object, where its local width is taken for its own."""
_LEAST_CLEAR, _ALL_CLEAR = 0.1, 0.97
"""Of the axis: between these shares the width is that of the clear stretches."""
_WIDEST = 0.9


@dataclass(frozen=True, eq=False)
class Wires:
    """What W wires measure; (W,) each, lengths in the unit of the spacing they were measured with.

    index: which of the map's objects each is. length: of the centre line; see `measure_wires`. width: visible area over visible
    length. width_std: of the local width along the line, from the distance transform. tortuosity: length over the distance of
    the ends, at least 1; nan for a net. n_junctions: places where three or more branches meet. is_net: the object branches
    so much that its length is that of all branches. centre_lines: (K, 2) points (y, x) each.
    """

    index: np.ndarray
    length: np.ndarray
    width: np.ndarray
    width_std: np.ndarray
    tortuosity: np.ndarray
    n_junctions: np.ndarray
    is_net: np.ndarray
    centre_lines: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.index)

    def scaled(self, factor: float) -> Wires:
        """The same wires with square pixels of another size."""
        lines = tuple(line * factor for line in self.centre_lines)
        sizes = (self.length * factor, self.width * factor, self.width_std * factor)
        return Wires(self.index, *sizes, self.tortuosity, self.n_junctions, self.is_net, lines)


def measure_wires(instance_map: np.ndarray, traced: Traced, chosen: Sequence[int], spacing: Spacing = PIXELS) -> Wires:
    """The chosen objects (indices into traced.numbers) of an instance map (Y, X) as wires, with pixels of spacing (y, x).

    The length is that of the axis: a flat end belongs to it in full, a round one up to the middle of its rounding, so that a
    wire with round tips measures half a width more at each from tip to tip. Parts of a wire that other objects cross are joined
    straight beneath them. Width: from the area, so right on average for wires of a few pixels. Bias: below 3 % for wires five
    times as long as wide; bends sharper than a width are cut short; strands of a bundle, which others hide all along, come out
    some 5 % short and thin.
    """
    lines = [_Wire(*_cut(instance_map, traced, index, spacing)) for index in chosen]
    return Wires(
        index=np.asarray(chosen, np.int64),
        length=np.array([line.length for line in lines], float),
        width=np.array([line.width for line in lines], float),
        width_std=np.array([line.width_std for line in lines], float),
        tortuosity=np.array([line.tortuosity for line in lines], float),
        n_junctions=np.array([line.n_junctions for line in lines], np.int64),
        is_net=np.array([line.is_net for line in lines], bool),
        centre_lines=tuple(line.points for line in lines),
    )


def half_widths(mask: np.ndarray) -> np.ndarray:
    """(Y, X) half the local width in px on the middle of a mask: the distance to the background, less a quarter of a pixel.

    The distance is measured to the middle of the nearest outer pixel, half a pixel beyond the outline, and the middle of an
    even width is half a pixel off its axis; a quarter is right on average over both.
    """
    return np.maximum(_distance(np.pad(mask, 1))[1:-1, 1:-1] - 0.25, 0.25)


def _distance(mask: np.ndarray) -> np.ndarray:
    return cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _cut(
    instance_map: np.ndarray, traced: Traced, index: int, spacing: Spacing
) -> tuple[np.ndarray, np.ndarray, float, float, np.ndarray]:
    """One object on square pixels: its mask, that of all others, pixel side, area and corner (y, x), in the spacing's unit."""
    top, bottom, left, right = traced.box[index]
    window = instance_map[top : bottom + 1, left : right + 1]
    mask, others = window == traced.numbers[index], window != 0
    others &= ~mask
    area = float(traced.n_pixels[index]) * math.prod(spacing)
    corner = (np.array([top, left]) - 0.5) * spacing
    pixel = min(spacing)
    width = 2 * float(half_widths(mask).max()) * pixel
    pixel = max(pixel, width / _WORKING_WIDTH_PX)
    if spacing == (pixel, pixel):
        return mask, others, pixel, area, corner
    size = tuple(max(1, round(n * step / pixel)) for n, step in zip(mask.shape, spacing, strict=True))
    both = [cv2.resize(each.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR) >= 0.5 for each in (mask, others)]
    return both[0] if both[0].any() else mask, both[1], pixel, area, corner


class _Wire:
    """One object measured; lengths in the unit of `pixel`."""

    def __init__(self, mask: np.ndarray, others: np.ndarray, pixel: float, area: float, corner: np.ndarray) -> None:
        seen = _without_pinholes(mask)
        mask = _filled_beneath(seen, others)
        area *= mask.sum() / seen.sum()
        radius = half_widths(mask)
        parts, n_parts = label(mask, np.ones((3, 3)))
        sizes = np.bincount(parts.ravel())[1:]
        kept = [part for part in range(1, n_parts + 1) if sizes[part - 1] >= min(_SMALLEST_PART, sizes.max())]
        skeletons = [_skeleton(parts == part, radius) for part in kept]
        tips = [_Axis(longest_path(skeleton), mask, radius) for skeleton in skeletons]
        chains = _joined([axis.points for axis in tips], mask | others)
        everything = sum(total_length(skeleton) for skeleton in skeletons)
        longest = sum(axis.raw_length for axis in tips)
        self.is_net = bool(longest < _MAIN_SHARE * everything)
        spread = np.concatenate([axis.half_widths for axis in tips])
        smoothing = max(_LEAST_SMOOTHING_PX, _SMOOTHING * 2 * float(np.median(spread)))
        chains = [_smoothed(chain, smoothing) for chain in chains]
        main = max(chains, key=_length)
        visible = sum(_length(_smoothed(axis.points, smoothing)) for axis in tips)
        length = _length(main)
        if self.is_net:
            length = visible = visible * everything / max(longest, 1e-9)
        caps = math.pi / 8 * sum(axis.roundness for axis in tips)
        self.length = max(length, 1.0) * pixel
        self.width = _width(area, max(visible, 1.0) * pixel, 0.0 if self.is_net else caps)
        if others.any() and not self.is_net:
            clear = _distance(~others) - radius > _CLEAR_PX
            # Where neighbours hide a strand all along, its widest tenth is the least hidden.
            hidden = self.width / pixel * max(1.0, float(np.quantile(spread, _WIDEST) / spread.mean()))
            self.width = _clear_width([axis.points for axis in tips], mask, clear, self.width / pixel, hidden) * pixel
        self.width_std = 2 * float(spread.std()) * pixel
        ends = float(np.hypot(*(main[-1] - main[0])))
        self.tortuosity = math.nan if self.is_net or ends < 1 else max(1.0, _length(main) / ends)
        merge = 2 * float(np.median(spread))
        self.n_junctions = sum(len(find_junctions(skeleton, merge)) for skeleton in skeletons)
        self.points = (main + 0.5) * pixel + corner


def _without_pinholes(mask: np.ndarray) -> np.ndarray:
    """The mask with holes narrower than its own half width filled: they are noise, and each would be a mesh of the skeleton."""
    holes, n = label(~mask)
    if n < 2:
        return mask
    size = np.bincount(holes.ravel())
    size[0] = size.max()
    is_edge = np.zeros(n + 1, bool)
    for edge in (holes[0], holes[-1], holes[:, 0], holes[:, -1]):
        is_edge[edge] = True
    is_filled = ~is_edge & (size <= max(1.0, float(half_widths(mask).max()) ** 2))
    return mask | is_filled[holes]


def _filled_beneath(mask: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The mask with what other objects hide of it between its visible pixels, by a closing a little wider than itself."""
    if not others.any() or label(mask, np.ones((3, 3)))[1] < 2:
        return mask
    reach = math.ceil(_CLOSING * float(half_widths(mask).max()))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    closed = cv2.morphologyEx(np.pad(mask, reach).view(np.uint8), cv2.MORPH_CLOSE, disc)[reach:-reach, reach:-reach]
    return mask | (closed.astype(bool) & others)


def _skeleton(part: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """The skeleton of one connected part; its middle pixel where thinning leaves none."""
    skeleton = without_spurs(find_skeleton(part), radius)
    if not skeleton.any():
        skeleton = np.zeros_like(part)
        skeleton[np.unravel_index(int(np.argmax(np.where(part, radius, -1))), part.shape)] = True
    return skeleton


class _Axis:
    """The axis of one part, from end to end. roundness: 0 to 2, how many of its ends are round."""

    def __init__(self, path: np.ndarray, mask: np.ndarray, radius: np.ndarray) -> None:
        self.half_widths = radius[path[:, 0], path[:, 1]]
        steps = np.hypot(*np.diff(path, axis=0).T) if len(path) > 1 else np.zeros(0)
        self.raw_length = float(steps.sum())
        half = float(np.median(self.half_widths))
        along = np.r_[0.0, np.cumsum(steps)]
        # The last stretch of a skeleton bends into a corner of the end: it is cut away and replaced by a straight one.
        cut = min(half, 0.25 * self.raw_length)
        inner = path[(along >= cut) & (along <= self.raw_length - cut)].astype(float)
        if len(inner) < 2:
            inner = path[[0, -1]].astype(float)
        is_inner = (along >= cut) & (along <= self.raw_length - cut)
        self.half_widths = self.half_widths[is_inner] if is_inner.any() else np.array([half])
        inner = _smoothed(inner, max(_LEAST_SMOOTHING_PX, half))
        first, fill_first = _end(inner[::-1], mask, half)
        last, fill_last = _end(inner, mask, half)
        self.roundness = 2 - fill_first - fill_last
        self.points = _dense(np.vstack([first, inner, last]))


def _end(line: np.ndarray, mask: np.ndarray, half: float) -> tuple[np.ndarray, float]:
    """Where the axis (K, 2) ends beyond its last point, and how flat the end is, from 0 (round) to 1."""
    back = line[max(0, len(line) - 1 - max(3, round(3 * half)))]
    heading = line[-1] - back
    norm = float(np.hypot(*heading))
    if norm == 0:
        return line[-1], 0.0
    heading = heading / norm
    reach = np.arange(0, 6 * half + 4, 0.25)
    at = np.rint(line[-1] + reach[:, None] * heading).astype(int)
    inside = ((at >= 0) & (at < mask.shape)).all(axis=1)
    inside[inside] = mask[tuple(at[inside].T)]
    outside = np.flatnonzero(~inside)
    tip = float(reach[outside[0]]) if len(outside) else float(reach[-1])
    middle = line[-1] + max(0.0, tip - half) * heading
    lows = np.maximum(np.floor(middle - 2 * half - 1).astype(int), 0)
    highs = np.ceil(middle + 2 * half + 2).astype(int)
    y, x = np.nonzero(mask[lows[0] : highs[0], lows[1] : highs[1]])
    beyond = np.column_stack([y, x]) + lows - middle
    ahead = beyond @ heading
    beside = abs(beyond @ np.array([-heading[1], heading[0]]))
    area = float((np.clip(ahead + 0.5, 0, 1) * (beside <= 1.5 * half)).sum())
    flat = float(np.clip((area / half**2 - _ROUND) / (_FLAT - _ROUND), 0, 1))
    return middle + flat * min(half, tip) * heading, flat


def _clear_width(axes: list[np.ndarray], mask: np.ndarray, clear: np.ndarray, width: float, hidden: float) -> float:
    """The width in px from the area beside those stretches of the axes (K, 2) that keep `clear` (Y, X) of other objects.

    Elsewhere a neighbour may hide a part of the area. `width`, that of the whole, where nearly all is clear; `hidden` where nearly
    nothing is, as in a bundle.
    """
    points = np.concatenate(axes)
    at = np.clip(np.rint(points).astype(int), 0, np.array(mask.shape) - 1)
    is_tip = np.concatenate([np.minimum(np.arange(len(a)), np.arange(len(a))[::-1]) <= width / 2 for a in axes])
    is_clear = clear[tuple(at.T)]
    if is_clear.mean() >= _ALL_CLEAR:
        return width
    if (is_clear & ~is_tip).mean() < _LEAST_CLEAR:
        return hidden
    spacing = np.concatenate([np.full(len(a), _length(a) / max(len(a) - 1, 1)) for a in axes])
    _, nearest = cKDTree(points).query(np.argwhere(mask))
    chosen = is_clear & ~is_tip
    return float(chosen[nearest].sum() / spacing[chosen].sum())


def _joined(lines: list[np.ndarray], covered: np.ndarray) -> list[np.ndarray]:
    """The lines (K, 2) put end to end where other objects hide a way straight on from one to another, nearest first."""
    lines = list(lines)
    while len(lines) > 1:
        ends = np.array([line[side] for line in lines for side in (0, -1)])
        step = ends[None] - ends[:, None]  # (from, to, yx)
        apart = np.hypot(step[..., 0], step[..., 1])
        ahead = np.full(apart.shape, -1.0)  # cosine of leaving a towards b, near the end or over a longer stretch
        for reach in _HEADING_POINTS:
            headings = np.array([_heading(each, reach) for line in lines for each in (line[::-1], line)])
            ahead = np.maximum(ahead, np.einsum("abk,ak->ab", step, headings) / np.maximum(apart, 1e-9))
        owner = np.arange(len(ends)) // 2
        fits = (np.minimum(ahead, ahead.T) >= _STRAIGHT_ON) & (owner[:, None] < owner[None])
        candidates = np.argwhere(fits)
        candidates = candidates[np.argsort(apart[fits])]
        found = next(((a, b) for a, b in candidates.tolist() if _is_hidden(ends[a], ends[b], covered)), None)
        if found is None:
            break
        a, b = found
        before = lines[a // 2] if a % 2 else lines[a // 2][::-1]
        after = lines[b // 2][::-1] if b % 2 else lines[b // 2]
        rest = [line for i, line in enumerate(lines) if i not in (a // 2, b // 2)]
        lines = [*rest, _dense(np.vstack([before, after]))]
    return lines


def _heading(line: np.ndarray, reach: int) -> np.ndarray:
    """(2,) unit vector (y, x) from `reach` points before its end to a line's end."""
    step = line[-1] - line[max(0, len(line) - 1 - reach)]
    return step / max(float(np.hypot(*step)), 1e-9)


def _is_hidden(start: np.ndarray, end: np.ndarray, covered: np.ndarray) -> bool:
    """Whether nearly all of the straight way from one point to another lies under objects."""
    n = max(2, math.ceil(float(np.hypot(*(end - start))) * 2))
    at = np.rint(start + np.linspace(0, 1, n)[:, None] * (end - start)).astype(int)
    at = np.clip(at, 0, np.array(covered.shape) - 1)
    return bool(1 - covered[tuple(at.T)].mean() <= _OPEN_SHARE)


def _dense(points: np.ndarray) -> np.ndarray:
    """A line with a point about every pixel."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.r_[0.0, np.cumsum(steps)]
    if along[-1] == 0:
        return points[:1].repeat(2, axis=0)
    at = np.linspace(0, along[-1], max(2, math.ceil(along[-1]) + 1))
    return np.column_stack([np.interp(at, along, points[:, axis]) for axis in (0, 1)])


def _smoothed(line: np.ndarray, sigma: float) -> np.ndarray:
    """The line (K, 2) smoothed with its ends in place: beyond them it goes on mirrored in the end point."""
    reach = min(len(line) - 1, math.ceil(4 * sigma))
    if reach < 1:
        return line
    before = 2 * line[0] - line[reach:0:-1]
    after = 2 * line[-1] - line[-2 : -reach - 2 : -1]
    return gaussian_filter1d(np.vstack([before, line, after]), sigma, axis=0)[reach : reach + len(line)]


def _length(line: np.ndarray) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _width(area: float, length: float, caps: float) -> float:
    """The width w of a wire of that area: area = w length + caps w²."""
    if caps < 1e-6:
        return area / length
    return (math.sqrt(length**2 + 4 * caps * area) - length) / (2 * caps)
