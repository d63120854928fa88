"""The default embedder offline, and the providers behind extras with stand-ins for them."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence.models import Embedder, load

ANY_TEXT = st.text(st.one_of(st.characters(), st.characters(categories=["Cs"])), max_size=60)
TEXTS = [
    "When did Caroline go to the support group?",
    "a",
    "The quick brown fox, 42 times!\n\tAnd again.",
    "東京に行く",
    "word " * 300,
]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load("default")


def test_the_default_needs_no_network_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the default embedder opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delitem(sys.modules, "remanence.models.providers.wordllama", raising=False)
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    rows = load("default").embed(TEXTS)
    assert rows.shape == (len(TEXTS), 256)
    assert (root.level, list(root.handlers)) == before
    assert capfd.readouterr() == ("", "")


def test_the_default_is_an_embedder_with_a_stable_id(embedder: Embedder) -> None:
    assert isinstance(embedder, Embedder)
    assert (embedder.id, embedder.dim) == ("wordllama-256:l2_supercat", 256)
    assert load("wordllama").id == embedder.id


@given(st.lists(ANY_TEXT, max_size=5))
def test_rows_are_unit_float32_for_any_text(texts: list[str]) -> None:
    rows = load_once().embed(texts)
    assert rows.shape == (len(texts), 256)
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)


@given(st.lists(st.one_of(ANY_TEXT, st.sampled_from(TEXTS)), min_size=1, max_size=6), st.data())
def test_a_row_depends_on_its_text_alone(texts: list[str], data: st.DataObject) -> None:
    together = load_once().embed(texts)
    index = data.draw(st.integers(0, len(texts) - 1))
    alone = load_once().embed([texts[index]])
    assert alone[0].tobytes() == together[index].tobytes()


def test_two_instances_agree_bit_for_bit(embedder: Embedder) -> None:
    assert load("default").embed(TEXTS).tobytes() == embedder.embed(TEXTS).tobytes()


def test_texts_of_like_meaning_are_closer(embedder: Embedder) -> None:
    rows = embedder.embed(["my cat sleeps on the sofa", "a kitten on the couch", "stock markets"])
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2


def test_vectors_equal_those_of_the_package_itself(embedder: Embedder) -> None:
    # In another process: importing the package installs a log handler.
    script = (
        "import sys, pathlib, numpy, wordllama\n"
        "folder = pathlib.Path(wordllama.__file__).parent\n"
        "model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)\n"
        f"rows = numpy.asarray(model.embed({TEXTS!r}, norm=True), numpy.float32)\n"
        "sys.stdout.buffer.write(rows.tobytes())\n"
    )
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert made.returncode == 0, made.stderr.decode()
    theirs = np.frombuffer(made.stdout[-len(TEXTS) * 1024 :], np.float32).reshape(-1, 256)
    np.testing.assert_allclose(embedder.embed(TEXTS), theirs, atol=1e-6)


def test_ten_megabytes_take_linear_time(embedder: Embedder) -> None:
    rows = embedder.embed(["word " * 2_000_000, "x" * 1_000_000, "word " * 200])
    assert np.isfinite(rows).all()
    assert rows[0] @ rows[2] > 0.99


def test_no_text_gives_no_row(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 256)


def test_none_and_an_embedder_are_taken_as_they_are(embedder: Embedder) -> None:
    assert load(None) is None
    assert load(embedder) is embedder


@pytest.mark.parametrize(
    "spec", ["", "gpt", "default:x", "wordllama:512", "openai", "fastembed:", "Default", ":x"]
)
def test_an_unknown_spec_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match=r"^load: no such embedder \(got .*want one of default"):
        load(spec)


def test_an_object_that_is_no_embedder_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^load: an embedder has id, dim and embed\(texts\)"):
        load(SimpleNamespace(id="x"))


def test_options_of_an_endpoint_are_refused_elsewhere() -> None:
    with pytest.raises(ValueError, match=r"^load: base_url, api_key and dim belong to openai"):
        load("default", base_url="http://localhost")


EXTRAS = {
    "sentence-transformers": "sentence_transformers",
    "fastembed": "fastembed",
    "openai": "openai",
}


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_missing_extra_is_named(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, EXTRAS[extra], None)
    forget_provider(monkeypatch, extra)
    wanted = rf"^load: the embedder '{extra}' needs .* \(pip install 'remanence\[{extra}\]'\)$"
    with pytest.raises(ModuleNotFoundError, match=wanted):
        load(f"{extra}:some/model")


def test_sentence_transformers_rows_become_unit_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    class SentenceTransformer:
        def __init__(self, model: str) -> None:
            assert model == "org/model"

        def encode(self, texts, *, convert_to_numpy, show_progress_bar):
            assert convert_to_numpy
            assert not show_progress_bar
            return np.array([[3.0, len(text)] for text in texts], dtype=np.float64)

    stand_in(monkeypatch, "sentence-transformers", SentenceTransformer=SentenceTransformer)
    made = load("sentence-transformers:org/model")
    assert_rows(made, "sentence-transformers:org/model", 2)


def test_fastembed_rows_become_unit_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    class TextEmbedding:
        def __init__(self, model: str) -> None:
            assert model == "org/model"

        def embed(self, texts):
            return (np.array([3.0, len(text)], dtype=np.float32) for text in texts)

    stand_in(monkeypatch, "fastembed", TextEmbedding=TextEmbedding)
    assert_rows(load("fastembed:org/model"), "fastembed:org/model", 2)


class Endpoint:
    """Stands in for the client of an OpenAI-compatible endpoint; answers out of order."""

    def __init__(self, base_url: str | None = None, api_key: str | None = None) -> None:
        self.base_url, self.api_key, self.asked = base_url, api_key, []
        self.embeddings = SimpleNamespace(create=self.create)
        self.row = lambda text: [3.0, float(len(text))]

    def create(self, *, model, input, encoding_format, **options):
        assert (model, encoding_format) == ("embed-small", "float")
        assert all(text and text.encode() for text in input)
        self.asked.append((len(input), options))
        data = [SimpleNamespace(index=i, embedding=self.row(text)) for i, text in enumerate(input)]
        return SimpleNamespace(data=data[::-1])


def test_an_endpoint_is_asked_in_batches_and_answers_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    stand_in(monkeypatch, "openai", OpenAI=Endpoint)
    made = load("openai:embed-small", base_url="http://localhost:9/v1")
    assert (made._client.base_url, made._client.api_key) == ("http://localhost:9/v1", "none")
    assert made._client.asked == []
    rows = made.embed(["", "\ud800", *("x" * (1 + n % 5) for n in range(598))])
    assert [count for count, _ in made._client.asked] == [256, 256, 88]
    expected = np.array([[3.0, 1 + (n - 2) % 5] for n in range(2, 600)])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(rows[2:], expected, atol=1e-6)
    assert_rows(made, "openai:embed-small", 2)


def test_an_endpoint_may_give_shorter_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "openai", OpenAI=Endpoint)
    made = load("openai:embed-small", api_key="key", dim=2)
    made.embed(["x"])
    assert (made.id, made.dim, made._client.api_key) == ("openai:embed-small:2", 2, "key")
    assert made._client.asked == [(1, {"dimensions": 2})]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0.0, 0.0], "a vector that is zero or not finite"),
        ([float("nan"), 1.0], "a vector that is zero or not finite"),
        (1.0, r"the wrong shape \(got \(1,\), want \(1, dim\)\)"),
    ],
)
def test_a_useless_answer_is_refused(
    row: object, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, "openai", OpenAI=Endpoint)
    made = load("openai:embed-small", api_key="key")
    made._client.row = lambda _: row
    with pytest.raises(ValueError, match=rf"^embed: openai:embed-small answered with {message}"):
        made.embed(["x"])


_loaded: list[Embedder] = []


def load_once() -> Embedder:
    if not _loaded:
        _loaded.append(load("default"))
    return _loaded[0]


def forget_provider(monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    name = f"remanence.models.providers.{EXTRAS[extra]}"
    monkeypatch.delitem(sys.modules, name, raising=False)


def stand_in(monkeypatch: pytest.MonkeyPatch, extra: str, **names: object) -> None:
    module = ModuleType(EXTRAS[extra])
    module.__dict__.update(names)
    monkeypatch.setitem(sys.modules, EXTRAS[extra], module)
    forget_provider(monkeypatch, extra)


def assert_rows(made: Embedder, name: str, dim: int) -> None:
    assert isinstance(made, Embedder)
    assert (made.id, made.dim) == (name, dim)
    rows = made.embed(["abcd", "x"])
    np.testing.assert_allclose(rows, [[0.6, 0.8], np.array([3, 1]) / np.sqrt(10)], atol=1e-6)
    assert rows.dtype == np.float32
    assert made.embed([]).shape == (0, dim)
