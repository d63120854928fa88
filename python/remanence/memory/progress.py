"""Progress of a long load: a bar where one is asked for, a callable, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""
Report = Callable[[str, int], None]

LONG_WITHOUT_VECTORS = 2_000
LONG_WITH_VECTORS = 20_000


@contextmanager
def reporter(progress: bool | Progress | None, total: int, *, given: bool) -> Iterator[Report]:
    """What the load reports its progress to. given: the vectors need no embedder."""
    if callable(progress):
        tell = progress
        yield lambda stage, done: tell(stage, done, total)
        return
    if not progress or total <= (LONG_WITH_VECTORS if given else LONG_WITHOUT_VECTORS):
        yield lambda _stage, _done: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeElapsedColumn(), transient=True) as bar:
        task = bar.add_task("reading", total=total)
        yield lambda stage, done: bar.update(task, description=stage, completed=done)
