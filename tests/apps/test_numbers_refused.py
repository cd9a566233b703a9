"""Numbers out of range end as wrong usage, before a file is read or a network asked."""

import pytest
from typer.testing import CliRunner

from tocco.apps.cli.main import app

WRONG_USAGE = 2


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["data", "maestro", "--subset", "0", "--dry-run"], "--subset"),
        (["data", "maestro", "--subset", "-1", "--dry-run"], "--subset"),
        (["data", "maestro", "--jobs", "0"], "--jobs"),
        (["data", "render", "take.mid", "-o", "out", "--jobs", "0"], "--jobs"),
        (["data", "render", "take.mid", "-o", "out", "--seed", "-1"], "--seed"),
        (["data", "prepare", "--labels", "labels.jsonl", "-o", "out", "--jobs", "0"], "--jobs"),
        # A negative number would slice the list of corruptions from its end: nearly all of them.
        (["pseudo-label", "all.jsonl", "-o", "labels.jsonl", "--corrupt", "-1"], "--corrupt"),
    ],
)
def test_a_number_out_of_range_is_wrong_usage(tmp_path, monkeypatch, arguments, option):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == WRONG_USAGE
    assert f"Invalid value for '{option}'" in result.output
    assert list(tmp_path.iterdir()) == []
