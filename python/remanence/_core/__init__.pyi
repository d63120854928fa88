"""
The native core of remanence.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
import typing_extensions
from . import decay
from . import canonical
__all__: list[str] = ['BackendUnavailableError', 'CorruptDataError', 'DeviceArray', 'DeviceError', 'EDGE_TYPES', 'Engine', 'FIRST_FREE_EDGE_TYPE', 'Graph', 'GraphView', 'Hits', 'InvalidArgumentError', 'Learner', 'MAX_K', 'NameFinder', 'NotFoundError', 'OutOfMemoryError', 'RemanenceError', 'Request', 'TextReader', 'Weights', 'available_backends', 'available_simd', 'build_id', 'canonical', 'cover', 'decay', 'device_bytes', 'device_bytes_copied', 'set_threads', 'simd', 'threads', 'to_device', 'version', 'why_unavailable']
class RemanenceError(Exception):
    """
    Base of every error that remanence raises.
    """
class InvalidArgumentError(RemanenceError, ValueError):
    """
    An argument that the verb cannot use; nothing was changed.
    """
class NotFoundError(RemanenceError, LookupError):
    """
    An id that the engine does not hold.
    """
class CorruptDataError(RemanenceError, ValueError):
    """
    A file whose content fails its checks.
    """
class BackendUnavailableError(RemanenceError, RuntimeError):
    """
    A backend that cannot run here; the message says why.
    """
class OutOfMemoryError(RemanenceError, MemoryError):
    """
    No memory is left for what was asked.
    """
class DeviceError(RemanenceError, RuntimeError):
    """
    A device call that failed.
    """
class DeviceArray:
    """
    An array in a device's memory, read-only by agreement. Other libraries see it in place by DLPack (cupy.from_dlpack, torch.from_dlpack) or __cuda_array_interface__.
    """
    def __dlpack__(self, *, stream: typing.Any = None, max_version: typing.Any = None, dl_device: typing.Any = None, copy: typing.Any = None) -> typing_extensions.CapsuleType:
        ...
    def __dlpack_device__(self) -> tuple:
        ...
    def __len__(self) -> int:
        ...
    def get(self) -> numpy.ndarray:
        """
        A copy as a NumPy array.
        """
    @property
    def __cuda_array_interface__(self) -> dict:
        ...
    @property
    def backend(self) -> str:
        ...
    @property
    def dtype(self) -> numpy.dtype[typing.Any]:
        ...
    @property
    def nbytes(self) -> int:
        ...
    @property
    def shape(self) -> tuple:
        ...
class Weights:
    """
    Weights of the fused score, in nats per feature.
    """
    @staticmethod
    def without_question() -> Weights:
        """
        Ranking by what is alive, for a recall without a question.
        """
    def __init__(self, **kwargs) -> None:
        ...
    def to_dict(self) -> dict:
        ...
    @property
    def activation(self) -> float:
        ...
    @activation.setter
    def activation(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def author(self) -> float:
        ...
    @author.setter
    def author(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def bias(self) -> float:
        ...
    @bias.setter
    def bias(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def centring(self) -> float:
        ...
    @centring.setter
    def centring(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def cosine(self) -> float:
        ...
    @cosine.setter
    def cosine(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def date(self) -> float:
        ...
    @date.setter
    def date(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def importance(self) -> float:
        ...
    @importance.setter
    def importance(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def length(self) -> float:
        ...
    @length.setter
    def length(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def lexical(self) -> float:
        ...
    @lexical.setter
    def lexical(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def lexical_document(self) -> float:
        ...
    @lexical_document.setter
    def lexical_document(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def lexical_statement(self) -> float:
        ...
    @lexical_statement.setter
    def lexical_statement(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def lift(self) -> float:
        ...
    @lift.setter
    def lift(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def mentioned(self) -> float:
        ...
    @mentioned.setter
    def mentioned(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def mentioning(self) -> float:
        ...
    @mentioning.setter
    def mentioning(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def newer(self) -> float:
        ...
    @newer.setter
    def newer(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def next(self) -> float:
        ...
    @next.setter
    def next(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def question(self) -> float:
        ...
    @question.setter
    def question(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def session(self) -> float:
        ...
    @session.setter
    def session(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def spreading(self) -> float:
        ...
    @spreading.setter
    def spreading(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def subject(self) -> float:
        ...
    @subject.setter
    def subject(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def triples(self) -> float:
        ...
    @triples.setter
    def triples(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def usefulness(self) -> float:
        ...
    @usefulness.setter
    def usefulness(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @property
    def when(self) -> float:
        ...
    @when.setter
    def when(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
class Request:
    """
    One recall; every array is copied.
    """
    def __init__(self, *, now: typing.SupportsInt | typing.SupportsIndex, k: int = 10, vector: typing.Any = None, terms: typing.Any = '', scopes: typing.Any = None, kinds: typing.SupportsInt | typing.SupportsIndex = 255, valid_at: typing.SupportsInt | typing.SupportsIndex | None = None, as_of: typing.SupportsInt | typing.SupportsIndex | None = None, min_belief: typing.SupportsFloat | typing.SupportsIndex = 0.0, allow: typing.Any = None, exclude: typing.Any = None, authors: typing.Any = None, dates: typing.Any = None, asks_when: bool = False, asks_value: bool = False, names: typing.Any = None, cues: typing.Any = None, weights: Weights | None = None, explain: bool = False, proved: bool = False, threads: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
        ...
class Hits:
    """
    The answer, ordered by (score descending, id ascending).
    """
    TERMS: typing.ClassVar[tuple] = ('bias', 'length', 'question', 'when', 'lexical', 'author', 'date', 'lift', 'activation', 'usefulness', 'importance', 'belief', 'cosine', 'subject', 'next', 'session', 'mention', 'spreading', 'triples', 'newer')
    def __len__(self) -> int:
        ...
    @property
    def belief(self) -> numpy.typing.NDArray[numpy.float32]:
        ...
    @property
    def id(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def p_use(self) -> numpy.typing.NDArray[numpy.float32]:
        ...
    @property
    def scanned(self) -> int:
        """
        Memories that passed the filters.
        """
    @property
    def score(self) -> numpy.typing.NDArray[numpy.float32]:
        ...
    @property
    def terms(self) -> typing.Any:
        """
        Terms [k, len(TERMS)] in nats, or None unless explained.
        """
class Learner:
    """
    Learns from feedback what each term is worth, and p_use.
    """
    @staticmethod
    def load(bytes: bytes) -> Learner:
        ...
    def __init__(self) -> None:
        ...
    def calibration(self) -> dict:
        """
        Sums over all predictions, in ten bins of p_use.
        """
    def copy(self) -> Learner:
        ...
    def factors(self) -> dict:
        """
        Term -> what its default weight is multiplied by.
        """
    def learn(self, score: typing.SupportsFloat | typing.SupportsIndex, features: typing.Any, belief: typing.SupportsFloat | typing.SupportsIndex, used: bool) -> None:
        """
        Takes in one outcome.
        """
    def save(self) -> bytes:
        ...
    def shares(self) -> dict:
        """
        Expert -> its share of the mixture.
        """
    def weigh(self, terms: typing.Any, belief: typing.Any) -> tuple:
        """
        Of the hits of one question [k]: (score, features [k, n], p_use).
        """
    @property
    def unused(self) -> int:
        ...
    @property
    def used(self) -> int:
        ...
class TextReader:
    """
    Reads texts word by word; use it from one thread at once.
    """
    def __init__(self, *, numbers: collections.abc.Mapping[str, str], currencies: str, change_mark: typing.SupportsInt | typing.SupportsIndex, number_mark: typing.SupportsInt | typing.SupportsIndex, read: typing.SupportsInt | typing.SupportsIndex, signs: str, learn: collections.abc.Callable, limit: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        numbers: word -> digits. change_mark, number_mark: of words that announce a change or are numbers. read: characters in which values are looked for. signs: ASCII characters to be noted. learn: word -> (stem or "", marks below 256), asked once for each word. limit: words that are remembered.
        """
    def read(self, texts: list) -> tuple:
        """
        (terms, how many, marks, values) of each text. Marks: all of its words', 256 where it holds a decimal digit, 512 a sign, 1024 where it is not ASCII or is longer than `read`. Values: "#number:unit:stem:...", separated by spaces.
        """
class NameFinder:
    """
    Finds known names; use it from one thread at once.
    """
    def __init__(self) -> None:
        ...
    def __len__(self) -> int:
        ...
    def add(self, name: str) -> None:
        """
        Makes a name known, in the form of `name_key`.
        """
    def find(self, texts: list) -> tuple:
        """
        (places, names, closer): the place of a text and a name of several words that it holds, in order; and the places of texts that hold a name of a single word, which take a closer look and are not in the others.
        """
class GraphView:
    """
    A graph as one commit left it. Every verb takes the keywords of a filter: types (uint16 array), direction ('out', 'in' or 'both'), min_weight, valid_at (ns), as_of (commit) and allow (bool [nodes]: nodes that may be visited).
    """
    def adjacency(self, nodes: typing.Any, **kwargs) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.bool]]:
        """
        Per node its out arcs, then its in arcs: (indptr, node, edge, outgoing).
        """
    def best_paths(self, seeds: typing.Any, parents: bool = False, backend: str = 'cpu', **kwargs) -> typing.Any:
        """
        Greatest product of weights from a seed, float64 [nodes], 0 = not reached.
        """
    def best_paths_batch(self, seeds: typing.Any, parents: bool = False, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> typing.Any:
        """
        best_paths for each seed, or for each stretch of seeds that indptr cuts, float64 [questions, nodes].
        """
    def bfs(self, seeds: typing.Any, parents: bool = False, backend: str = 'cpu', **kwargs) -> typing.Any:
        """
        Hops from the nearest seed, int32 [nodes], -1 = not reached; with parents also the edge.
        """
    def bfs_batch(self, seeds: typing.Any, parents: bool = False, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> typing.Any:
        """
        bfs for each seed, or for each stretch of seeds that indptr cuts, int32 [questions, nodes].
        """
    def communities(self, method: str = 'leiden', resolution: typing.SupportsFloat | typing.SupportsIndex = 1.0, seed: typing.SupportsInt | typing.SupportsIndex = 0, backend: str = 'cpu', **kwargs) -> tuple[numpy.typing.NDArray[numpy.int64], float]:
        """
        (label int64 [nodes], modularity): the least node of each node's community. The direction is ignored; the same seed gives the same answer.
        """
    def components(self, backend: str = 'cpu', **kwargs) -> numpy.typing.NDArray[numpy.int64]:
        """
        Least node of each node's component, int64 [nodes]; the direction is ignored.
        """
    def degree(self, **kwargs) -> numpy.typing.NDArray[numpy.int64]:
        """
        Edges at each node, int64 [nodes].
        """
    def edge_columns(self, edge: typing.Any) -> dict:
        """
        Columns of edges by name.
        """
    def find_edges(self, **kwargs) -> numpy.typing.NDArray[numpy.int64]:
        """
        Numbers of the edges that pass, ascending; the direction is ignored.
        """
    def khop(self, seeds: typing.Any, hops: typing.SupportsInt | typing.SupportsIndex, limit: typing.SupportsInt | typing.SupportsIndex = 1000000, backend: str = 'cpu', **kwargs) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32]]:
        """
        Nodes within `hops` of the seeds (an array, or one as a number), ordered by (hop, node): (node, hop).
        """
    def khop_batch(self, seeds: typing.Any, hops: typing.SupportsInt | typing.SupportsIndex, limit: typing.SupportsInt | typing.SupportsIndex = 1000000, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32]]:
        """
        khop for each seed, or for each stretch of seeds that indptr cuts: (indptr, node, hop).
        """
    def modularity(self, label: typing.Any, resolution: typing.SupportsFloat | typing.SupportsIndex = 1.0, backend: str = 'cpu', **kwargs) -> float:
        """
        Modularity of a partition given as a node for each node.
        """
    def pagerank(self, damping: typing.SupportsFloat | typing.SupportsIndex = 0.85, tolerance: typing.SupportsFloat | typing.SupportsIndex = 1e-09, start: typing.Any = None, backend: str = 'cpu', **kwargs) -> numpy.typing.NDArray[numpy.float64]:
        """
        PageRank, float64 [nodes], sums to 1; start [nodes] says where walks restart.
        """
    def path(self, source: typing.SupportsInt | typing.SupportsIndex, target: typing.SupportsInt | typing.SupportsIndex, by: str = 'weight', lengths: typing.Any = None, backend: str = 'cpu', **kwargs) -> tuple:
        """
        Why two nodes are connected: (value, edge, node) of the best path by 'weight' (greatest product), 'length' or 'hops'; of equal ones that of fewest hops, then of least edge numbers.
        """
    def paths(self, source: typing.SupportsInt | typing.SupportsIndex, target: typing.SupportsInt | typing.SupportsIndex, k: typing.SupportsInt | typing.SupportsIndex, by: str = 'weight', lengths: typing.Any = None, backend: str = 'cpu', **kwargs) -> list:
        """
        The k best paths without a repeated node, best first, as path() gives them.
        """
    def paths_batch(self, sources: typing.Any, targets: typing.Any, k: typing.SupportsInt | typing.SupportsIndex = 1, by: str = 'weight', lengths: typing.Any = None, backend: str = 'cpu', **kwargs) -> tuple:
        """
        paths from each source to its target: (indptr, value, cut, edge, node). Question q has the paths from indptr[q] to indptr[q + 1]; path p has the edges from cut[p] to cut[p + 1] and the nodes from cut[p] + p to cut[p + 1] + p + 1.
        """
    def propagate(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, tolerance: typing.SupportsFloat | typing.SupportsIndex = 1e-09, backend: str = 'cpu', **kwargs) -> numpy.typing.NDArray[numpy.float64]:
        """
        Personalised PageRank from the seeds, float64 [nodes], sums to 1; tolerance bounds the L1 error.
        """
    def propagate_batch(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, tolerance: typing.SupportsFloat | typing.SupportsIndex = 1e-09, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> numpy.typing.NDArray[numpy.float64]:
        """
        propagate for each seed, or for each stretch of seeds that indptr cuts, float64 [questions, nodes].
        """
    def push(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, residual: typing.SupportsFloat | typing.SupportsIndex = 1e-05, top: typing.SupportsInt | typing.SupportsIndex = 20, backend: str = 'cpu', **kwargs) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.float64], float]:
        """
        Local PageRank: (node, mass, left) of the greatest masses near the seeds. What was not pushed sums to left and is dealt out by share of arcs: off by at most 2 left in all.
        """
    def push_batch(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, residual: typing.SupportsFloat | typing.SupportsIndex = 1e-05, top: typing.SupportsInt | typing.SupportsIndex = 20, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.typing.NDArray[numpy.float64]]:
        """
        push for each seed, or for each stretch of seeds that indptr cuts: (indptr, node, mass, left float64 [questions]).
        """
    def shortest_paths(self, seeds: typing.Any, lengths: typing.Any = None, parents: bool = False, backend: str = 'cpu', **kwargs) -> typing.Any:
        """
        Least summed length from a seed, float64 [nodes], inf = not reached; lengths [edges] replaces the weights.
        """
    def shortest_paths_batch(self, seeds: typing.Any, lengths: typing.Any = None, parents: bool = False, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> typing.Any:
        """
        shortest_paths for each seed, or for each stretch of seeds that indptr cuts, float64 [questions, nodes].
        """
    def spread(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, tolerance: typing.SupportsFloat | typing.SupportsIndex = 1e-09, backend: str = 'cpu', **kwargs) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.float64]]:
        """
        Log lift of personalised PageRank over a node's share of all degrees: (node, lift), lift descending.
        """
    def spread_batch(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, tolerance: typing.SupportsFloat | typing.SupportsIndex = 1e-09, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
        """
        spread for each seed, or for each stretch of seeds that indptr cuts: (indptr, node, lift).
        """
    def subgraph(self, nodes: typing.Any, **kwargs) -> numpy.typing.NDArray[numpy.int64]:
        """
        Numbers of the edges whose both ends are among the nodes.
        """
    @property
    def edges(self) -> int:
        """
        Edges in the view, closed ones too.
        """
    @property
    def nodes(self) -> int:
        """
        Nodes in the view.
        """
    @property
    def seq(self) -> int:
        """
        The last commit in the view.
        """
class Graph:
    """
    A directed multigraph whose edges carry a type, a weight in (0, 1], a valid interval and the commits that added and closed them. Nodes and edges are numbers from 0. Its verbs are those of its newest view; see GraphView.
    """
    def __init__(self, nodes: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
        ...
    def add(self, source: typing.SupportsInt | typing.SupportsIndex, target: typing.SupportsInt | typing.SupportsIndex, type: typing.SupportsInt | typing.SupportsIndex = 6, weight: typing.SupportsFloat | typing.SupportsIndex = 1.0, valid_from: typing.SupportsInt | typing.SupportsIndex = -9223372036854775808, valid_to: typing.SupportsInt | typing.SupportsIndex = 9223372036854775807, seq: typing.SupportsInt | typing.SupportsIndex | None = None) -> int:
        """
        Adds one edge and returns its number.
        """
    def add_nodes(self, count: typing.SupportsInt | typing.SupportsIndex) -> int:
        """
        The number of the first new node.
        """
    def adjacency(self, nodes: typing.Any, **kwargs) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.bool]]:
        """
        Per node its out arcs, then its in arcs: (indptr, node, edge, outgoing).
        """
    def append(self, source: typing.Any, target: typing.Any, type: typing.Any = None, weight: typing.Any = None, valid_from: typing.Any = None, valid_to: typing.Any = None, *, seq: typing.SupportsInt | typing.SupportsIndex | None = None) -> int:
        """
        Adds edges as columns, all or none; the number of the first. Without seq the commit is the one after the last.
        """
    def best_paths(self, seeds: typing.Any, parents: bool = False, backend: str = 'cpu', **kwargs) -> typing.Any:
        """
        Greatest product of weights from a seed, float64 [nodes], 0 = not reached.
        """
    def best_paths_batch(self, seeds: typing.Any, parents: bool = False, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> typing.Any:
        """
        best_paths for each seed, or for each stretch of seeds that indptr cuts, float64 [questions, nodes].
        """
    def bfs(self, seeds: typing.Any, parents: bool = False, backend: str = 'cpu', **kwargs) -> typing.Any:
        """
        Hops from the nearest seed, int32 [nodes], -1 = not reached; with parents also the edge.
        """
    def bfs_batch(self, seeds: typing.Any, parents: bool = False, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> typing.Any:
        """
        bfs for each seed, or for each stretch of seeds that indptr cuts, int32 [questions, nodes].
        """
    def branch(self) -> Graph:
        """
        A graph that starts as this one is; neither sees what the other writes.
        """
    def close(self, edge: typing.Any, *, seq: typing.SupportsInt | typing.SupportsIndex | None = None) -> int:
        """
        Closes edges from the commit on, all or none; the commit.
        """
    def communities(self, method: str = 'leiden', resolution: typing.SupportsFloat | typing.SupportsIndex = 1.0, seed: typing.SupportsInt | typing.SupportsIndex = 0, backend: str = 'cpu', **kwargs) -> tuple[numpy.typing.NDArray[numpy.int64], float]:
        """
        (label int64 [nodes], modularity): the least node of each node's community. The direction is ignored; the same seed gives the same answer.
        """
    def components(self, backend: str = 'cpu', **kwargs) -> numpy.typing.NDArray[numpy.int64]:
        """
        Least node of each node's component, int64 [nodes]; the direction is ignored.
        """
    def degree(self, **kwargs) -> numpy.typing.NDArray[numpy.int64]:
        """
        Edges at each node, int64 [nodes].
        """
    def edge_columns(self, edge: typing.Any) -> dict:
        """
        Columns of edges by name.
        """
    def find_edges(self, **kwargs) -> numpy.typing.NDArray[numpy.int64]:
        """
        Numbers of the edges that pass, ascending; the direction is ignored.
        """
    def khop(self, seeds: typing.Any, hops: typing.SupportsInt | typing.SupportsIndex, limit: typing.SupportsInt | typing.SupportsIndex = 1000000, backend: str = 'cpu', **kwargs) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32]]:
        """
        Nodes within `hops` of the seeds (an array, or one as a number), ordered by (hop, node): (node, hop).
        """
    def khop_batch(self, seeds: typing.Any, hops: typing.SupportsInt | typing.SupportsIndex, limit: typing.SupportsInt | typing.SupportsIndex = 1000000, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32]]:
        """
        khop for each seed, or for each stretch of seeds that indptr cuts: (indptr, node, hop).
        """
    def merge(self) -> None:
        """
        Merges the log into the base; happens by itself, too.
        """
    def modularity(self, label: typing.Any, resolution: typing.SupportsFloat | typing.SupportsIndex = 1.0, backend: str = 'cpu', **kwargs) -> float:
        """
        Modularity of a partition given as a node for each node.
        """
    def pagerank(self, damping: typing.SupportsFloat | typing.SupportsIndex = 0.85, tolerance: typing.SupportsFloat | typing.SupportsIndex = 1e-09, start: typing.Any = None, backend: str = 'cpu', **kwargs) -> numpy.typing.NDArray[numpy.float64]:
        """
        PageRank, float64 [nodes], sums to 1; start [nodes] says where walks restart.
        """
    def path(self, source: typing.SupportsInt | typing.SupportsIndex, target: typing.SupportsInt | typing.SupportsIndex, by: str = 'weight', lengths: typing.Any = None, backend: str = 'cpu', **kwargs) -> tuple:
        """
        Why two nodes are connected: (value, edge, node) of the best path by 'weight' (greatest product), 'length' or 'hops'; of equal ones that of fewest hops, then of least edge numbers.
        """
    def paths(self, source: typing.SupportsInt | typing.SupportsIndex, target: typing.SupportsInt | typing.SupportsIndex, k: typing.SupportsInt | typing.SupportsIndex, by: str = 'weight', lengths: typing.Any = None, backend: str = 'cpu', **kwargs) -> list:
        """
        The k best paths without a repeated node, best first, as path() gives them.
        """
    def paths_batch(self, sources: typing.Any, targets: typing.Any, k: typing.SupportsInt | typing.SupportsIndex = 1, by: str = 'weight', lengths: typing.Any = None, backend: str = 'cpu', **kwargs) -> tuple:
        """
        paths from each source to its target: (indptr, value, cut, edge, node). Question q has the paths from indptr[q] to indptr[q + 1]; path p has the edges from cut[p] to cut[p + 1] and the nodes from cut[p] + p to cut[p + 1] + p + 1.
        """
    def propagate(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, tolerance: typing.SupportsFloat | typing.SupportsIndex = 1e-09, backend: str = 'cpu', **kwargs) -> numpy.typing.NDArray[numpy.float64]:
        """
        Personalised PageRank from the seeds, float64 [nodes], sums to 1; tolerance bounds the L1 error.
        """
    def propagate_batch(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, tolerance: typing.SupportsFloat | typing.SupportsIndex = 1e-09, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> numpy.typing.NDArray[numpy.float64]:
        """
        propagate for each seed, or for each stretch of seeds that indptr cuts, float64 [questions, nodes].
        """
    def push(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, residual: typing.SupportsFloat | typing.SupportsIndex = 1e-05, top: typing.SupportsInt | typing.SupportsIndex = 20, backend: str = 'cpu', **kwargs) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.float64], float]:
        """
        Local PageRank: (node, mass, left) of the greatest masses near the seeds. What was not pushed sums to left and is dealt out by share of arcs: off by at most 2 left in all.
        """
    def push_batch(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, residual: typing.SupportsFloat | typing.SupportsIndex = 1e-05, top: typing.SupportsInt | typing.SupportsIndex = 20, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.typing.NDArray[numpy.float64]]:
        """
        push for each seed, or for each stretch of seeds that indptr cuts: (indptr, node, mass, left float64 [questions]).
        """
    def shortest_paths(self, seeds: typing.Any, lengths: typing.Any = None, parents: bool = False, backend: str = 'cpu', **kwargs) -> typing.Any:
        """
        Least summed length from a seed, float64 [nodes], inf = not reached; lengths [edges] replaces the weights.
        """
    def shortest_paths_batch(self, seeds: typing.Any, lengths: typing.Any = None, parents: bool = False, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> typing.Any:
        """
        shortest_paths for each seed, or for each stretch of seeds that indptr cuts, float64 [questions, nodes].
        """
    def spread(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, tolerance: typing.SupportsFloat | typing.SupportsIndex = 1e-09, backend: str = 'cpu', **kwargs) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.float64]]:
        """
        Log lift of personalised PageRank over a node's share of all degrees: (node, lift), lift descending.
        """
    def spread_batch(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, tolerance: typing.SupportsFloat | typing.SupportsIndex = 1e-09, indptr: typing.Any = None, backend: str = 'cpu', **kwargs) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
        """
        spread for each seed, or for each stretch of seeds that indptr cuts: (indptr, node, lift).
        """
    def subgraph(self, nodes: typing.Any, **kwargs) -> numpy.typing.NDArray[numpy.int64]:
        """
        Numbers of the edges whose both ends are among the nodes.
        """
    def view(self) -> GraphView:
        """
        The graph as it is now, for as long as it is held.
        """
    @property
    def edges(self) -> int:
        """
        Edges so far, closed ones too.
        """
    @property
    def live_edges(self) -> int:
        """
        Edges that are not closed.
        """
    @property
    def log_edges(self) -> int:
        """
        Edges not merged yet.
        """
    @property
    def nbytes(self) -> int:
        """
        Bytes of its arrays.
        """
    @property
    def nodes(self) -> int:
        """
        Nodes so far.
        """
    @property
    def seq(self) -> int:
        """
        The last commit.
        """
class Engine:
    """
    Memories, words and links as columns; thread-safe.
    """
    @staticmethod
    def load(path: str, backend: str = 'cpu') -> Engine:
        ...
    def __init__(self, dim: typing.SupportsInt | typing.SupportsIndex = 0, backend: str = 'cpu') -> None:
        """
        backend: "cpu", another of available_backends(), or "auto" for the best one.
        """
    def activation(self, id: typing.Any, now: typing.SupportsInt | typing.SupportsIndex, as_of: typing.SupportsInt | typing.SupportsIndex | None = None) -> numpy.typing.NDArray[numpy.float32]:
        """
        Activation in nats at `now` [n].
        """
    def append(self, seq: typing.Any, *, id: typing.Any, scope: typing.Any, kind: typing.Any, law: typing.Any, flags: typing.Any, author: typing.Any, session: typing.Any, length: typing.Any, time: typing.Any, valid_from: typing.Any, valid_to: typing.Any, belief: typing.Any, importance: typing.Any, terms: list, vectors: typing.Any = None, vector_row: typing.Any = None, check_only: bool = False) -> None:
        """
        Adds memories, or new versions of live ones, as columns of one length.
        """
    def close(self, seq: typing.Any, id: typing.Any, check_only: bool = False) -> None:
        """
        Hides memories from commit seq on.
        """
    def compact(self) -> None:
        """
        Sorts what was added last among what was there before, for the weights of the latest question with a vector, so that questions read less. Answers stay the same; readers go on and writers wait.
        """
    def contains(self, id: typing.Any, as_of: typing.SupportsInt | typing.SupportsIndex | None = None) -> numpy.typing.NDArray[numpy.bool]:
        ...
    def digest(self) -> str:
        """
        128 bits in hex over everything that answers depend on.
        """
    def erase(self, seq: typing.Any, id: typing.Any, check_only: bool = False) -> None:
        """
        Destroys vectors and words of every version.
        """
    def graph(self) -> tuple[Graph, numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64]]:
        """
        Every edge ever linked as a graph of its own: (graph, memory of each node, edge of each edge). Hidden memories stay in it: pass contains(ids) as allow.
        """
    def holding(self, terms: str, scope: typing.SupportsInt | typing.SupportsIndex, limit: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.int64]:
        """
        Live memories of a scope that hold all of the words; none where they are too many.
        """
    def khop(self, seeds: typing.Any, hops: typing.SupportsInt | typing.SupportsIndex, types: typing.Any = None, direction: str = 'both', valid_at: typing.SupportsInt | typing.SupportsIndex | None = None, as_of: typing.SupportsInt | typing.SupportsIndex | None = None, min_weight: typing.SupportsFloat | typing.SupportsIndex = 0.0, limit: typing.SupportsInt | typing.SupportsIndex = 1000000) -> tuple:
        """
        Memories within `hops`, ordered by (hop, id).
        """
    def link(self, seq: typing.Any, edge: typing.Any, source: typing.Any, target: typing.Any, type: typing.Any, weight: typing.Any, valid_from: typing.Any, valid_to: typing.Any, check_only: bool = False) -> None:
        """
        Adds edges.
        """
    def neighbours(self, id: typing.SupportsInt | typing.SupportsIndex, types: typing.Any = None, direction: str = 'both', valid_at: typing.SupportsInt | typing.SupportsIndex | None = None, as_of: typing.SupportsInt | typing.SupportsIndex | None = None, min_weight: typing.SupportsFloat | typing.SupportsIndex = 0.0) -> dict:
        """
        Edges of one memory as a dict of columns, ordered by edge id.
        """
    def propagate(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, tolerance: typing.SupportsFloat | typing.SupportsIndex = 1e-09, types: typing.Any = None, valid_at: typing.SupportsInt | typing.SupportsIndex | None = None, as_of: typing.SupportsInt | typing.SupportsIndex | None = None) -> tuple:
        """
        Personalised PageRank from the seeds: (id, mass), mass descending.
        """
    def recall(self, request: Request) -> Hits:
        """
        The exact best memories for one request.
        """
    def recall_many(self, requests: collections.abc.Sequence[Request]) -> list[Hits]:
        """
        The same answers for many requests, which share the reading of the store; the first request's `threads` counts.
        """
    def restore(self, seq: typing.Any, id: typing.Any, check_only: bool = False) -> None:
        """
        Brings closed memories back as new versions.
        """
    def save(self, path: str, tag: bytes = b'') -> None:
        ...
    def search(self, vectors: typing.Any, request: Request, *, out: str | None = None, stream: typing.SupportsInt | typing.SupportsIndex | None = None) -> tuple:
        """
        (id int64 [n, k], score float32 [n, k]) of the best memories of each vector float32 [n, dim] by their own evidence: no words, names or links; -1 and -inf where there are fewer. The request has neither vector nor words. Vectors may lie on the engine's device (DLPack or __cuda_array_interface__): they are read there, after what their own stream and `stream` were given, and the answers stay there too, as DeviceArray, unless out is "host"; "device" leaves any there. Returns when the answers are there.
        """
    def spill(self, folder: str, kept_bytes: typing.SupportsInt | typing.SupportsIndex = 4294967296) -> None:
        """
        From now on, vectors beyond the first kept_bytes live in a file without a name in folder, mapped into memory. Answers stay the same.
        """
    def spread(self, seeds: typing.Any, weights: typing.Any = None, damping: typing.SupportsFloat | typing.SupportsIndex = 0.5, tolerance: typing.SupportsFloat | typing.SupportsIndex = 1e-09, types: typing.Any = None, valid_at: typing.SupportsInt | typing.SupportsIndex | None = None, as_of: typing.SupportsInt | typing.SupportsIndex | None = None) -> tuple:
        """
        Log lift of personalised PageRank over its long-run share: (id, lift).
        """
    def state(self, id: typing.SupportsInt | typing.SupportsIndex) -> dict:
        ...
    def stats(self) -> dict:
        ...
    def touch(self, seq: typing.Any, id: typing.Any, time: typing.Any, weight: typing.Any, used: typing.Any, check_only: bool = False) -> None:
        """
        Records accesses.
        """
    def unlink(self, seq: typing.Any, edge: typing.Any, check_only: bool = False) -> None:
        """
        Closes edges from commit seq on.
        """
    def vector(self, id: typing.SupportsInt | typing.SupportsIndex, as_of: typing.SupportsInt | typing.SupportsIndex | None = None) -> numpy.typing.NDArray[numpy.float32]:
        """
        The unit vector, empty when there is none.
        """
    @property
    def backend(self) -> str:
        """
        What runs the scans.
        """
    @property
    def dim(self) -> int:
        ...
    @property
    def edges(self) -> int:
        ...
    @property
    def live(self) -> int:
        ...
    @property
    def rows(self) -> int:
        ...
    @property
    def seq(self) -> int:
        ...
    @property
    def tag(self) -> bytes:
        ...
def available_backends() -> list[str]:
    """
    Names of the backends that can run here.
    """
def available_simd() -> list[str]:
    """
    Instruction sets that run here, best first.
    """
def build_id() -> str:
    """
    What a plug-in must be built as to be loaded.
    """
def cover(vectors: typing.Any, cosine: typing.SupportsFloat | typing.SupportsIndex, *, pinned: typing.Any = None, uses: typing.Any = None, prior: typing.Any = None, groups: typing.Any = None, backend: str = 'cpu') -> numpy.typing.NDArray[numpy.int64]:
    """
    For each row of vectors [n, dim] the row that stands for it, int64 [n]; kept rows stand for themselves. Taken by pin, then by prior + 2 ln(1 + uses) descending, then by number, a row is kept if it is pinned or no kept row of its group is as near as `cosine`.
    """
def device_bytes(name: str) -> int:
    """
    Bytes of device memory that this process holds through a backend.
    """
def device_bytes_copied(name: str) -> int:
    """
    Bytes that this process has copied to a backend's device so far.
    """
def set_threads(count: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Sets the threads that one call may use; 0 means all cores.
    """
def simd() -> str:
    """
    The instruction set in use; REMANENCE_SIMD forces one by name.
    """
def threads() -> int:
    """
    Threads that one call may use.
    """
def to_device(array: numpy.ndarray, backend: str = 'cuda') -> DeviceArray:
    """
    A copy of a NumPy array of numbers in the memory of a backend's device.
    """
def why_unavailable(name: str) -> str:
    """
    One sentence on why a backend cannot run here; empty when it can.
    """
EDGE_TYPES: dict = {'next': 1, 'answers': 2, 'mentions': 3, 'supersedes': 4, 'derived_from': 5, 'related': 6, 'about': 7, 'states': 8}
FIRST_FREE_EDGE_TYPE: int = 16
MAX_K: int = 1000000
version: str = '0.1.0'
