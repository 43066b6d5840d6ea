"""Branches of the network: one file a modality, each with an encoder (numbers for one picture) and a torch module.

To add one: a module with an encoder class and an `nn.Module`, and one line in `BRANCHES`.
"""

from __future__ import annotations

from morphoscope.registry import Registry

BRANCHES = Registry(
    "branch",
    {
        "image": "morphoscope.models.branches.image:ImageBranch",
        "texture": "morphoscope.models.branches.texture:TextureBranch",
        "shape": "morphoscope.models.branches.shape:ShapeBranch",
        "metadata": "morphoscope.models.branches.metadata:MetadataBranch",
        "autoencoder": "morphoscope.models.branches.autoencoder:AutoencoderBranch",
    },
)


def kind_of(branch: str) -> str:
    """The registered name behind a branch's own: `picture` of `picture:BSE`, of which a network may have several."""
    return branch.partition(":")[0]
