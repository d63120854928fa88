"""Memory room: the log, the native view of it, and the verbs of a store."""

from __future__ import annotations

from .._core import (
    Weights,
    available_backends,
    available_simd,
    build_id,
    set_threads,
    simd,
    threads,
    version,
    why_unavailable,
)
from .errors import (
    BackendUnavailableError,
    ClockError,
    ClosedError,
    CorruptDataError,
    DeviceError,
    EmbedderMismatchError,
    InvalidArgumentError,
    NotFoundError,
    OutOfMemoryError,
    RemanenceError,
    StorageError,
    WriterTimeoutError,
)
from .graph import Graph
from .graph_pattern import Pattern
from .graph_store import StoreGraph
from .graph_table import EdgeRow, EdgeTable
from .graph_verbs import Edge, Path
from .memory import Memory
from .opening import open
from .records import (
    KINDS,
    LAWS,
    Calibration,
    CalibrationBin,
    Hit,
    Item,
    LearnedWeights,
    MemoryRow,
    Neighbour,
    Recall,
    Stats,
    Verification,
    Version,
)
from .times import TIME_MAX, TIME_MIN, Seq, Time

__all__ = [
    "KINDS",
    "LAWS",
    "TIME_MAX",
    "TIME_MIN",
    "BackendUnavailableError",
    "Calibration",
    "CalibrationBin",
    "ClockError",
    "ClosedError",
    "CorruptDataError",
    "DeviceError",
    "Edge",
    "EdgeRow",
    "EdgeTable",
    "EmbedderMismatchError",
    "Graph",
    "Hit",
    "InvalidArgumentError",
    "Item",
    "LearnedWeights",
    "Memory",
    "MemoryRow",
    "Neighbour",
    "NotFoundError",
    "OutOfMemoryError",
    "Path",
    "Pattern",
    "Recall",
    "RemanenceError",
    "Seq",
    "Stats",
    "StorageError",
    "StoreGraph",
    "Time",
    "Verification",
    "Version",
    "Weights",
    "WriterTimeoutError",
    "available_backends",
    "available_simd",
    "build_id",
    "open",
    "set_threads",
    "simd",
    "threads",
    "version",
    "why_unavailable",
]
