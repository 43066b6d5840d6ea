"""Branches of the network: one file a modality, each with an encoder (numbers for one picture) and a torch module.

To add one that reads a file of its own (a channel): a module with a `ChannelEncoder` and a `ChannelBranch`, and one line in
`BRANCHES`. Sheet columns, bundle, training, prediction and ablation follow from that.
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
        "spectrum": "morphoscope.models.branches.spectrum:SpectrumBranch",
        "diffraction": "morphoscope.models.branches.diffraction:DiffractionBranch",
        "picture": "morphoscope.models.branches.picture:PictureBranch",
    },
)

OF_THE_PICTURE = ("image", "texture", "shape", "autoencoder")
"""Branches that look at the picture itself."""


def channel_kinds() -> tuple[str, ...]:
    """Branches that read a file of their own, named by a column of a sheet."""
    return tuple(name for name in BRANCHES.names() if name not in (*OF_THE_PICTURE, "metadata"))


def is_channel(branch: str) -> bool:
    """Whether a branch reads a file of its own."""
    return kind_of(branch) in channel_kinds()


def kind_of(branch: str) -> str:
    """The registered name behind a branch's own: `picture` of `picture:BSE`, of which a network may have several."""
    return branch.partition(":")[0]
