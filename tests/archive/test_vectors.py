"""The best few are those that comparing everything in full gives; vectors and columns kept on disk are those of the tables."""

from __future__ import annotations

import shutil
import stat
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from morphoscope.archive import Archive, Entry, FileState, describe, known_models, record_embeddings, record_pictures, search
from morphoscope.archive import column_cache as cache_module
from morphoscope.archive import current_vectors as current_module
from morphoscope.archive import vector_building as building_module
from morphoscope.archive import vectors as vectors_module
from morphoscope.archive.current_vectors import keep_vectors, vectors
from morphoscope.archive.feature_version import FeatureVersion
from morphoscope.archive.half_floats import half_products
from morphoscope.archive.vector_building import principal_axes, stored_rows
from morphoscope.archive.vector_file import kept_vectors, vector_path
from morphoscope.archive.vectors import Standard, Vectors

SHA = "ab" * 32


def compared(features: np.ndarray, n_late: int = 0) -> Vectors:
    """Features as an archive holds them; the last ones came late."""
    width = features.shape[1]
    plain = Standard(np.zeros(width, np.float32), np.ones(width, np.float32), np.zeros((width, 0), np.float32))
    standard = replace(plain, axes=principal_axes(plain.direction(features)))
    n = len(features) - n_late
    kept, late = stored_rows(standard, features[:n]), stored_rows(standard, features[n:])
    return Vectors(
        FeatureVersion(0, ""),
        np.arange(1, len(features) + 1),
        np.arange(len(features)),
        standard,
        kept,
        late,
        FeatureVersion(0, ""),
    )


@pytest.mark.parametrize("falloff", [0.0, 1.0, 3.0], ids=["no axis leads", "some lead", "few lead"])
@pytest.mark.parametrize("count", [1, 7, 40])
@pytest.mark.parametrize("n_late", [0, 60])
def test_the_best_few_are_exact(falloff: float, count: int, n_late: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors_module, "FEW_ROWS", 10)
    monkeypatch.setattr(building_module, "LEADING_AXES", 6)
    random = np.random.default_rng(0)
    known = compared(random.standard_normal((700, 24)) * np.arange(1, 25.0) ** -falloff, n_late)
    directions = known.directions(np.arange(700)).astype(float)
    for rows in (
        np.arange(700),
        np.sort(random.choice(700, 350, replace=False)),
        np.sort(random.choice(700, 200, replace=False)),
    ):
        wanted = random.standard_normal(24)
        expected = directions[rows] @ (wanted / np.linalg.norm(wanted))
        np.testing.assert_allclose(known.similarity(wanted, rows), expected, atol=1e-6)
        found = known.most_similar(wanted, rows, count)
        np.testing.assert_allclose(found.cosine, np.sort(expected)[::-1][:count], atol=1e-6)
        np.testing.assert_allclose(known.similarity(wanted, found.rows), found.cosine, atol=1e-6)
        assert set(found.rows) <= set(rows)


def test_half_products_are_those_of_numpy() -> None:
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    every = every[np.isfinite(every) & (np.abs(every) < 2)]
    matrix = every[: len(every) // 7 * 7].reshape(-1, 7)
    rows, vector = np.arange(len(matrix))[::-3], np.linspace(-1, 1, 7, dtype=np.float32)
    expected = matrix[rows].astype(float) @ vector.astype(float)
    np.testing.assert_allclose(half_products(matrix, rows, vector), expected, atol=1e-6)
    assert half_products(matrix, rows[:0], vector).shape == (0,)


def test_features_that_are_no_numbers_are_like_nothing() -> None:
    features = np.random.default_rng(0).standard_normal((600, 8)).astype(np.float32)
    features[3, 2] = np.nan
    known = compared(features)
    assert known.similarity(features[0], np.array([3])) == 0
    assert np.isfinite(known.most_similar(features[0], np.arange(600), 20).cosine).all()


@pytest.fixture
def keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small archives keep their vectors too, and a few late ones don't make all be worked out anew."""
    monkeypatch.setattr(current_module, "FEWEST", 1)
    monkeypatch.setattr(vectors_module, "FEW_ROWS", 2)


def order(archive: Archive, query: str = "like:3") -> list[tuple[int, float]]:
    """Numbers and cosines that a search gives."""
    return [(hit.id, round(hit.score or 0, 3)) for hit in search(archive, query).hits]


def reopened(archive: Archive, query: str = "like:3") -> list[tuple[int, float]]:
    """The same of another program."""
    with Archive.open(archive.path) as again:
        return order(again, query)


def afresh(archive: Archive, query: str = "like:3") -> list[tuple[int, float]]:
    """The same without any file beside the archive."""
    path = vector_path(archive.path, SHA)
    aside = path.with_suffix(".aside")
    path.rename(aside)
    found = reopened(archive, query)
    aside.replace(path)
    return found


def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each time that all vectors are worked out from the tables."""
    times: list[int] = []
    real = current_module.standard_of
    monkeypatch.setattr(current_module, "standard_of", lambda *arguments: (times.append(1), real(*arguments))[1])
    return times


@pytest.mark.usefixtures("keeping")
def test_vectors_kept_on_disk_spare_the_work(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    times = worked_out(monkeypatch)
    expected = order(filled)
    path = vector_path(filled.path, SHA)
    assert path.is_file() and len(times) == 1
    assert reopened(filled) == expected
    describe(filled, 4, notes="says nothing of features")
    assert reopened(filled) == expected and len(times) == 1
    arrays = load_file(path)  # other programs can read it
    assert arrays["matrix"].shape == (11, 3) and arrays["ids"].tolist() == list(range(1, 12))
    path.unlink()
    assert reopened(filled) == expected and path.is_file() and len(times) == 2


@pytest.mark.usefixtures("keeping")
@pytest.mark.parametrize("spoil", ["truncated", "empty", "longer", "other bytes", "other layout", "other model"])
def test_a_file_that_is_not_whole_is_not_trusted(filled: Archive, spoil: str) -> None:
    expected = order(filled)
    path = vector_path(filled.path, SHA)
    content = path.read_bytes()
    spoilt = {
        "truncated": content[:-1],
        "empty": b"",
        "longer": content + b"x",
        "other bytes": b"\xff" * len(content),
        "other layout": content.replace(b'"layout": "1"', b'"layout": "0"'),
        "other model": content.replace(SHA.encode(), b"cd" * 32),
    }[spoil]
    filled.close()
    path.unlink()
    path.write_bytes(spoilt)
    assert kept_vectors(filled.path, SHA) is None
    assert reopened(filled) == expected
    assert kept_vectors(filled.path, SHA) is not None, "it was made anew"


@pytest.mark.usefixtures("keeping")
def test_late_gone_and_replaced_features_are_seen(filled: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = worked_out(monkeypatch)
    order(filled)
    (model,) = known_models(filled)
    with Archive.open(filled.path) as other:  # another program writes
        (late,) = record_pictures(other, [Entry(FileState.of(_file(folder, "late.tif")))])
        record_embeddings(other, model.id, [late, 5], np.array([[1.0, 0.1, 0], [0.0, 1.0, 0]]))
        changed = other.connection.execute("SELECT path FROM picture WHERE id = 7").fetchone()[0]
        Path(changed).write_bytes(b"other bytes")
        record_pictures(other, [Entry(FileState.of(Path(changed)))])  # its features said something of the old ones
    assert len(times) == 1
    for query in ("like:3", f"like:{late}", "like:5 gold"):
        seen = order(filled, query)
        assert seen == reopened(filled, query) and len(times) == 1
        assert 7 not in [number for number, _ in seen]
    fresh = dict(afresh(filled))
    assert fresh.keys() == dict(order(filled)).keys() and late in fresh
    np.testing.assert_allclose([fresh[i] for i in sorted(fresh)], [dict(order(filled))[i] for i in sorted(fresh)], atol=0.35)


def _file(folder: Path, name: str) -> Path:
    (folder / name).write_bytes(name.encode())
    return folder / name


@pytest.mark.usefixtures("keeping")
def test_much_that_is_new_is_worked_out_anew(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_module, "LATE_ROWS", 2)
    times = worked_out(monkeypatch)
    order(filled)
    (model,) = known_models(filled)
    record_embeddings(filled, model.id, [1, 2], np.eye(3)[:2])
    order(filled)
    assert len(times) == 1
    keep_vectors(filled, model.id)
    assert order(filled) == reopened(filled) and len(times) == 1, "two are few"
    record_embeddings(filled, model.id, [3], np.eye(3)[:1])
    order(filled)
    assert len(times) == 1, "a search takes the time only for more"
    keep_vectors(filled, model.id)
    assert order(filled) == reopened(filled) and len(times) == 2
    record_embeddings(filled, model.id, [3, 4, 5, 6], np.eye(4, 3))
    assert order(filled) == reopened(filled) == afresh(filled)
    assert len(times) == 4, "in this program, and without the file"


@pytest.mark.usefixtures("keeping")
def test_a_copy_that_went_its_own_way_has_its_own_vectors(filled: Archive, tmp_path: Path) -> None:
    """A backup is put back and written to until it has the number of changes that the lost one had."""
    (model,) = known_models(filled)
    order(filled)
    filled.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(filled.path, tmp_path / "backup")
    record_embeddings(filled, model.id, [1], np.array([[0.0, 0.0, 9.0]]))
    vector_path(filled.path, SHA).unlink()
    order_of_lost = reopened(filled)
    filled.close()
    for name in ("", "-wal", "-shm"):
        filled.path.with_name(filled.path.name + name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup", filled.path)
    with Archive.open(filled.path) as restored:
        record_embeddings(restored, model.id, [2], np.array([[0.0, 0.0, 9.0]]))
        found = order(restored)
        assert found == afresh(restored) != order_of_lost


@pytest.mark.usefixtures("keeping")
def test_nothing_is_kept_of_a_transaction_that_may_fail(filled: Archive) -> None:
    (model,) = known_models(filled)
    with pytest.raises(RuntimeError), filled.writing():
        record_embeddings(filled, model.id, [1], np.array([[0.0, 0.0, 9.0]]))
        vectors(filled, model.id)
        record_embeddings(filled, model.id, [2], np.array([[0.0, 0.0, 9.0]]))
        assert vectors(filled, model.id).directions(np.array([1]))[0, 2] > 0.5
        raise RuntimeError
    assert not vector_path(filled.path, SHA).exists()
    assert order(filled) == reopened(filled)


@pytest.mark.usefixtures("keeping")
def test_without_a_place_to_write_all_is_in_memory(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object) -> None:
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr("morphoscope.archive.mapped_file.MappedWriter.__init__", refused)
        in_memory = order(filled)
        assert not vector_path(filled.path, SHA).exists()
    assert reopened(filled) == in_memory and vector_path(filled.path, SHA).is_file()


@pytest.mark.usefixtures("keeping")
@pytest.mark.parametrize("step", ["write", "finish"])
def test_a_disk_that_fills_leaves_no_piece(filled: Archive, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    expected = order(filled)
    vector_path(filled.path, SHA).unlink()
    monkeypatch.setattr(f"morphoscope.archive.mapped_file.MappedWriter.{step}", full)
    assert reopened(filled) == expected
    assert not list(filled.path.parent.glob("*.vectors*"))


def _search(path: Path) -> list[tuple[int, float]]:
    current_module.FEWEST = 1
    with Archive.open(path) as archive:
        return order(archive)


@pytest.mark.usefixtures("keeping")
def test_several_programs_may_keep_them_at_once(filled: Archive) -> None:
    with get_context("spawn").Pool(3) as pool:
        found = pool.map(_search, [filled.path] * 6, chunksize=1)
    assert all(one == order(filled) for one in found)
    (kept,) = filled.path.parent.glob("*.vectors*")
    assert kept.stat().st_mode & stat.S_IRUSR


def test_small_archives_keep_no_file(filled: Archive) -> None:
    order(filled)
    assert not list(filled.path.parent.glob("*.vectors*"))


def test_columns_kept_on_disk_are_those_of_this_very_state(
    filled: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MORPHOSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache_module, "FEWEST", 1)
    queries = ("Morphology=Rod", "maker=FEI", "pixel_size_nm<5", "confidence>.8", "novelty>.5", "sample=S1")
    expected = [[hit.id for hit in search(filled, query).hits] for query in queries]
    (kept,) = (tmp_path / "cache" / "archives").rglob("*.npz")
    with Archive.open(filled.path) as again:
        assert [[hit.id for hit in search(again, query).hits] for query in queries] == expected
        assert search(again, "annealed").hits == search(filled, "annealed").hits
    kept.write_bytes(b"spoilt")
    with Archive.open(filled.path) as again:
        assert [[hit.id for hit in search(again, query).hits] for query in queries] == expected
    describe(filled, 1, sample="S9")
    with Archive.open(filled.path) as again:
        assert [hit.id for hit in search(again, "sample=S9").hits] == [1]
