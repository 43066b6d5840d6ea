"""The scale of a picture: where it comes from, and a person's word on it."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends

from morphoscope.apps.web.answers.pictures import XY, Bar, DrawnBar, EvidenceItem, Scale, Strip
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.person_scale import keep_scale, scale_words
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.routes.keys import Key
from morphoscope.apps.web.services import Services, ServicesOf
from morphoscope.apps.web.settings import Token
from morphoscope.calibration.resolve import conflicts
from morphoscope.units import NM_PER_UNIT, length_unit, to_nm

router = APIRouter(prefix="/api/pictures/{key}/scale", tags=["pictures"])

_LEAST_PX = 2.0
_PIXEL_NM = 1e-6, 1e9


@router.get("", dependencies=[Depends(Needs("viewer"))])
def scale(services: ServicesOf, key: Key) -> Scale:
    """Every source's word on the pixel size; the picture's own scale bar is read too, which may take a second."""
    with services.classifying.slot():
        return _scale(services, key)


@router.put("")
def set_scale(services: ServicesOf, key: Key, drawn: DrawnBar, who: Annotated[Token, Depends(Needs("annotator"))]) -> Scale:
    """A person's word wins over all others: the two ends of the drawn bar and its length, or the pixel size in nm. Without
    either it is taken back. The archive keeps it with its author and its time, and indexing again leaves it; of a picture that
    isn't archived the server keeps it until it stops. What was measured is measured anew when it is asked for."""
    pixel_nm = _pixel_nm(drawn)
    with services.classifying.slot():
        keep_scale(services, key, pixel_nm, who.name if services.access.tokens else drawn.annotator)
        return _scale(services, key)


def _pixel_nm(drawn: DrawnBar) -> float | None:
    if drawn.pixel_size_nm is not None:
        found = drawn.pixel_size_nm
    elif drawn.x0 is None and drawn.x1 is None and drawn.value is None:
        return None
    elif drawn.x0 is None or drawn.x1 is None or drawn.value is None:
        raise RefusalError(
            422, "The bar is incomplete; expected x0, x1 and value together, or pixel_size_nm alone. Add the rest."
        )
    else:
        if length_unit(drawn.unit) is None:
            raise RefusalError(422, f"'{drawn.unit[:20]}' is no unit of length; expected one of {', '.join(NM_PER_UNIT)}.")
        length_px = abs(drawn.x1 - drawn.x0)
        if not length_px >= _LEAST_PX:
            raise RefusalError(422, f"The bar is {length_px:g} px long; expected its two ends apart. Click them again.")
        found = to_nm(drawn.value, drawn.unit) / length_px
    if not (math.isfinite(found) and _PIXEL_NM[0] <= found <= _PIXEL_NM[1]):
        raise RefusalError(
            422, f"A pixel would be {found:g} nm; expected a positive length that a microscope gives. Check the unit."
        )
    return found


def _scale(services: Services, key: str) -> Scale:
    micrograph, words = services.desk.look(key, reading="always").micrograph, scale_words(services, key)
    size = micrograph.pixel_size
    is_archived = services.desk.source(key).stored is not None
    return Scale(
        pixel_size_nm=XY(x=size.x_nm, y=size.y_nm) if size else None,
        origin=size.origin if size else None,
        evidence=[EvidenceItem(**asdict(one)) for one in size.evidence] if size else [],
        conflicts=conflicts(size),
        scale_bar=Bar(**asdict(micrograph.scale_bar)) if micrograph.scale_bar else None,
        information_bar=Strip(**asdict(micrograph.information_bar)) if micrograph.information_bar else None,
        set_by=words[-1] if words and words[-1].pixel_size_nm is not None else None,
        history=words,
        kept="archive" if is_archived else "session",
    )
