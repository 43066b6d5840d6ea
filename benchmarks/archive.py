"""How fast the archive answers and fills, what survives being killed, and what the obvious way would take in the same run.

    python benchmarks/archive.py --work runs                    # all but the million; writes ARCHIVE.md
    python benchmarks/archive.py --work runs queries million    # some of: queries million vectors rate killed crowd
    python benchmarks/archive.py --work runs --small            # everything in a few minutes, to see whether it works; no page

The obvious way: a pandas table, scikit-learn's NearestNeighbors (brute force, cosine) over the filtered rows, `str.contains`.
Each part leaves what it measured in `--work/measured`, and the page is written from all that lies there, so that parts can be run
one by one, and again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from importlib import import_module
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import psutil
from archive_page import page
from archive_timing import Found

PAGE = Path(__file__).parent / "ARCHIVE.md"
PARTS: dict[str, tuple[str, dict[str, int]]] = {
    "queries": ("archive_searches:queries_of", {"count": 100_000}),
    "million": ("archive_searches:queries_of", {"count": 1_000_000}),
    "vectors": ("archive_searches:vectors_of", {"count": 1_000_000}),
    "rate": ("archive_writing:rate", {}),
    "killed": ("archive_writing:killed", {}),
    "crowd": ("archive_crowd:crowd", {}),
}
"""Where a part is found and how large it is; its module is loaded when it runs, since processes that it starts load this one too."""
SMALL: dict[str, dict[str, int]] = {
    "queries": {"count": 2_000},
    "million": {"count": 12_000, "least_rows": 12_000},
    "vectors": {"count": 20_000},
    "killed": {"kills": 2},
    "crowd": {"each": 10},
}


def run(name: str, work: Path, *, is_small: bool) -> None:
    """One part, and its record."""
    (module, _, function), options = PARTS[name][0].partition(":"), PARTS[name][1]
    if is_small:
        options = options | SMALL.get(name, {})
    where = {"load": psutil.getloadavg()[0], "cores": os.cpu_count(), "machine": platform.machine()}
    found = getattr(import_module(module), function)(work, **options) | where
    record = work / "measured" / f"{name}.json"
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(name, json.dumps(found), flush=True)


def measured(work: Path) -> dict[str, Found]:
    """All that was ever measured there."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((work / "measured").glob("*.json"))}


def main() -> None:
    """Runs what was asked for, and after each part writes the page anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; expected some of {', '.join(PARTS)}")
    work = options.work / "small" if options.small else options.work
    work.mkdir(parents=True, exist_ok=True)
    for name in options.parts or [part for part in PARTS if options.small or part != "million"]:
        run(name, work, is_small=options.small)
        text = page(measured(work))
        (work / PAGE.name if options.small else PAGE).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
