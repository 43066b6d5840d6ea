"""Learning from unlabelled micrographs: one file a method, each its loss and what it puts between features and loss."""

from __future__ import annotations

from morphoscope.registry import Registry

METHODS = Registry(
    "self-supervised method",
    {
        "simclr": "morphoscope.training.selfsupervised.simclr:SimCLR",
        "barlow-twins": "morphoscope.training.selfsupervised.barlow_twins:BarlowTwins",
        "vicreg": "morphoscope.training.selfsupervised.vicreg:VICReg",
        "mae": "morphoscope.training.selfsupervised.mae:MaskedAutoencoder",
        "byol": "morphoscope.training.selfsupervised.byol:BYOL",
    },
)
