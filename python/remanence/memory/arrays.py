"""Arrays of other libraries as NumPy's: DLPack, CuPy, torch, FAISS; on a device or not."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from .errors import InvalidArgumentError

_HOST = {1, 3}
"""DLPack's device types whose memory the host can read: the CPU, and pinned memory."""


def on_host(verb: str, what: str, value: Any) -> Any:
    """`value`, or what it holds as a NumPy array: shared where the host can read it, else copied.

    Understands the array protocols (`__dlpack__`, `__cuda_array_interface__`) and a FAISS index,
    whose vectors it holds in order; anything else is returned as it is. A copy from a device waits
    for the work queued on the array's own stream. Raises InvalidArgumentError in one sentence.
    """
    index = hasattr(value, "reconstruct_n") and hasattr(value, "ntotal")
    array = hasattr(value, "__dlpack__") or hasattr(value, "__cuda_array_interface__")
    if isinstance(value, np.ndarray) or not (index or array):
        return value
    try:
        if index:
            return _reconstructed(value)
        if not hasattr(value, "__dlpack_device__"):
            return _fetched(value)
        kind = int(value.__dlpack_device__()[0])
        return np.from_dlpack(_detached(value)) if kind in _HOST else _fetched(value)
    except InvalidArgumentError:
        raise
    except Exception as error:
        raise InvalidArgumentError(
            f"{verb}: {what} cannot be read from {_name(value)} ({error})"
        ) from error


def _detached(value: Any) -> Any:
    """A tensor that records gradients refuses DLPack; its data does not."""
    return value.detach() if hasattr(value, "detach") else value


def _fetched(value: Any) -> Any:
    """The content of device memory, by the library that owns it: only it knows its stream."""
    if hasattr(value, "get"):  # CuPy
        array = value.get()
    elif hasattr(value, "cpu"):  # torch
        array = np.from_dlpack(_detached(value).cpu())
    elif hasattr(value, "__array__"):  # JAX and others that copy by themselves
        array = np.asarray(value)
    else:
        raise TypeError("it is on a device and offers no copy: want get(), cpu() or __array__()")
    if not isinstance(array, np.ndarray):
        raise TypeError(f"its copy is a {_name(array)}, not a NumPy array")
    return array


def _reconstructed(index: Any) -> Any:
    """Every vector of a FAISS index; one that lies on a device is first brought home."""
    if type(index).__name__.startswith("GpuIndex"):
        index = importlib.import_module("faiss").index_gpu_to_cpu(index)
    return index.reconstruct_n(0, index.ntotal)


def _name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
