"""The archive: one SQLite file that knows where pictures lie, what they say, and what models and people say of them.

with Archive.open("lab.archive") as archive:
    found = search(archive, "Morphology=Rod confidence>0.9 gold")
"""

from __future__ import annotations

from morphoscope.archive.annotation.agreement import Agreement, agreement
from morphoscope.archive.annotation.answers import (
    Answer,
    adjudicate,
    adjudications,
    annotators,
    answer_history,
    current_answers,
    give_answer,
    undo_answer,
)
from morphoscope.archive.annotation.consensus import Consensus, consensus, disagreements
from morphoscope.archive.annotation.queues import queue
from morphoscope.archive.annotation.tasks import (
    LabelClass,
    LabelTask,
    add_class,
    add_task,
    add_tasks_of,
    allow_several,
    class_history,
    define_class,
    label_task,
    label_tasks,
    merge_classes,
    rename_class,
    split_class,
)
from morphoscope.archive.embedding_map import EmbeddingMap, embedding_map
from morphoscope.archive.facets import Facets, facets
from morphoscope.archive.files import FileState, check_files
from morphoscope.archive.measurements import StoredMeasurement, measurement_of, record_measurement
from morphoscope.archive.models import KnownModel, ModelIdentity, answering_model, known_models, looking_model, record_model
from morphoscope.archive.pictures import Entry, Picture, count_pictures, describe, picture, picture_at, record_pictures
from morphoscope.archive.predictions import (
    StoredPrediction,
    embedding_of,
    prediction_of,
    record_embeddings,
    record_predictions,
)
from morphoscope.archive.query import Query, parse
from morphoscope.archive.scales import ScaleWord, scale_history, set_scale
from morphoscope.archive.search import Found, Guess, Hit, search, select
from morphoscope.archive.store import Archive
from morphoscope.archive.thumbnails import thumbnail, thumbnail_of

__all__ = [
    "Agreement",
    "Answer",
    "Archive",
    "Consensus",
    "EmbeddingMap",
    "Entry",
    "Facets",
    "FileState",
    "Found",
    "Guess",
    "Hit",
    "KnownModel",
    "LabelClass",
    "LabelTask",
    "ModelIdentity",
    "Picture",
    "Query",
    "ScaleWord",
    "StoredMeasurement",
    "StoredPrediction",
    "add_class",
    "add_task",
    "add_tasks_of",
    "adjudicate",
    "adjudications",
    "agreement",
    "allow_several",
    "annotators",
    "answer_history",
    "answering_model",
    "check_files",
    "class_history",
    "consensus",
    "count_pictures",
    "current_answers",
    "define_class",
    "describe",
    "disagreements",
    "embedding_map",
    "embedding_of",
    "facets",
    "give_answer",
    "known_models",
    "label_task",
    "label_tasks",
    "looking_model",
    "measurement_of",
    "merge_classes",
    "parse",
    "picture",
    "picture_at",
    "prediction_of",
    "queue",
    "record_embeddings",
    "record_measurement",
    "record_model",
    "record_pictures",
    "record_predictions",
    "rename_class",
    "scale_history",
    "search",
    "select",
    "set_scale",
    "split_class",
    "thumbnail",
    "thumbnail_of",
    "undo_answer",
]
