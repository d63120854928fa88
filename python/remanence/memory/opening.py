"""Opening a store: the arguments checked, the file made or checked, the view brought up to date."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from .._core import Engine
from ..models import Embedder
from ..text import Extractor
from .errors import InvalidArgumentError
from .items import check_flag
from .memory import Memory
from .store import Store

Clock = Callable[[], int]


def open(
    path: str | PathLike[str],
    *,
    embedder: str | Embedder | None = "default",
    extractor: str | Extractor | None = "default",
    clock: Clock | None = None,
    dim: int | None = None,
    read_only: bool = False,
    snapshot: bool = True,
    timeout: float = 30.0,
    device: str = "cpu",
) -> Memory:
    """Open the store at `path`, made if it is not there; several processes may have it open.

    embedder: "default" is the store's own, WordLlama for a new one; a name for `models.load`; an
    Embedder; None to bring vectors yourself. clock: transaction time in int ns UTC (default: the
    system's). dim: dimension of the vectors, else fixed by the first. snapshot: keep a sidecar
    that makes opening fast. timeout: seconds to wait for another writer. device: "cpu", "cuda", or
    "auto" for the best that runs here; answers are the same bits. Raises StorageError,
    CorruptDataError, InvalidArgumentError, BackendUnavailableError.
    """
    if not isinstance(path, str | PathLike) or not str(path):
        raise InvalidArgumentError(f"open: path must be text or a Path (got {path!r:.40})")
    if "\0" in str(path):
        raise InvalidArgumentError("open: path holds a NUL character")
    if dim is not None and (isinstance(dim, bool) or not isinstance(dim, int) or dim < 1):
        raise InvalidArgumentError(f"open: dim must be a positive integer (got {dim!r})")
    if not isinstance(timeout, int | float) or not 0 <= timeout <= 86_400:
        raise InvalidArgumentError(f"open: timeout must be 0 to 86400 seconds (got {timeout!r})")
    if not isinstance(device, str):
        raise InvalidArgumentError(f"open: device must be text (got {device!r:.40})")
    backend = Engine(0, device).backend  # before the file is touched: it may not run here
    store = Store(
        Path(path),
        embedder=embedder,
        extractor=extractor,
        clock=clock,
        dim=dim,
        read_only=check_flag("open", "read_only", read_only),
        snapshot=check_flag("open", "snapshot", snapshot),
        timeout=float(timeout),
        backend=backend,
    )
    return Memory(store)
