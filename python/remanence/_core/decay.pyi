"""
Decay laws over columns of memories.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
__all__: list[str] = ['ActrExact', 'ActrOptimized', 'Exponential', 'Fsrs6', 'LEAST_ACTIVATION', 'PavlikAnderson', 'PetrovHybrid', 'PowerTrace', 'decay', 'power_trace_add', 'power_trace_build', 'power_trace_merge']
class PowerTrace:
    """
    The power law (1 + t/1s)^-d held as 12 exponential traces.
    """
    FIELDS: typing.ClassVar[tuple] = ('d')
    TAUS_S: typing.ClassVar[numpy.ndarray]
    def __init__(self, *, d: typing.SupportsFloat | typing.SupportsIndex = 0.5) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def d(self) -> float:
        ...
    @property
    def error(self) -> float:
        """
        Nats by which it may miss the power law, whatever the history.
        """
    @property
    def weights(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        Weight of each trace, float64 [12].
        """
class ActrExact:
    """
    B = ln sum of a^-d over the ages a of all accesses in seconds.
    """
    FIELDS: typing.ClassVar[tuple] = ('d')
    def __init__(self, *, d: typing.SupportsFloat | typing.SupportsIndex = 0.5) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def d(self) -> float:
        ...
class ActrOptimized:
    """
    B = ln(n / (1 - d)) - d ln L: n accesses spread over the lifetime L.
    """
    FIELDS: typing.ClassVar[tuple] = ('d')
    def __init__(self, *, d: typing.SupportsFloat | typing.SupportsIndex = 0.5) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def d(self) -> float:
        ...
class PetrovHybrid:
    """
    The youngest accesses exactly, the older ones as if spread evenly.
    """
    FIELDS: typing.ClassVar[tuple] = ('d', 'recent')
    def __init__(self, *, d: typing.SupportsFloat | typing.SupportsIndex = 0.5, recent: typing.SupportsInt | typing.SupportsIndex = 4) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def d(self) -> float:
        ...
    @property
    def recent(self) -> int:
        ...
class PavlikAnderson:
    """
    An access made while the memory is active decays faster (spacing effect).
    """
    FIELDS: typing.ClassVar[tuple] = ('c', 'a', 'd_max')
    def __init__(self, *, c: typing.SupportsFloat | typing.SupportsIndex = 0.217, a: typing.SupportsFloat | typing.SupportsIndex = 0.177, d_max: typing.SupportsFloat | typing.SupportsIndex = 1.0) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def a(self) -> float:
        ...
    @property
    def c(self) -> float:
        ...
    @property
    def d_max(self) -> float:
        ...
class Exponential:
    """
    R = 2^(-t / H); the half-life H grows with every spaced use.
    """
    FIELDS: typing.ClassVar[tuple] = ('initial_half_life_days', 'growth', 'shrink', 'min_half_life_days', 'max_half_life_days')
    def __init__(self, *, initial_half_life_days: typing.SupportsFloat | typing.SupportsIndex = 1.0, growth: typing.SupportsFloat | typing.SupportsIndex = 1.0, shrink: typing.SupportsFloat | typing.SupportsIndex = 0.5, min_half_life_days: typing.SupportsFloat | typing.SupportsIndex = 0.041666666666666664, max_half_life_days: typing.SupportsFloat | typing.SupportsIndex = 36500.0) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def next_half_life(self, half_life_days: typing.Any, elapsed_ns: typing.Any, success: typing.Any) -> numpy.typing.NDArray[numpy.float64]:
        """
        Half-life float64 [n] after a use or a failure.
        """
    @property
    def growth(self) -> float:
        ...
    @property
    def initial_half_life_days(self) -> float:
        ...
    @property
    def max_half_life_days(self) -> float:
        ...
    @property
    def min_half_life_days(self) -> float:
        ...
    @property
    def shrink(self) -> float:
        ...
class Fsrs6:
    """
    FSRS-6: stability and difficulty from grades.
    """
    FIELDS: typing.ClassVar[tuple] = ('w', 'floor_days')
    def __init__(self, *, w: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex] | None = None, floor_days: bool = False) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def first(self, grade: typing.Any) -> tuple:
        """
        (stability, difficulty) float64 [n] after the first review, grade uint8 1 to 4.
        """
    def interval_days(self, stability: typing.Any, retention: typing.SupportsFloat | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
        """
        Whole days until R falls to `retention`, float64 [n] in 1 to 36500.
        """
    def retrievability(self, stability: typing.Any, elapsed_ns: typing.Any) -> numpy.typing.NDArray[numpy.float64]:
        """
        R in (0, 1], float64 [n].
        """
    def review(self, stability: typing.Any, difficulty: typing.Any, elapsed_ns: typing.Any, grade: typing.Any) -> tuple:
        """
        (stability, difficulty) float64 [n] after a later review.
        """
    @property
    def floor_days(self) -> bool:
        ...
    @property
    def w(self) -> list[float]:
        ...
def decay(law: PowerTrace | Fsrs6 | Exponential | ActrExact | ActrOptimized | PetrovHybrid | PavlikAnderson, now: typing.SupportsInt | typing.SupportsIndex, *, access_times: typing.Any = None, offsets: typing.Any = None, accesses: typing.Any = None, created: typing.Any = None, last_access: typing.Any = None, trace: typing.Any = None, stability: typing.Any = None, precise: bool = False, out: typing.Any = None, backend: str = 'cpu') -> typing.Any:
    """
    Activation [n] in nats at `now`: float32 as recall ranks by, float64 if `precise`. Into `out` if given, whose content is undefined after an error. Columns on the backend's device are read there, and the activation stays there, as DeviceArray.
    """
def power_trace_add(trace: typing.Any, last_access: typing.Any, time: typing.Any, weight: typing.Any) -> tuple:
    """
    New (trace [n, 12], last_access [n]) after one access per row; late ones are exact.
    """
def power_trace_build(access_times: typing.Any, offsets: typing.Any, weight: typing.Any = None, precise: bool = False) -> tuple:
    """
    (trace [n, 12], last_access [n]) of whole histories, in the order given.
    """
def power_trace_merge(trace: typing.Any, last_access: typing.Any, other: typing.Any, other_last_access: typing.Any) -> tuple:
    """
    New (trace, last_access) of both histories together.
    """
LEAST_ACTIVATION: float = -69.31471805599453
