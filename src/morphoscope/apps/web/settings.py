"""What a server is started with."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from morphoscope.apps.web.answers.server import Role
from morphoscope.errors import MorphoscopeError, did_you_mean

ROLES: tuple[Role, ...] = get_args(Role)
FEWEST_CHARACTERS = 16
"""Of a token: 16 random letters and digits are beyond guessing."""


@dataclass(frozen=True)
class Token:
    """A word that opens the server to someone. name: who it was given to."""

    secret: str = field(repr=False)
    name: str
    role: Role

    def __post_init__(self) -> None:
        if len(self.secret) < FEWEST_CHARACTERS or not self.secret.isascii() or not self.secret.isprintable():
            raise MorphoscopeError(
                f"The token of '{self.name}' has {len(self.secret)} characters; expected at least {FEWEST_CHARACTERS} printable "
                'ASCII ones. Make one with: python -c "import secrets; print(secrets.token_urlsafe(24))"'
            )


@dataclass(frozen=True)
class Limits:
    """upload_bytes: of one request. store_bytes: of all uploads that are kept. decode_*: of the process that reads files.

    classifying, waiting: requests that are worked on and that may wait; further ones are told 503.
    per_second, burst: requests of one client; pictures_*: thumbnails and tiles, which a page asks for by the hundred; costly_*:
    uploads, predictions and jobs.
    """

    upload_bytes: int = 512 * 2**20
    json_bytes: int = 2**20
    store_bytes: int = 4 * 2**30
    tile_bytes: int = 4 * 2**30
    max_pixels: int = 300_000_000
    decoders: int = 2
    decode_seconds: float = 60.0
    decode_bytes: int = 4 * 2**30
    analyse_seconds: float = 300.0
    analyse_bytes: int = 8 * 2**30
    classifying: int = 4
    waiting: int = 16
    wait_seconds: float = 30.0
    per_second: float = 100.0
    burst: int = 1000
    pictures_per_second: float = 1500.0
    pictures_burst: int = 6000
    costly_per_second: float = 10.0
    costly_burst: int = 200


@dataclass(frozen=True)
class Settings:
    """data: folders that jobs may read and that may be watched. runs: folder that holds jobs and pinned frames; None: a
    temporary one. rtsp: whether a person may have the server connect to network streams."""

    model: Path | None = None
    archive: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8765
    tokens: tuple[Token, ...] = ()
    data: tuple[Path, ...] = ()
    runs: Path | None = None
    rtsp: bool = False
    limits: Limits = Limits()


def read_tokens(path: Path) -> tuple[Token, ...]:
    """The tokens of a TOML file (`[[tokens]]` with token, name, role) or a JSON one (a list of such objects, bare or under
    `tokens`). Raises MorphoscopeError."""
    try:
        text = path.read_text(encoding="utf-8")
        document: Any = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MorphoscopeError(
            f"--tokens {path}: can't be read ({reason}); expected a TOML file with [[tokens]] entries, or a .json list. "
            'An entry is: token = "…", name = "Ada", role = "annotator".'
        ) from error
    entries = document.get("tokens") if isinstance(document, dict) else document
    if not isinstance(entries, list) or not entries:
        raise MorphoscopeError(
            f"--tokens {path}: no token in it; expected [[tokens]] entries with token, name and role. Add one."
        )
    tokens = tuple(_token(path, number, entry) for number, entry in enumerate(entries, start=1))
    if len({token.secret for token in tokens}) < len(tokens):
        raise MorphoscopeError(f"--tokens {path}: one token stands there twice; expected one for each person. Change one.")
    return tokens


def _token(path: Path, number: int, entry: Any) -> Token:
    where = f"--tokens {path} entry {number}"
    if not isinstance(entry, dict) or not all(isinstance(entry.get(name), str) for name in ("token", "name", "role")):
        raise MorphoscopeError(
            f"{where}: found {sorted(entry) if isinstance(entry, dict) else type(entry).__name__}; expected the "
            "texts token, name and role. Complete it."
        )
    if entry["role"] not in ROLES:
        raise MorphoscopeError(
            f"{where}: role is '{entry['role']}'; expected one of {', '.join(ROLES)}.{did_you_mean(entry['role'], ROLES)}"
        )
    return Token(entry["token"], entry["name"], entry["role"])


def check_reach(settings: Settings) -> None:
    """Raises MorphoscopeError where other machines could reach the server and anyone there would be let in."""
    if not settings.tokens and not is_loopback(settings.host):
        raise MorphoscopeError(
            f"--host {settings.host}: other machines could reach the server, and no token is set; expected --token or --tokens "
            "beside it. Add --tokens FILE, or leave --host out."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server on that host."""
    import ipaddress

    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
