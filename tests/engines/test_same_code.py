"""Machines that may work together, and machines that may not."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

import pytest

import tocco
from tocco.engines.same_code import assert_same_code, code_here
from tocco.errors import MismatchError


def test_the_code_is_the_source_and_what_it_computes_with() -> None:
    here = code_here()
    assert here["python"] == platform.python_version()
    assert here["numpy"] == version("numpy")
    root = Path(str(tocco.__file__)).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    assert here["tocco"] == f"{version('tocco')} ({digest.hexdigest()[:12]})"


def test_what_differs_is_named() -> None:
    assert_same_code(code_here())
    with pytest.raises(
        MismatchError, match=r"^worker .*: has numpy [\d.]+ for 1\.0\. Next: install the same"
    ):
        assert_same_code({**code_here(), "numpy": "1.0"})
    with pytest.raises(MismatchError, match=r"has tocco .* for 0\.0, scipy .* for 0\.1"):
        assert_same_code({**code_here(), "tocco": "0.0", "scipy": "0.1"})
