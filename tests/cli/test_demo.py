"""The demo: a newcomer's first minute, so every claim that it makes is checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import remanence
from remanence.cli import main


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the demo prints, and the store that it keeps; run once for all tests here."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("builtins.print", lambda *parts, **_: lines.append(" ".join(map(str, parts))))
        assert main(["demo", "--keep", str(folder)]) == 0
    return "\n".join(lines), folder / "demo.remanence"


def section(text: str, heading: str) -> str:
    return text.split(f"== {heading}", 1)[1].split("\n== ", 1)[0]


def test_the_first_answers_are_right(shown: tuple[str, Path]) -> None:
    text = section(shown[0], "What is recalled, and why")
    first = re.findall(r"\?\n  \d{4}-\d\d-\d\d  (.*)", text)
    assert len(first) == 3
    assert "Campo de Ourique" in first[0]
    assert "Oye introduced me to Filipa" in first[1]
    assert "hazelnut" in first[2]


def test_every_first_answer_says_why(shown: tuple[str, Path]) -> None:
    text = section(shown[0], "What is recalled, and why")
    assert len(re.findall(r"why: \w.*\n +\w.*bias -9\.50  = -?\d", text)) == 3


def test_habits_are_alive_and_unused_things_fade(shown: tuple[str, Path]) -> None:
    text = section(shown[0], "What is alive, and what has faded")
    rows = re.findall(r"^(.*?)  .* (-?\d+\.\d\d)$", text, re.MULTILINE)
    now = {name.strip(): float(value) for name, value in rows}
    alive, known, faded = (
        now[name]
        for name in ("Mãe calls on Sundays", "the Coina footbridge", "the bike lock's code")
    )
    assert alive > known > faded


def test_the_deadline_moves(shown: tuple[str, Path]) -> None:
    text = section(shown[0], "How a fact changed")
    answers = re.findall(r"^(2025-\d\d-\d\d)  .*due on (?:Friday )?(\d+ \w+)", text, re.MULTILINE)
    assert answers == [
        ("2025-07-01", "30 September"),
        ("2025-09-15", "14 November"),
        ("2025-11-20", "5 December"),
    ]
    assert len(re.findall(r"due on 30 September 2025\.$", text, re.MULTILINE)) == 3


def test_march_2025_believed_in_porto(shown: tuple[str, Path]) -> None:
    text = section(shown[0], "What did we believe in March 2025?")
    then, today = re.findall(r"^(?:as of \S+|today) +(.*)$", text, re.MULTILINE)
    assert "Porto office" in then
    assert "1 May" in then
    assert "Lisbon" in today
    assert "14 April" in today


def test_the_context_remembers_the_allergy(shown: tuple[str, Path]) -> None:
    text = section(shown[0], "A context for a prompt")
    assert "allergic to hazelnuts" in text


def test_the_kept_store_is_whole(shown: tuple[str, Path]) -> None:
    with remanence.open(shown[1], read_only=True) as memory:
        assert memory.verify().ok
        assert memory.stats().memories >= 376


def test_a_folder_in_use_is_refused(
    shown: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before = shown[1].read_bytes()
    assert main(["demo", "--keep", str(shown[1].parent)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert shown[1].read_bytes() == before
