"""Branches, fusion and heads in one network.

Every branch gives features; an absent one gives its learned stand-in. Features are concatenated, and each task has one
linear head. So a branch can be masked at any time, and what the others know alone can be asked of the same network. In the end
an answer is a mixture of the fused one and of what each branch says alone, weighed a task by pictures held back from training.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from morphoscope.models.branches import BRANCHES, kind_of
from morphoscope.models.branches.image import ImageBranch
from morphoscope.schema import Schema


@dataclass(frozen=True)
class NetworkSpec:
    """All that rebuilds the network: a branch name with its arguments each, the tasks, and the dropout before the heads."""

    branches: dict[str, dict[str, Any]]
    schema: Schema
    dropout: float = 0.2

    def to_dict(self) -> dict[str, Any]:
        return {"branches": self.branches, "schema": self.schema.to_dict(), "dropout": self.dropout}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> NetworkSpec:
        return cls(data["branches"], Schema.from_dict(data["schema"]), data["dropout"])


@dataclass
class Batch:
    """Inputs of B pictures a branch, and which rows of each are absent (none, unless said)."""

    inputs: dict[str, Tensor]
    absent: dict[str, Tensor] = field(default_factory=dict)

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        moved = ({name: tensor.to(device) for name, tensor in tensors.items()} for tensors in (self.inputs, self.absent))
        return Batch(*moved)


def reads(name: str, branch: nn.Module) -> str:
    """The input that a branch takes: its own, unless it says that it takes another's."""
    return str(getattr(branch, "reads", name))


class MultimodalNetwork(nn.Module):
    """Logits a task from the branches of a spec."""

    mixture: Tensor

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        self.branches = nn.ModuleDict({name: BRANCHES.load(kind_of(name))(**args) for name, args in spec.branches.items()})
        widths = {name: int(branch.out_features) for name, branch in self.branches.items()}  # type: ignore[arg-type]
        self.stand_ins = nn.ParameterDict({name: nn.Parameter(torch.zeros(width)) for name, width in widths.items()})
        self.dropout = nn.Dropout(spec.dropout)
        self.heads = nn.ModuleList([nn.Linear(sum(widths.values()), len(task.classes)) for task in spec.schema.tasks])
        image = dict(self.branches.items()).get("image")
        auxiliary = int(getattr(image, "auxiliary_features", 0))
        self.auxiliary_heads = nn.ModuleList([nn.Linear(auxiliary, len(task.classes)) for task in spec.schema.tasks if auxiliary])
        """A task each, on the features of the image branch's auxiliary classifier; none where there is no such."""
        self.register_buffer("mixture", torch.eye(1 + len(widths))[:1].repeat(len(spec.schema.tasks), 1))
        """(T, 1 + branches) weights of the fused answer and of each branch's own; the fused one alone, until they are fitted."""

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """(B, F) features a branch; rows that are absent carry the branch's stand-in."""
        return self.look(batch)[0]

    def look(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        """The features, and (B, A) how the pictures look: what novelty is measured in. Without an image branch, the features."""
        found, looks = {}, []
        for name, branch in self.branches.items():
            if isinstance(branch, ImageBranch):
                features, look = branch.look(batch.inputs[name])
                looks.append(look.float())
            else:
                features = self._where_present(name, branch, batch)
            found[name] = self._with_stand_in(name, features, batch)
        return found, torch.cat(looks or list(found.values()), 1)

    def learn(self, batch: Batch) -> tuple[dict[str, Tensor], list[Tensor]]:
        """The features as in training, and the logits a task of the auxiliary classifiers, where the image branch has one."""
        found, auxiliary = {}, []
        for name, branch in self.branches.items():
            if isinstance(branch, ImageBranch):
                features, seen = branch.learn(batch.inputs[name])
                if seen is not None:
                    auxiliary = [head(seen.float()) for head in self.auxiliary_heads]
            else:
                features = self._where_present(name, branch, batch)
            found[name] = self._with_stand_in(name, features, batch)
        return found, auxiliary

    def _where_present(self, name: str, branch: nn.Module, batch: Batch) -> Tensor:
        """(B, F) of the rows that the branch has; it never sees the others, so these can't spoil what it normalises by."""
        inputs = batch.inputs[reads(name, branch)]
        if name not in batch.absent:
            return branch(inputs)
        features = self.stand_ins[name].float().expand(len(batch.absent[name]), -1)
        rows = (~batch.absent[name]).nonzero()[:, 0]
        return features.index_copy(0, rows, branch(inputs[rows]).float()) if len(rows) else features

    def _with_stand_in(self, name: str, features: Tensor, batch: Batch) -> Tensor:
        features = features.float()
        if name in batch.absent:
            return torch.where(batch.absent[name][:, None], self.stand_ins[name].float(), features)
        return features

    def logits(self, features: Mapping[str, Tensor], only: Collection[str] | None = None) -> list[Tensor]:
        """(B, C) logits a task, in the schema's order; with `only`, every other branch is masked by its stand-in."""
        fused = self.fused_logits(features, only)
        asked = [(index, name) for index, name in enumerate(features, start=1) if only is None or name in only]
        if self.training or len(asked) < 2:
            return fused
        mixed = [weights[0] * logits for weights, logits in zip(self.mixture, fused, strict=True)]
        for index, name in asked:
            alone = self.fused_logits(features, {name})
            mixed = [sofar + weights[index] * logits for sofar, weights, logits in zip(mixed, self.mixture, alone, strict=True)]
        return mixed

    def fused_logits(self, features: Mapping[str, Tensor], only: Collection[str] | None = None) -> list[Tensor]:
        """The same of the heads as they are, without the mixture."""
        parts = [
            part if only is None or name in only else self.stand_ins[name].float().expand(len(part), -1)
            for name, part in features.items()
        ]
        fused = self.dropout(torch.cat(parts, 1))
        return [head(fused) for head in self.heads]

    def forward(self, batch: Batch, only: Collection[str] | None = None) -> list[Tensor]:
        return self.logits(self.features(batch), only)
