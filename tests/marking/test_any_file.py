"""Whatever a file holds, it is read or refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocco.errors import ToccoError
from tocco.marking.calibration import read_calibration
from tocco.marking.scheme import read_scheme
from tocco.marking.table import read_table

SCHEME = (Path(__file__).parents[2] / "src/tocco/marking/schemes/abrsm.yaml").read_text(encoding="utf-8")
TABLE = "id,phrasing,mark,piece\na,3,4.5,minuet\nb,,2,\n"
CALIBRATION = (
    '{"kind": "personal calibration", "schema_version": "1.0", "name": "a", "maps": {}, "scales": {}}'
)
READERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "my.csv": (read_table, TABLE),
    "my.yaml": (read_scheme, SCHEME),
    "me.json": (read_calibration, CALIBRATION),
}
SIGNS = (
    "\0",
    "\r",
    "\n",
    '"',
    ",",
    ";",
    "\t",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "!!set ",
    "<<: ",
    "? ",
)
WORDS = (
    "nan",
    ".inf",
    "1e999",
    "9" * 5000,
    "2001-01-01",
    "true",
    "null",
    "\ud800",
    "\ufeff",
    "é",
    "-1",
    "weights",
)
PARTS = st.sampled_from(SIGNS + WORDS)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_in_one_line(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    read, text = READERS[name]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        text = text[:start] + data.draw(st.one_of(PARTS, st.text(max_size=4))) + text[end:]
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    said = ""
    try:
        read(path)
    except ToccoError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1
