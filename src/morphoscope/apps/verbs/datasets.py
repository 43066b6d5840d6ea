"""Data sets: which public ones there are, and one of them into a folder that `train` and `pretrain` take."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from morphoscope.apps.verbs.arguments import PathLike, Say, command_line, silent
from morphoscope.apps.verbs.output import claim_folder, writing
from morphoscope.apps.verbs.progress import bar, byte_bar
from morphoscope.data.public import DATA_SETS
from morphoscope.data.public.data_set import DataSet, RemoteFile
from morphoscope.data.public.fetch import UNFINISHED, Job, chosen_files, fetch_files, finish
from morphoscope.data.public.manifest import (
    CONTENTS,
    MANIFEST,
    VERIFIED,
    Manifest,
    missing_contents,
    new_manifest,
    read_manifest,
    write_manifest,
)
from morphoscope.data.public.sheets import CATALOGUE, GROUP, PUBLISHED_TEST, PUBLISHED_TRAIN
from morphoscope.data.public.web import Web
from morphoscope.errors import DownloadError, OutputError

OWN_RESULTS = (CATALOGUE, PUBLISHED_TRAIN, PUBLISHED_TEST, CONTENTS, MANIFEST, "images", "instance_maps", "source", UNFINISHED)


@dataclass(frozen=True)
class FetchedDataSet:
    """What a fetch left. catalogue: the sheet for `train --labels`. manifest: as in manifest.json."""

    folder: Path
    catalogue: Path
    manifest: Manifest


def datasets() -> list[DataSet]:
    """The public data sets that `fetch` knows, built-in ones and those of other packages.

    print([data_set.name for data_set in morphoscope.datasets()])
    """
    return [DATA_SETS.load(name) for name in DATA_SETS.names()]


def fetch(
    name: str,
    to: PathLike,
    *,
    parts: Sequence[str] = (),
    accept_licence: bool | Callable[[], bool] = False,
    dry_run: bool = False,
    mirror: str = "",
    keep_archives: bool = False,
    accept_changes: bool = False,
    overwrite: bool = False,
    say: Say = silent,
    web: Web | None = None,
) -> FetchedDataSet | None:
    """Downloads a public data set into the folder `to`, verifies, unpacks, counts and catalogues it.

        morphoscope.fetch("nffa", "nffa", accept_licence=True)
        morphoscope.train("nffa/images", labels="nffa/catalogue.csv", group="group")

    The options are those of `morphoscope datasets fetch`. accept_licence: or who is asked, once the licence was said. web: how
    servers are asked. What was interrupted goes on where it stopped. Returns None from a dry run. Raises MorphoscopeError whose
    text is meant to be shown.
    """
    data_set: DataSet = DATA_SETS.load(name)
    if data_set.by_hand:
        raise DownloadError(
            f"{data_set.title} can't be fetched by a program: {data_set.by_hand}. Its page: {data_set.page} ({data_set.licence})."
        )
    web = web or Web(mirror)
    try:
        for line in _introduced(data_set, web):
            say(line)
        folder = Path(to)
        if dry_run:
            _say_files(chosen_files(data_set, web, parts), say)
            return None
        earlier = None if overwrite else _earlier(data_set, folder)
        if earlier and _is_there(earlier, parts):
            _refuse_damaged(folder)
            say(f"{folder} holds it already, complete: {_summary(earlier)}. --overwrite fetches it again.")
            return FetchedDataSet(folder, folder / CATALOGUE, earlier)
        _require_accepted(data_set, accept_licence)
        _claim(folder, overwrite)
        manifest = earlier or new_manifest(data_set)
        write_manifest(folder, manifest)
        job = Job(data_set, folder, manifest, say, bar, byte_bar, keep_archives, accept_changes)
        with writing(folder, "Make room there: the same command goes on where it stopped."):
            fetch_files(job, web, chosen_files(data_set, web, parts))
            finish(job)
    finally:
        web.close()
    say(f"{_summary(manifest)}: {folder / CATALOGUE}")
    say(_next_step(data_set, folder))
    return FetchedDataSet(folder, folder / CATALOGUE, manifest)


def _introduced(data_set: DataSet, web: Web) -> Iterator[str]:
    licence = data_set.licence
    if data_set.ask_licence:
        licence = data_set.ask_licence(web) or f"not told by the record; read {data_set.page}"
    size = f", {data_set.size / 1e9:.1f} GB" if data_set.size else ""
    images = f": {data_set.n_images:,} images" if data_set.n_images else ""
    yield f"{data_set.title}{images}{size}"
    yield f"  licence: {licence}"
    yield f"  cite: {data_set.citation}"
    yield f"  page: {data_set.page}"


def _say_files(files: Sequence[RemoteFile], say: Say) -> None:
    for file in files:
        size = f"{file.size:,} bytes" if file.size else "size not told"
        say(f"  {file.name}: {size}, {VERIFIED[file.told_by]}; {file.url}")


def _earlier(data_set: DataSet, folder: Path) -> Manifest | None:
    """What an earlier fetch into the folder left. Raises OutputError where that was another data set."""
    there = read_manifest(folder)
    if there and there.data_set != data_set.name:
        raise OutputError(
            f"--to {folder}: it holds {there.title}; expected an empty folder or {data_set.title}. Choose another --to."
        )
    return there


def _claim(folder: Path, overwrite: bool) -> None:
    """Makes the folder, without what an earlier fetch left where that is to be replaced. Raises OutputError where it can't be
    written or holds something else under the names that are needed."""
    is_ours = (folder / MANIFEST).is_file()
    claim_folder(folder, (), may_replace=True, option="--to")
    others = [name for name in OWN_RESULTS if not is_ours and (folder / name).exists()]
    if others:
        raise OutputError(
            f"--to {folder}: it holds {', '.join(others)}, which no fetch wrote; expected an empty folder. Choose another --to."
        )
    if overwrite:
        for name in OWN_RESULTS:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _is_there(manifest: Manifest, parts: Sequence[str]) -> bool:
    """Whether nothing of what is asked for is missing."""
    if not manifest.is_complete:
        return False
    return set(parts) <= set(manifest.parts) if parts else manifest.is_whole


def _refuse_damaged(folder: Path) -> None:
    gone = missing_contents(folder)
    if gone:
        raise DownloadError(
            f"{folder}: {len(gone):,} of its files are gone or changed, {gone[0]} among them; expected them as fetched "
            f"({CONTENTS}). Add --overwrite to fetch them again."
        )


def _require_accepted(data_set: DataSet, accept_licence: bool | Callable[[], bool]) -> None:
    if not (accept_licence() if callable(accept_licence) else accept_licence):
        raise DownloadError(
            f"{data_set.title}: its licence was not accepted; expected --accept-licence. Read the lines above, then add it."
        )


def _summary(manifest: Manifest) -> str:
    found = manifest.catalogue
    counts = ", ".join(f"{name} {count:,}" for name, count in found["counts"].items())
    return f"{found['images']:,} images in {found['groups']:,} groups" + (f" ({counts})" if counts else "")


def _next_step(data_set: DataSet, folder: Path) -> str:
    if data_set.is_labelled:
        words = command_line("train", folder / "images", "--labels", folder / CATALOGUE, "--group", GROUP, "--out", "run")
    else:
        words = command_line("pretrain", folder / "images", "--out", "encoder")
    return f"Next: {words}"
