"""ARCHIVE.md from what benchmark archive.py measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Found = dict[str, Any]
HEAD = """# Archive

Written by `benchmarks/archive.py`. Entries are features of rendered micrographs that the shipped encoder gave (1,024 a picture) and
mixtures of them, with four tasks, metadata, sizes and names; the obvious way is a pandas table, scikit-learn's `NearestNeighbors`
(brute force, cosine, float32 in memory) over the filtered rows, and `str.contains`, in the same run. Fifty hits a search, with all that
a list shows of them. p95 is of the clock, which other programs stretch; the mean
processor time is what they change least. Run the script on an idle machine for figures to quote."""
ROWS = {
    "filtered": "similarity, filtered",
    "unfiltered": "similarity, all entries",
    "text": "two words",
    "facets": "facets of a filter",
    "fields": "filter, sorted by a field",
}
TARGETS = {100_000: {"filtered": 30, "text": 30, "facets": 20}, 1_000_000: {"filtered": 200, "unfiltered": 200}}


def page(measured: dict[str, Found]) -> str:
    """The page as text."""
    lines = [HEAD, ""]
    for name in ("queries", "million"):
        if name in measured:
            lines += _queries(measured[name])
    for name, section in (("vectors", _vectors), ("rate", _rate), ("killed", _killed), ("crowd", _crowd)):
        if name in measured:
            lines += [*section(measured[name]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _queries(found: Found) -> Iterator[str]:
    count, other = found["entries"], found.get("obvious")
    yield from (f"## {count:,} entries", "")
    yield f"{found['bytes'] / 2**20:,.0f} MiB on disk, {_where(found)}. A filter leaves {found['matched']:,.0f} entries (median)."
    yield from (
        "",
        "| what | p50 ms | p95 ms | processor ms | target p95 ms | the obvious way, p50 ms | times faster |",
        "|---|---|---|---|---|---|---|",
    )
    for name, words in ROWS.items():
        one, target = found[name], TARGETS.get(count, {}).get(name)
        slow = other[name]["p50"] if other and name in other else None
        verdict = "" if target is None else f"{target}: {_verdict(one['p95'], one['processor'], target)}"
        ratio = f"**{slow / one['p50']:.1f}**" if slow else ""
        shown = f"{slow:.0f}" if slow else ""
        yield f"| {words} | {one['p50']:.1f} | {one['p95']:.1f} | {one['processor']:.1f} | {verdict} | {shown} | {ratio} |"
    yield ""
    opened = f"Open and first facets: {found['open'] / 1000:.2f} s ({found['open_processor'] / 1000:.2f} s of the processor)"
    opened += f", target 1 s: {'met' if found['open'] <= 1000 else '**missed**'}" if count == 100_000 else ""
    obvious = f" The obvious way loads its tables in {other['open'] / 1000:.1f} s." if other else ""
    first = found["first"]
    yield (
        f"{opened}; the first search by a picture: {first['p50'] / 1000:.2f} s ({first['processor'] / 1000:.2f} s). For that `index` "
        f"leaves {found['kept_bytes'] / 2**20:,.0f} MiB beside the archive, worked out in {found['vectors_s']:.1f} s "
        f"({found['vectors_processor_s']:.1f} s of the processor), with which a search begins that doesn't find them.{obvious}"
    )
    yield (
        f"{found['resident_mb']:,.0f} MiB resident afterwards; up to 1,024 of them are pages of the archive, and what lies beside it is "
        "shared by all programs."
    )
    yield from ("", *_graph(found))


def _graph(found: Found) -> Iterator[str]:
    if one := found.get("graph"):
        exact, graph = one["exact"], one["graph"]
        yield (
            f"With the extra `usearch` similarity over all entries goes by a graph of neighbours, which `index` works out in "
            f"{found['graph_s']:.0f} s: **{100 * one['recall']:.1f} %** of the exact fifty (least {100 * one['least']:.0f} %, "
            f"{exact['n']} searches), p95 {graph['p95']:.1f} ms, {graph['processor']:.1f} ms of the processor, instead of "
            f"{exact['p95']:.0f} and {exact['processor']:.0f} ms; the hits' details come on top."
        )
        yield ""


def _vectors(found: Found) -> Iterator[str]:
    yield from (f"## {found['vectors']:,} vectors alone", "")
    one, some = found["unfiltered"], found["filtered"]
    yield (
        f"Exact similarity without the tables: the vectors of a tenth as many entries ten times, each time turned a little another way "
        f"({found['bytes'] / 2**30:.1f} GiB), {_where(found)}. The best 50 of all: p95 {one['p95']:.0f} ms by the clock, "
        f"{one['processor']:.0f} ms of the processor; of a tenth of them: p95 {some['p95']:.0f} ms, {some['processor']:.0f} ms. Target "
        f"p95 200 ms: {_verdict(max(one['p95'], some['p95']), max(one['processor'], some['processor']), 200)}. Comparing all in full "
        f"takes {found['full_ms']:.0f} ms."
    )


def _verdict(clock: float, processor: float, target: float) -> str:
    """Whether a target is met; on a busy machine the clock counts the time of others too."""
    if clock <= target:
        return "met"
    return "met in processor time, **missed** by the clock" if processor <= target else "**missed**"


def _rate(found: Found) -> Iterator[str]:
    clock, busy = found["clock"], found["processor"]
    yield from ("## Indexing", "")
    ratio, cost = clock["index"] / clock["predict"], busy["predict"] / busy["index"]
    yield (
        f"{found['pictures']} rendered micrographs of 640 × 480, resnet10t + texture at 128 px, three rounds in turns, models loaded each "
        f"time, {_where(found)}. `predict` {clock['predict']:.1f} pictures/s, `index` {clock['index']:.1f}: **{100 * ratio:.0f} %** by the "
        f"clock, **{100 * cost:.0f} %** by processor time, of the target 90 %. Nothing changed: {found['again_s']:.1f} s for all, models "
        "loaded included."
    )


def _killed(found: Found) -> Iterator[str]:
    yield from ("## Killed", "")
    counts = ", ".join(f"{count} rows of {name}" for name, count in found["counts"].items())
    yield (
        f"`index` on {found['pictures']} pictures, killed (SIGKILL) {found['kills']} times at random moments while it wrote, then run to "
        f"its end: {found['lost']} of the pictures that had been safe lost, {found['missing']} missing in the end, {found['doubles']} "
        f"doubles; {counts}; integrity check: {found['integrity']}."
    )


def _crowd(found: Found) -> Iterator[str]:
    yield from ("## Four annotators and four readers at once", "")
    yield (
        f"Eight processes on {found['pictures']:,} entries, {_where(found)}: {found['given']:,} answers given, {found['kept']:,} kept, "
        f"integrity check: {found['integrity']}. "
        f"An answer takes {found['write']['p50']:.2f} ms (p95 {found['write']['p95']:.2f}), a search that sees them at once "
        f"{found['read']['p50']:.1f} ms (p95 {found['read']['p95']:.0f})."
    )


def _where(found: Found) -> str:
    return f"{found['machine']}, {found['cores']} cores, load {found['load']:.1f} when begun"
