"""A folder of pictures and masks, read with a word on what was left out and what the masks mean."""

from __future__ import annotations

from morphoscope.apps.verbs.arguments import Say
from morphoscope.apps.verbs.progress import bar
from morphoscope.data.masks import MaskedFolder, MaskRequest, read_masked_folder, without_objects

SAID = 8
_MEANING = {
    "instance": "a number is an object",
    "binary": "each connected piece is an object",
    "multi-class": "each connected piece of each class is an object; the classes themselves are not learned",
}


def read_masked(request: MaskRequest, say: Say) -> MaskedFolder:
    """Raises MorphoscopeError where nothing can be learned from."""
    with bar("Reading pictures and masks", None) as progress:
        folder = read_masked_folder(request, lambda done, total: progress(done))
    for sentence in folder.left_out[:SAID]:
        say(f"Left out: {sentence}")
    if len(folder.left_out) > SAID:
        say(f"Left out: {len(folder.left_out) - SAID} more pictures without a fitting mask.")
    say(f"Masks: {len(folder.pictures)} of kind {folder.kind} ({_MEANING[folder.kind]}), {folder.n_objects} objects.")
    if empty := without_objects(folder.pictures):
        say(f"Note: {empty} masks are empty; their pictures count as pictures without objects.")
    return folder
