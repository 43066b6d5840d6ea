"""What the archive knows, as the API tells it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from morphoscope import archive as archives
from morphoscope.apps.web.answers.archive import EmbeddingMap
from morphoscope.apps.web.answers.pictures import Annotation, BestClass, Hit, Prediction
from morphoscope.apps.web.classifying import Classifier, table_row, task_answers
from morphoscope.apps.web.sources import Source
from morphoscope.archive import Archive
from morphoscope.archive.current_columns import columns
from morphoscope.archive.search import hits
from morphoscope.archive.thumbnails import SIDE_PX
from morphoscope.reporting.predictions_table import prediction_rows


def hit(found: archives.Hit) -> Hit:
    """A picture that a search found."""
    return Hit(
        key=f"a{found.id}",
        name=_text(found.name),
        path=_text(str(found.path)),
        score=found.score,
        width=found.width,
        height=found.height,
        pixel_size_nm=found.pixel_size_nm,
        classes={task: BestClass(best=guess.best, confidence=guess.confidence) for task, guess in found.classes.items()},
        objects=found.n_objects,
        median_diameter_nm=found.diameter_nm,
        missing=found.state == "missing",
    )


def hits_of(archive: Archive, keys: Sequence[str]) -> list[Hit]:
    """The pictures of these keys, in their order, without those that the archive doesn't have."""
    current = columns(archive)
    wanted = np.array([int(key[1:]) for key in keys if key[:1] == "a" and key[1:].isdecimal() and len(key) < 17], np.int64)
    ids = wanted[np.isin(wanted, current.ids)]
    return [hit(one) for one in hits(archive, current, ids)]


def map_of(archive: Archive, query: str, task: str) -> EmbeddingMap:
    """The place of every picture that a query finds, with its best guess of a task; of the first task where none is named."""
    selection = archives.select(archive, query)
    places, current = archives.embedding_map(archive), selection.columns
    is_asked = np.isin(places.ids, selection.ids)
    ids = places.ids[is_asked]
    answered = current.tasks.get(task) or (None if task else next(iter(current.tasks.values()), None))
    names: list[str | None] = [*answered.best.values, None] if answered else [None]
    codes = answered.best.codes[current.rows_of(ids)] if answered else np.full(len(ids), -1)
    return EmbeddingMap(
        keys=[f"a{number}" for number in ids.tolist()],
        x=places.x[is_asked].tolist(),
        y=places.y[is_asked].tolist(),
        class_=[names[code] for code in codes.tolist()],
    )


def archived_prediction(archive: Archive, source: Source, classifier: Classifier | None) -> Prediction | None:
    """The stored answers of the server's model, or of the one used last where the server has none; None where the file changed
    since, or the archive has none."""
    stored = source.stored
    micrograph = stored.micrograph if stored else None
    if stored is None or micrograph is None:
        return None
    models = [model for model in archives.known_models(archive) if model.schema.tasks]
    model = next((one for one in models if classifier is None or one.sha == classifier.sha), None)
    found = archives.prediction_of(archive, stored.id, model) if model else None
    if model is None or found is None or not found.is_current or stored.state == "changed":
        return None
    novelty = np.array([np.nan if found.novelty is None else found.novelty])
    (cells,) = prediction_rows([source.shown_path], found.answers, [micrograph.pixel_size], novelty)
    return Prediction(
        row=table_row(cells, model.schema),
        tasks=task_answers(found.answers, 0),
        novelty=found.novelty,
        is_final=True,
        seconds=0.0,
    )


def archived_thumbnail(archive: Archive, number: int, size: int) -> bytes | None:
    """The kept small copy, where it is large enough."""
    return archives.thumbnail_of(archive, number) if size <= SIDE_PX else None


def picture_annotations(archive: Archive, number: int) -> list[Annotation]:
    """What people said of a picture and did not take back, the first first."""
    return [
        Annotation(
            id=one.id,
            task=one.task,
            label=one.class_name,
            annotator=one.annotator,
            time=one.made_at,
            is_adjudication=one.kind == "adjudication",
        )
        for one in archives.answer_history(archive, number)
        if not one.is_undone and one.kind != "undo"
    ]


def _text(name: str) -> str:
    return name.encode(errors="backslashreplace").decode()
