"""What a search found as a file: a table, or a label sheet that `morphoscope train` takes."""

from __future__ import annotations

import io
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Depends, Query, Response

from morphoscope import archive as archives
from morphoscope.apps.web.guards.access import Needs
from morphoscope.apps.web.routes.archive import Search
from morphoscope.apps.web.services import ServicesOf
from morphoscope.archive.export import label_sheet, table

router = APIRouter(tags=["archive"], dependencies=[Depends(Needs("viewer"))])

_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {}, "application/vnd.apache.parquet": {}}, "description": "A table"}
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@router.get("/api/archive/export", response_class=Response, responses=_FILES)
def export(
    services: ServicesOf,
    q: Search = "",
    file_format: Annotated[Literal["csv", "parquet", "sheet"], Query(alias="format")] = "csv",
) -> Response:
    """csv, parquet: a row a picture. sheet: filename and classes of the pictures that people labelled."""
    archive = services.needed_archive
    found = archives.select(archive, q)
    if file_format == "parquet":
        buffer = io.BytesIO()
        table(archive, found).to_parquet(buffer, index=False)
        return _download(buffer.getvalue(), "pictures.parquet", "application/vnd.apache.parquet")
    if file_format == "sheet":
        return _csv(label_sheet(archive, found), "labels.csv")
    return _csv(table(archive, found), "pictures.csv")


@router.get("/api/annotation/sheet.csv", response_class=Response, responses=_FILES)
def sheet(services: ServicesOf) -> Response:
    """Everything that people labelled, as a sheet for `morphoscope train`."""
    archive = services.needed_archive
    return _csv(label_sheet(archive, archives.select(archive, "")), "labels.csv")


def _csv(rows: pd.DataFrame, name: str) -> Response:
    return _download(_without_formulas(rows).to_csv(index=False).encode(errors="backslashreplace"), name, "text/csv")


def _without_formulas(rows: pd.DataFrame) -> pd.DataFrame:
    """Texts that a spreadsheet program would run get a quote in front; a file's name may be anything."""

    def safe(cell: object) -> object:
        return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell

    texts = rows.select_dtypes(exclude="number").columns
    return rows.assign(**{name: rows[name].map(safe) for name in texts})


def _download(content: bytes, name: str, kind: str) -> Response:
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
