"""The key of a picture in an address."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

PATTERN = r"^(a[0-9]{1,15}|u[0-9a-f]{24})$"

Key = Annotated[str, Path(pattern=PATTERN, description="a<number> of the archive, or u<word> of an upload")]
