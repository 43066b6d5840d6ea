from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from morphoscope.data.alignment import align, self_agreement
from morphoscope.data.duplicates import near_duplicate_groups, near_duplicate_pairs, perceptual_hash, turn

SHAPE = (240, 336)


def grey(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 255).astype(np.uint8)


def particles(rng: np.random.Generator) -> np.ndarray:
    """Discs of one size at random places on noise."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    picture = np.full(SHAPE, 90.0)
    for cy, cx in rng.uniform((0, 0), SHAPE, (25, 2)):
        picture += 80 * ((y - cy) ** 2 + (x - cx) ** 2 < 12**2)
    return grey(gaussian_filter(picture, 1.5) + rng.normal(0, 8, SHAPE))


def blank_film(rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j]
    return grey(150 - 40 * (x**2 + y**2) + rng.normal(0, 8, SHAPE))


def centred_sphere(rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    disc = 180 - 100.0 * ((y - 120) ** 2 + (x - 168) ** 2 < rng.uniform(55, 62) ** 2)
    return grey(gaussian_filter(disc, 2) + rng.normal(0, 8, SHAPE))


def lattice(rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    a, b = rng.uniform(0, 2 * np.pi, 2)
    return grey(128 + 50 * np.sin(2 * np.pi * x / 28 + a) * np.sin(2 * np.pi * y / 28 + b) + rng.normal(0, 8, SHAPE))


def jpeg(picture: np.ndarray) -> np.ndarray:
    stored = io.BytesIO()
    Image.fromarray(picture).save(stored, "JPEG", quality=50)
    return np.asarray(Image.open(stored))


def halved(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((picture.shape[1] // 2, picture.shape[0] // 2), Image.Resampling.BICUBIC))


def with_bar(picture: np.ndarray) -> np.ndarray:
    burnt = picture.copy()
    burnt[-len(burnt) // 10 :] = 0
    burnt[-len(burnt) // 20 : -len(burnt) // 30, 20:200:7] = 255
    return burnt


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "jpeg": jpeg,
    "halved": halved,
    "gamma": lambda p: grey(255 * (p / 255) ** 0.5),
    "brightness": lambda p: grey(p * 0.6 + 60),
    "quarter turn": lambda p: np.rot90(p),
    "flipped": lambda p: p[:, ::-1],
    "burnt-in bar": with_bar,
    "lost its bar": lambda p: p[: round(len(p) * 0.9)],
    "lost a frame": lambda p: p[8:-8, 12:-12],
    "all at once": lambda p: np.rot90(jpeg(halved(grey(255 * (p / 255) ** 0.7)))[:-10], 3),
}


def hashes(pictures: list[np.ndarray]) -> np.ndarray:
    return np.stack([perceptual_hash(np.ascontiguousarray(picture)) for picture in pictures])


@pytest.fixture(scope="module")
def originals() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [particles(rng) for _ in range(20)]


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_found_and_nothing_else(originals: list[np.ndarray], kind: str) -> None:
    found = near_duplicate_pairs(hashes([*originals, *map(COPIES[kind], originals)]))
    assert {tuple(pair) for pair in found.tolist()} <= {(i, i + 20) for i in range(20)}
    assert len(found) >= 19


@pytest.mark.parametrize("draw", [blank_film, centred_sphere, lattice], ids=lambda draw: draw.__name__)
def test_specimens_that_look_alike_stay_apart(draw: Callable[[np.random.Generator], np.ndarray]) -> None:
    rng = np.random.default_rng(1)
    pictures = [draw(rng) for _ in range(30)]
    assert len(set(near_duplicate_groups(hashes(pictures)).tolist())) == 30
    assert len(near_duplicate_pairs(hashes([*pictures, *map(jpeg, pictures)]))) >= 28


def test_groups_chain_over_copies_of_copies(originals: list[np.ndarray]) -> None:
    first = originals[0]
    groups = near_duplicate_groups(hashes([first, originals[1], np.rot90(first), jpeg(np.rot90(first)), originals[2]]))
    assert groups[0] == groups[2] == groups[3]
    assert len(set(groups.tolist())) == 3


def test_pictures_without_content_are_no_duplicates() -> None:
    pictures = [np.zeros((40, 60), np.uint8), np.full((40, 60), 128, np.uint8), np.full((50, 50), 128, np.uint8)]
    assert len(set(near_duplicate_groups(hashes(pictures)).tolist())) == 3
    assert len(near_duplicate_groups(np.empty((0, 64, 64), np.int8))) == 0


def test_an_identical_lattice_is_a_duplicate() -> None:
    perfect = grey(128 + 60 * np.sin(np.arange(336) / 5) * np.ones((240, 1)))
    assert len(near_duplicate_pairs(hashes([perfect, perfect]))) == 1


def test_the_hash_turns_with_the_picture(originals: list[np.ndarray]) -> None:
    square = originals[0][:192, :192]
    for symmetry in range(8):
        turned = perceptual_hash(np.ascontiguousarray(turn(square[None], symmetry)[0]))
        assert np.abs(turned.astype(int) - turn(perceptual_hash(square)[None], symmetry)[0]).max() <= 1


def test_alignment_finds_the_part_that_is_shown() -> None:
    rng = np.random.default_rng(2)
    fine = gaussian_filter(rng.normal(size=(640, 640)), 14)
    whole = 63 * fine.reshape(64, 10, 64, 10).mean(axis=(1, 3)) / fine.std()
    part = fine[20:600, 10:620]
    rows, columns = (np.linspace(0, n, 65).astype(int) for n in part.shape)
    shown = np.add.reduceat(np.add.reduceat(part, rows[:-1], axis=0), columns[:-1], axis=1)
    shown = 63 * shown / shown.std()
    guess = np.array([[0, 1, 0, 1]], dtype=np.float32)
    bounds, agreement = align(whole[None].astype(np.float32), shown[None].astype(np.float32), guess)
    assert np.allclose(bounds, [[20 / 640, 600 / 640, 10 / 640, 620 / 640]], atol=0.005)
    assert agreement[0] > 0.95


def test_only_periodic_pictures_agree_with_themselves_shifted() -> None:
    rng = np.random.default_rng(3)
    found = self_agreement(hashes([lattice(rng), particles(rng), blank_film(rng)]).astype(np.float32))
    assert found[0] > 0.8 and (found[1:] < 0.4).all()


def test_real_micrographs_of_papers_are_distinct(shared_data: Path) -> None:
    files = sorted((shared_data / "emps" / "images").glob("*.png"))
    found = hashes([np.asarray(Image.open(file).convert("L")) for file in files])
    assert len(near_duplicate_pairs(found)) == 0


def test_a_copy_without_its_bar_is_found(shared_data: Path) -> None:
    files = sorted((shared_data / "nffa_layout").glob("*/*.jpg"))
    pictures = [np.asarray(Image.open(file).convert("L")) for file in files]
    full = [picture[:636] for picture in pictures if len(picture) == 768]
    found = near_duplicate_pairs(hashes([*full, *[picture[:600] for picture in full]]))
    is_copy = found[:, 1] - found[:, 0] == len(full)
    assert is_copy.all() and is_copy.sum() >= 0.95 * len(full) > 25
