"""
exp and log, equal bits everywhere.
"""
from __future__ import annotations
import numpy
import numpy.typing
import typing
__all__: list[str] = ['exp', 'exp2', 'expm1', 'log', 'log1p', 'log2']
def exp(x: typing.Any) -> numpy.typing.NDArray[numpy.float64]:
    """
    e^x, float64 [n].
    """
def exp2(x: typing.Any) -> numpy.typing.NDArray[numpy.float32]:
    """
    2^x, float32 [n], x clamped to [-126, 127].
    """
def expm1(x: typing.Any) -> numpy.typing.NDArray[numpy.float64]:
    """
    e^x - 1, float64 [n].
    """
def log(x: typing.Any) -> numpy.typing.NDArray[numpy.float64]:
    """
    ln(x), float64 [n].
    """
def log1p(x: typing.Any) -> numpy.typing.NDArray[numpy.float64]:
    """
    ln(1 + x), float64 [n].
    """
def log2(x: typing.Any) -> numpy.typing.NDArray[numpy.float32]:
    """
    log2(x), float32 [n], x positive and normal.
    """
