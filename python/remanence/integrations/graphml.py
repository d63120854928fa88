"""Graphs of statements as GraphML files, and back; written with the standard library alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from ..memory.errors import InvalidArgumentError
from ..memory.graph_table import EdgeTable, Name
from .tables import Tabled, build, edge_rows, table_from

SPACE = "http://graphml.graphdrawing.org/xmlns"
_EDGE_KEYS = {
    "type": "string", "confidence": "double", "valid_from": "long", "valid_to": "long",
    "known_from": "long", "known_to": "long",
}  # fmt: skip
_PARSERS: dict[str, Any] = {
    "int": int, "long": int, "float": float, "double": float, "string": str,
    "boolean": lambda text: text.strip().lower() in ("true", "1"),
}  # fmt: skip
# What XML 1.0 cannot hold, not even escaped; a carriage return would come back as a newline.
_UNWRITABLE = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_graphml(graph: Tabled, path: str | Path, *, history: bool = False) -> None:
    """Write a directed GraphML file; an open end is left out. history: closed edges, too.

    Nodes carry `name`, or `number` where it is an integer.
    """
    table = table_from(graph, history=history)
    for text in (*table.nodes, *table.types):
        if isinstance(text, str) and _UNWRITABLE.search(text):
            raise InvalidArgumentError(
                f"write_graphml: {text!r:.40} holds a character that XML does not allow"
            )
    with Path(path).open("w", encoding="utf-8") as file:
        xml = XMLGenerator(file, "utf-8", short_empty_elements=True)
        xml.startDocument()
        _open(xml, "graphml", {"xmlns": SPACE})
        keys = [("node", "name", "string"), ("node", "number", "long")]
        keys += [("edge", name, kind) for name, kind in _EDGE_KEYS.items()]
        for where, name, kind in keys:
            attributes = {"id": name, "for": where, "attr.name": name, "attr.type": kind}
            _open(xml, "key", attributes)
            xml.endElement("key")
        _open(xml, "graph", {"edgedefault": "directed"})
        for i, node in enumerate(table.nodes):
            _open(xml, "node", {"id": f"n{i}"})
            _data(xml, "number" if isinstance(node, int) else "name", node)
            xml.endElement("node")
        for source, target, given in edge_rows(table):
            _open(xml, "edge", {"source": f"n{source}", "target": f"n{target}"})
            for name, value in given.items():
                if value is not None:
                    _data(xml, name, value)
            xml.endElement("edge")
        xml.endElement("graph")
        xml.endElement("graphml")
        xml.endDocument()


def _open(xml: XMLGenerator, tag: str, attributes: dict[str, str]) -> None:
    xml.startElement(tag, AttributesImpl(attributes))


def _data(xml: XMLGenerator, key: str, value: Any) -> None:
    _open(xml, "data", {"key": key})
    xml.characters(repr(value) if isinstance(value, float) else str(value))
    xml.endElement("data")


def read_graphml(path: str | Path, *, confidence: str = "confidence") -> EdgeTable:
    """A GraphML file as a table; a node without a name is its id.

    confidence: the edge attribute that holds it. An undirected edge becomes one each way.
    """
    verb = "read_graphml"
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise InvalidArgumentError(f"{verb}: {path} is not XML ({error})") from None
    if _tag(root) != "graphml":
        raise InvalidArgumentError(f"{verb}: {path} is not GraphML (it begins with {_tag(root)})")
    keys = {
        key.get("id", ""): (key.get("attr.name", ""), key.get("attr.type", "string"))
        for key in _children(root, "key")
    }
    graph = next(_children(root, "graph"), None)
    if graph is None:
        raise InvalidArgumentError(f"{verb}: {path} holds no graph")
    names: dict[str, Name] = {}
    for node in _children(graph, "node"):
        given = _attributes(verb, node, keys)
        number = node.get("id", "")
        names[number] = given.get("name", given.get("number", number))
    directed = graph.get("edgedefault", "directed") == "directed"
    edges = []
    for edge in _children(graph, "edge"):
        ends = edge.get("source", ""), edge.get("target", "")
        if ends[0] not in names or ends[1] not in names:
            raise InvalidArgumentError(f"{verb}: an edge names a node that is not there {ends}")
        edges.append((names[ends[0]], names[ends[1]], _attributes(verb, edge, keys)))
    return build(verb, names.values(), edges, confidence=confidence, both_ways=not directed)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: ElementTree.Element, tag: str) -> Iterator[ElementTree.Element]:
    return (child for child in element if _tag(child) == tag)


def _attributes(
    verb: str, element: ElementTree.Element, keys: dict[str, tuple[str, str]]
) -> dict[str, Any]:
    found = {}
    for data in _children(element, "data"):
        name, kind = keys.get(data.get("key", ""), (data.get("key", ""), "string"))
        try:
            found[name] = _PARSERS.get(kind, str)(data.text or "")
        except ValueError:
            raise InvalidArgumentError(
                f"{verb}: {name} is not of type {kind} (got {data.text!r:.40})"
            ) from None
    return found
