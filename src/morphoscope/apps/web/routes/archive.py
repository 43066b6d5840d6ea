"""The archive: search, what a search has in common, and lists of pictures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from morphoscope import archive as archives
from morphoscope.apps.web.answers.archive import EmbeddingMap, Facets, Found, Hits
from morphoscope.apps.web.archived import hit, hits_of, map_of
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.routes.keys import PATTERN
from morphoscope.apps.web.services import ServicesOf

router = APIRouter(prefix="/api/archive", tags=["archive"], dependencies=[Depends(Needs("viewer"))])

Search = Annotated[str, Query(max_length=2000, description="words, fields and classes, as in `morphoscope search`")]
Like = Annotated[str | None, Query(pattern=PATTERN, description="the picture whose like is sought")]


class Keys(BaseModel):
    keys: list[Annotated[str, Field(max_length=40)]] = Field(max_length=500)


@router.get("/search")
def search(
    services: ServicesOf,
    q: Search = "",
    like: Like = None,
    sort: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=0, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=100_000_000)] = 0,
) -> Found:
    """Pictures that a query finds, a page of them."""
    archive = services.needed_archive
    features = services.eyes.features(archive, like) if like else None
    found = archives.search(archive, q, features=features, sort=sort, limit=limit, offset=offset, is_exact=True)
    return Found(total=found.total, seconds=found.seconds, hits=[hit(one) for one in found.hits])


@router.post("/hits")
def hits(services: ServicesOf, asked: Keys) -> Hits:
    """The pictures of these keys, in their order; those that the archive doesn't have are left out."""
    return Hits(hits=hits_of(services.needed_archive, asked.keys))


@router.get("/facets")
def facets(services: ServicesOf, q: Search = "") -> Facets:
    """Counts of classes, makers and folders, and ranges of sizes, of all pictures that a query finds."""
    found = archives.facets(services.needed_archive, q)
    return Facets(
        tasks=found.tasks,
        ranges={name: found.ranges.get(name) for name in ("pixel_size_nm", "diameter_nm")} | found.ranges,
        makers=found.makers,
        folders=found.folders,
        total=found.total,
    )


@router.get("/map")
def embedding_map(services: ServicesOf, q: Search = "", task: Annotated[str, Query(max_length=200)] = "") -> EmbeddingMap:
    """A point a picture: what looks alike lies side by side. Drawn once and kept, which takes seconds the first time."""
    return map_of(services.needed_archive, q, task)
