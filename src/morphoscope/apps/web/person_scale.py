"""A person's word on a picture's scale: in the archive where the picture is archived, else with the server until it stops."""

from __future__ import annotations

from morphoscope import archive as archives
from morphoscope.apps.web.answers.pictures import SetScale
from morphoscope.apps.web.classifying import Look
from morphoscope.apps.web.desk import Found
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.services import Services
from morphoscope.archive import ScaleWord
from morphoscope.archive.predictions import record_embeddings, record_predictions
from morphoscope.archive.scales import PIXEL_SIZE, with_scale
from morphoscope.archive.store import now
from morphoscope.data.cache import content_hash

SEGMENTER = "the segmenter that comes with Morphoscope"


def keep_scale(services: Services, key: str, pixel_nm: float | None, who: str) -> None:
    """Keeps a person's word, None to take it back; an archived picture's answers are made anew with it."""
    source = services.desk.source(key)
    archive, stored = services.archive, source.stored
    if archive is None or stored is None:
        services.desk.tell(key, ScaleWord(pixel_nm, who, now()))
        return
    if content_hash(source.path) != stored.hash:
        raise RefusalError(
            409,
            f"{source.shown_path} changed since it was indexed; expected the picture that is shown. Index it again, then set "
            "the scale.",
        )
    row = with_scale(stored.sheet, {} if pixel_nm is None else {PIXEL_SIZE: repr(pixel_nm)})
    look = services.desk.look(key, reading="always", user=row)
    with archive.writing():
        archives.set_scale(archive, stored.id, pixel_nm, who, look.micrograph.pixel_size)
        _answer_anew(services, stored.id, look)


def scale_words(services: Services, key: str) -> list[SetScale]:
    """What people said of a picture's scale, the first first."""
    source = services.desk.source(key)
    if services.archive is not None and source.stored is not None:
        words = archives.scale_history(services.archive, source.stored.id)
    else:
        words = [word] if (word := services.desk.word(key)) else []
    return [SetScale(pixel_size_nm=one.pixel_size_nm, annotator=one.annotator, time=one.made_at) for one in words]


def keep_measurement(services: Services, key: str, found: Found) -> None:
    """Into the archive, where a person's word on the scale made what was measured before void."""
    archive, stored = services.archive, services.desk.source(key).stored
    if archive is None or stored is None or not archives.scale_history(archive, stored.id):
        return
    if services.desk.known_objects(key) is not found:  # another scale was set meanwhile
        return
    if archives.measurement_of(archive, stored.id) is None:
        archives.record_measurement(archive, stored.id, found.summary, found.diameters_nm, SEGMENTER)


def _answer_anew(services: Services, number: int, look: Look) -> None:
    """By the server's model, where it is one of the archive's."""
    classifier, archive = services.classifier, services.needed_archive
    if classifier is None or look.working is None:
        return
    model = next((one for one in archives.known_models(archive) if one.sha == classifier.sha), None)
    if model is not None:
        found = classifier.predict([look])
        record_predictions(archive, model.id, [number], found.predictions, found.novelty)
        record_embeddings(archive, model.id, [number], found.appearance)
