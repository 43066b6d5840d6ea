"""What every branch that reads a file of its own keeps to: rows without the file, rows in any order, files of any length."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from morphoscope.data.cache import PictureCache
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.errors import MorphoscopeError
from morphoscope.models.branches import channel_kinds
from morphoscope.models.channels import Channel, ChannelReader, branch_type
from morphoscope.models.network import Batch, MultimodalNetwork, NetworkSpec
from morphoscope.schema import Schema, Task

SCHEMA = Schema((Task("Material", ("gold", "silver")),))
CANVAS = Preprocessing(64, 64)
N = 5


def _spectrum(path: Path, rng: np.random.Generator, size: int) -> Path:
    energy = np.linspace(0, 20, size)
    counts = rng.poisson(400 * np.exp(-(((energy - rng.uniform(2, 8)) / 0.1) ** 2)) + 2)
    path = path.with_suffix(".csv")
    path.write_text(
        "Energy (keV),Counts\n" + "\n".join(f"{e:.4f},{c}" for e, c in zip(energy, counts, strict=True)), encoding="utf-8"
    )
    return path


def _pattern(path: Path, rng: np.random.Generator, size: int) -> Path:
    y, x = np.mgrid[:size, :size] - size / 2 + rng.uniform(-4, 4, (2, 1, 1))
    radius = np.hypot(y, x) / size
    rings = np.exp(-(((radius - rng.uniform(0.1, 0.4)) / 0.01) ** 2)) + np.exp(-radius / 0.03)
    tifffile.imwrite(path.with_suffix(".tif"), rng.poisson(200 * rings + 5).astype(np.uint16))
    return path.with_suffix(".tif")


def _picture(path: Path, rng: np.random.Generator, size: int) -> Path:
    tifffile.imwrite(path.with_suffix(".tif"), rng.integers(0, 255, (size, size + 9), dtype=np.uint8))
    return path.with_suffix(".tif")


EXAMPLES: dict[str, Callable[[Path, np.random.Generator, int], Path]] = {
    "spectrum": _spectrum,
    "diffraction": _pattern,
    "picture": _picture,
}
kinds = pytest.mark.parametrize("kind", channel_kinds())


@pytest.fixture
def reader(tmp_path: Path) -> ChannelReader:
    return ChannelReader(PictureCache(tmp_path / "cache"))


@pytest.fixture
def files(kind: str, tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    return [EXAMPLES[kind](tmp_path / f"{kind}{i}", rng, 256) for i in range(N)]


@pytest.fixture
def channel(kind: str, files: list[Path], reader: ChannelReader) -> Channel:
    facts = [reader.read(kind, path).facts for path in files]
    return Channel(kind, "column", branch_type(kind).encoder.fit(facts, CANVAS))


@pytest.fixture
def network(kind: str, channel: Channel, values: torch.Tensor) -> MultimodalNetwork:
    torch.manual_seed(0)
    arguments = branch_type(kind).arguments(channel.encoder, {"backbone": "resnet10t"})
    made = MultimodalNetwork(NetworkSpec({"texture": {"width": 3}, kind: json.loads(json.dumps(arguments))}, SCHEMA))
    made.branches[kind].standardise_by(values)  # type: ignore[operator]
    torch.nn.init.normal_(made.stand_ins[kind])
    return made


@pytest.fixture
def values(channel: Channel, files: list[Path], reader: ChannelReader) -> torch.Tensor:
    return torch.from_numpy(np.stack([reader.encoded(channel, path) for path in files]))


def batch(kind: str, values: torch.Tensor, absent: list[int]) -> Batch:
    texture = torch.rand(len(values), 3, generator=torch.Generator().manual_seed(0))
    missing = torch.zeros(len(values), dtype=torch.bool)
    missing[absent] = True
    return Batch({"texture": texture, kind: values}, {kind: missing})


def test_every_channel_has_an_example_here() -> None:
    assert set(EXAMPLES) == set(channel_kinds())


def test_a_real_map_of_x_rays_encodes(shared_data: Path, reader: ChannelReader) -> None:
    """Copper's K-alpha stands at 8.05 keV on the common axis too."""
    pytest.importorskip("rsciio.bruker")
    reading = reader.read("spectrum", shared_data / "vendor/bruker_bcf/openncem/-10.bcf")
    encoder = branch_type("spectrum").encoder.fit([reading.facts], CANVAS)
    values = encoder.encode(reading)
    energy = np.linspace(0.1, reading.facts["high_kev"], 1024)
    near = (energy > 7.8) & (energy < 8.3)
    assert energy[near][values[near].argmax()] == pytest.approx(8.048, abs=0.03)
    assert (values**2).mean() == pytest.approx(1.0)


@kinds
def test_a_file_of_any_length_gives_the_same_shape(
    kind: str, channel: Channel, values: torch.Tensor, reader: ChannelReader, tmp_path: Path
) -> None:
    assert values.shape[1:] == channel.encoder.shape == channel.absent().shape
    assert values.dtype == torch.from_numpy(channel.absent()).dtype
    assert torch.isfinite(values.float()).all()
    for size in (100, 700):
        other = EXAMPLES[kind](tmp_path / f"other{size}", np.random.default_rng(size), size)
        assert reader.encoded(channel, other).shape == channel.encoder.shape


@kinds
def test_stored_and_read_again_it_encodes_the_same(kind: str, channel: Channel, files: list[Path], reader: ChannelReader) -> None:
    again = Channel.from_dict(kind, json.loads(json.dumps(channel.to_dict())))
    assert again == channel
    np.testing.assert_array_equal(reader.encoded(again, files[0]), channel.encoder.encode(channel.encoder.read(files[0])))


@kinds
def test_no_row_depends_on_who_else_is_absent(kind: str, network: MultimodalNetwork, values: torch.Tensor) -> None:
    network.eval()
    with torch.no_grad():
        whole = network(batch(kind, values, []))[0]
        some = network(batch(kind, values, [1, 3]))[0]
        masked = network(batch(kind, values, []), {"texture"})[0]
        nothing = network(batch(kind, values, list(range(N))))[0]
    torch.testing.assert_close(some[[0, 2, 4]], whole[[0, 2, 4]])
    torch.testing.assert_close(some[[1, 3]], masked[[1, 3]])
    torch.testing.assert_close(nothing, masked)
    assert not torch.allclose(whole, masked)


@kinds
def test_rows_in_another_order_give_the_answers_in_that_order(
    kind: str, network: MultimodalNetwork, values: torch.Tensor
) -> None:
    network.eval()
    one = batch(kind, values, [2])
    order = torch.tensor([3, 1, 4, 2, 0])
    other = Batch({name: tensor[order] for name, tensor in one.inputs.items()}, {kind: one.absent[kind][order]})
    with torch.no_grad():
        torch.testing.assert_close(network(other)[0], network(one)[0][order])


@kinds
@pytest.mark.parametrize("absent", [[], [0], list(range(1, N)), list(range(N))], ids=["none", "one", "all but one", "all"])
def test_it_learns_whoever_is_absent(kind: str, network: MultimodalNetwork, values: torch.Tensor, absent: list[int]) -> None:
    network.train()
    one = batch(kind, values, absent)
    sum(logits.square().sum() for logits in network(one)).backward()  # type: ignore[union-attr]
    gradients = [parameter.grad for parameter in network.branches[kind].parameters()]
    if len(absent) < N:
        assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in gradients)
    if absent:
        learned = network.stand_ins[kind].grad
        assert learned is not None and learned.abs().sum() > 0


@kinds
def test_training_shows_it_otherwise_and_repeatably(kind: str, network: MultimodalNetwork, values: torch.Tensor) -> None:
    from morphoscope.data.augmentation import Augmentation

    branch = network.branches[kind]
    views = [branch.augmented(values, Augmentation(), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]  # type: ignore[operator]
    assert torch.equal(views[0], views[1]) and not torch.equal(views[0], views[2])
    assert views[0].shape == values.shape


@kinds
def test_an_array_of_another_length_is_refused(kind: str, network: MultimodalNetwork, values: torch.Tensor) -> None:
    if kind == "picture":
        pytest.skip("a convolutional network takes any size")
    with pytest.raises(RuntimeError):
        network(batch(kind, values[..., :-8], []))


@kinds
def test_damaged_files_are_told(kind: str, channel: Channel, files: list[Path], reader: ChannelReader, tmp_path: Path) -> None:
    suffix = files[0].suffix
    empty, other, cut = (tmp_path / f"{name}{suffix}" for name in ("empty", "other", "cut"))
    empty.write_bytes(b"")
    other.write_bytes(b"no such thing")
    cut.write_bytes(files[0].read_bytes()[:60])
    for path in (empty, other, cut, tmp_path / "missing"):
        with pytest.raises(MorphoscopeError, match=path.name):
            reader.encoded(channel, path)
