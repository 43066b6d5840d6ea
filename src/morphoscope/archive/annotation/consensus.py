"""What people say of a picture together: the adjudication, else what most of them answered; a tie says nothing.

Of a multi-label task each class is a question of its own, and most of those who answered must name it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from morphoscope.archive.annotation.answers import adjudications, current_answers
from morphoscope.archive.annotation.tasks import LabelTask, label_task
from morphoscope.archive.store import Archive
from morphoscope.schema import CLASS_SEPARATOR


@dataclass(frozen=True)
class Consensus:
    """class_name: None where there is a tie or everyone is unsure; several of a multi-label task are joined (`A|B`). votes:
    annotator to class, None for unsure.

    is_adjudicated: settled by a third word. is_outdated: an answer's class was split since, so it must be asked again.
    """

    picture: int
    class_name: str | None
    votes: dict[str, str | None] = field(default_factory=dict)
    is_adjudicated: bool = False
    is_outdated: bool = False

    @property
    def is_disputed(self) -> bool:
        """Whether annotators named different classes, or sets of them, and nobody settled it."""
        return not self.is_adjudicated and len({vote for vote in self.votes.values() if vote is not None}) > 1


def consensus(archive: Archive, task: str) -> dict[int, Consensus]:
    """By picture, for every picture that anyone answered."""
    asked = label_task(archive, task)
    settled = {number: answer for number, answer in adjudications(archive, task).items() if not answer.is_outdated}
    votes: dict[int, dict[str, str | None]] = defaultdict(dict)
    outdated = set()
    for answer in current_answers(archive, task):
        if answer.is_outdated:
            outdated.add(answer.picture)
        else:
            votes[answer.picture][answer.annotator] = answer.class_name
    found = {}
    for picture in sorted({*votes, *settled, *outdated}):
        cast = votes.get(picture, {})
        name = settled[picture].class_name if picture in settled else _agreed(asked, list(cast.values()))
        found[picture] = Consensus(picture, name, cast, picture in settled, picture in outdated and picture not in settled)
    return found


def disagreements(archive: Archive, task: str) -> list[Consensus]:
    """The disputed pictures, those with the most votes first."""
    return sorted(
        (one for one in consensus(archive, task).values() if one.is_disputed), key=lambda one: (-len(one.votes), one.picture)
    )


def _agreed(task: LabelTask, votes: list[str | None]) -> str | None:
    if not task.is_multilabel:
        return _majority(votes)
    sets = [set(vote.split(CLASS_SEPARATOR)) for vote in votes if vote is not None]
    shares = {one.name: sum(one.name in named for named in sets) / max(len(sets), 1) for one in task.open_classes}
    return None if 0.5 in shares.values() else task.joined(name for name, share in shares.items() if share > 0.5) or None


def _majority(votes: list[str | None]) -> str | None:
    """The class that more annotators named than any other."""
    ranked = Counter(vote for vote in votes if vote is not None).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]
