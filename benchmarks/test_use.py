"""The verbs use and ask: their rows are there, and every answer is checked."""

from __future__ import annotations

import json

import pytest

from benchmarks.__main__ import main
from benchmarks.test_quality import DATA


@pytest.mark.parametrize("verb", ["ask", "use"])
def test_the_last_line_is_json_and_every_row_is_checked(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if verb == "use" and not (DATA / "locomo").is_dir():
        pytest.skip(f"no data in {DATA}: name its folder in REMANENCE_SHARED_DATA")
    assert main([verb, "--quick"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["verb"] == verb
    assert len(found["rows"]) >= 3
    assert all(row["checked"] for row in found["rows"])
