"""What a label sheet asks: tasks, their classes in a fixed order, and a hash that tells two schemas apart."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

CLASS_SEPARATOR = "|"
PARENT_SEPARATOR = "/"


@dataclass(frozen=True)
class Task:
    """One question with its classes in order. Multi-label: several classes can hold at once (`Particles|Nanowires` in a cell)."""

    name: str
    classes: tuple[str, ...]
    is_multilabel: bool = False

    def parent(self, class_name: str) -> str:
        """The class one level up (`Fibres` for `Fibres/Polymer`); a class without a parent is its own."""
        return class_name.split(PARENT_SEPARATOR)[0]

    @property
    def parents(self) -> tuple[str, ...]:
        """The distinct upper-level classes in order."""
        return tuple(dict.fromkeys(self.parent(name) for name in self.classes))

    @property
    def has_parents(self) -> bool:
        return any(PARENT_SEPARATOR in name for name in self.classes)


@dataclass(frozen=True)
class Schema:
    """All tasks of a model, in the order of the sheet."""

    tasks: tuple[Task, ...]
    version: int = 1

    def task(self, name: str) -> Task:
        """The task of that name. Raises KeyError."""
        return {task.name: task for task in self.tasks}[name]

    @property
    def hash(self) -> str:
        """Twelve hex digits that change with any name, class or order."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"version": self.version, "tasks": [asdict(task) for task in self.tasks]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Schema:
        """The schema that `to_dict` wrote."""
        tasks = tuple(Task(t["name"], tuple(t["classes"]), bool(t["is_multilabel"])) for t in data["tasks"])
        return cls(tasks, data["version"])
