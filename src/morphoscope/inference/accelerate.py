"""The same network, faster: on a CPU the image branch runs in ONNX Runtime, on a GPU where it is.

The graph is exported once a model and kept in the cache. It is used only where it gives the network's own numbers.
"""

from __future__ import annotations

import copy
import hashlib
import logging
import warnings

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from morphoscope.data.cache import PictureCache, cache_folder
from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.network import MultimodalNetwork

CACHE_BYTES = 2**30
_GRAPH = "graph"


def accelerated(network: MultimodalNetwork, canvas: tuple[int, int]) -> MultimodalNetwork:
    """A copy for evaluation on the best device, for pictures of height and width `canvas`; its outputs differ by rounding only."""
    fast = copy.deepcopy(network).eval()
    if torch.cuda.is_available():
        return fast.to(torch.device("cuda")).to(memory_format=torch.channels_last)
    for name, branch in network.branches.items():
        if isinstance(branch, ImageBranch):
            try:
                compiled = CompiledImageBranch(branch.eval(), canvas)
            except Exception as error:  # exporter and runtime raise anything for an operator that they don't know
                logging.getLogger(__name__).info("%s runs in PyTorch: %r", name, error)
                continue
            if _agree(branch, compiled, canvas):
                fast.branches[name] = compiled
    return fast


class CompiledImageBranch(ImageBranch):
    """An image branch as an ONNX graph, one thread a call."""

    def __init__(self, branch: ImageBranch, canvas: tuple[int, int]) -> None:
        """canvas: height and width of the pictures. Raises whatever exporter and runtime raise."""
        nn.Module.__init__(self)  # the graph holds the weights
        self.out_features = branch.out_features
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(_graph(branch, canvas), options, providers=["CPUExecutionProvider"])

    def look(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        features, looks = self._session.run(None, {"pictures": pictures.numpy()})
        return torch.from_numpy(features), torch.from_numpy(looks)


class _Looking(nn.Module):
    """What is exported: both outputs of `look`."""

    def __init__(self, branch: ImageBranch) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        return self.branch.look(pictures)


def _graph(branch: ImageBranch, canvas: tuple[int, int]) -> bytes:
    """The serialised graph, from the cache where these weights were exported before."""
    digest = hashlib.sha256(f"{torch.__version__} {onnxruntime.__version__} {canvas}\n{branch}".encode())
    for name, tensor in branch.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.numpy().tobytes())
    cache = PictureCache(cache_folder() / "graphs", CACHE_BYTES)
    stored = cache.get(digest.hexdigest())
    if stored is not None:
        return stored[0][_GRAPH].tobytes()
    graph = _exported(branch, canvas)
    cache.put(digest.hexdigest(), {_GRAPH: np.frombuffer(graph, np.uint8)}, {})
    cache.shrink()
    return graph


@torch.no_grad()
def _exported(branch: ImageBranch, canvas: tuple[int, int]) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own, about itself
        program = torch.onnx.export(
            _Looking(branch),
            (torch.rand(2, 1, *canvas),),
            input_names=["pictures"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("the exporter gave no graph")
    return program.model_proto.SerializeToString()


@torch.inference_mode()
def _agree(original: ImageBranch, compiled: ImageBranch, canvas: tuple[int, int]) -> bool:
    """Whether both give the same numbers, for a batch of another size than the exported one."""
    pictures = torch.rand(3, 1, *canvas, generator=torch.Generator().manual_seed(0))
    pairs = zip(original.look(pictures), compiled.look(pictures), strict=True)
    return all(torch.allclose(expected, found, rtol=1e-3, atol=1e-4) for expected, found in pairs)
