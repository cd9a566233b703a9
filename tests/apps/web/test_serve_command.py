"""`tocco serve`: its options, its address, and what it refuses."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tocco.apps.cli.main import app
from tocco.apps.commands.serve import address_of, check
from tocco.apps.web import settings as web_settings
from tocco.errors import BundleError, InputError, OutputError, ToccoError, UsageError
from tocco.inference.bundle import CHECKSUMS, bundled_path
from web_example import SECRET, served, settings


def refused(*options: str) -> str:
    result = CliRunner().invoke(app, ["serve", *options])
    assert isinstance(result.exception, ToccoError), result.output
    return str(result.exception)


def test_other_machines_need_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOCCO_SECRET", raising=False)
    library = ("-o", str(tmp_path))
    assert refused(*library, "--host", "0.0.0.0") == (
        "--host: is 0.0.0.0, which other machines reach, and there is no secret. "
        "Next: set TOCCO_SECRET to one, or leave out --host."
    )
    assert refused(*library, "--host", "0.0.0.0", "--secret", "elevenchars") == (
        "--secret: has 11 characters (allowed: at least 12). Next: choose a longer one."
    )
    check(settings(tmp_path, host="0.0.0.0", secret="twelve chars"))
    for host in ("localhost", "127.0.0.1", "::1"):
        check(settings(tmp_path, host=host))


def test_the_secret_comes_from_the_surroundings_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("tocco.apps.commands.serve.run", seen.append)
    monkeypatch.setenv("TOCCO_SECRET", SECRET)
    CliRunner().invoke(app, ["serve", "-o", str(tmp_path)])
    CliRunner().invoke(app, ["serve", "-o", str(tmp_path), "--secret", "another secret"])
    monkeypatch.setenv("TOCCO_SECRET", "")
    CliRunner().invoke(app, ["serve", "-o", str(tmp_path)])
    assert [one.secret for one in seen] == [SECRET, "another secret", None]
    assert SECRET not in repr(seen[0])


def test_the_options_become_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("tocco.apps.commands.serve.run", seen.append)
    limits = ("--time-limit", "2", "--memory-limit", "3", "--upload-limit", "5", "--jobs", "4")
    CliRunner().invoke(app, ["serve", "-o", str(tmp_path), *limits, "--name", "piano.lan"])
    assert seen[0] == settings(
        tmp_path,
        names=("piano.lan",),
        upload_bytes=5_000_000,
        jobs=web_settings.JobLimits(at_once=4, time_sec=120.0, memory_bytes=3_000_000_000),
    )


def test_a_folder_of_scores_has_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        check(settings(tmp_path, scores=tmp_path / "none"))


def test_a_bundle_has_to_be_one(tmp_path: Path) -> None:
    for given in (tmp_path / "none", tmp_path):
        with pytest.raises(BundleError, match=f"is no bundle: it has no {CHECKSUMS}"):
            check(settings(tmp_path, bundle=given))
    check(settings(tmp_path, bundle=bundled_path()))


@pytest.mark.parametrize("host", ["192.0.2.1", "not.a.name.invalid"])
def test_a_host_of_another_machine_is_said(tmp_path: Path, host: str) -> None:
    said = refused("-o", str(tmp_path), "--port", "0", "--host", host, "--secret", SECRET)
    assert said.startswith(f"--host: is {host}, which is no name or address of this machine. Next: give")


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused("-o", str(tmp_path), "--port", str(port))
    assert said.startswith(f"--port: {port} at localhost cannot be listened to (Address already in use)")
    assert "--port 0" in said


def test_a_library_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "library.sqlite").write_bytes(b"no database at all, but long enough to be read as one" * 20)
    said = refused("-o", str(tmp_path), "--port", "0")
    assert said.startswith(f"{tmp_path / 'library.sqlite'}: is no library (file is not a database)")


def test_a_library_of_a_later_release_is_left_alone(tmp_path: Path) -> None:
    from tocco.apps.web.library.database import Database

    with Database(tmp_path / "library.sqlite").writing() as connection:
        connection.execute("PRAGMA user_version = 7")
    said = refused("-o", str(tmp_path), "--port", "0")
    assert "is a library of a later release (version 7) (allowed: version 1)" in said


def test_a_file_in_place_of_the_library_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        raise_refused(tmp_path / "file")


def raise_refused(library: Path) -> None:
    result = CliRunner().invoke(app, ["serve", "-o", str(library), "--port", "0"])
    assert result.exception is not None
    raise result.exception


@pytest.mark.parametrize(
    ("host", "names", "expected"),
    [
        ("localhost", (), "http://localhost:"),
        ("::1", (), "http://localhost:"),
        ("192.0.2.7", (), "http://192.0.2.7:"),
        ("2001:db8::7", (), "http://[2001:db8::7]:"),
        ("0.0.0.0", ("piano.lan",), "http://piano.lan:"),
    ],
)
def test_the_address_is_one_to_type(tmp_path: Path, host: str, names: tuple[str, ...], expected: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = settings(tmp_path, host=host, names=names)
        assert address_of(made, listener) == f"{expected}{listener.getsockname()[1]}"


def test_the_library_is_where_the_platform_wants_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOCCO_LIBRARY", str(tmp_path / "mine"))
    assert web_settings.default_library() == tmp_path / "mine"
    monkeypatch.delenv("TOCCO_LIBRARY")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert web_settings.default_library() == tmp_path / "tocco" / "library"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert web_settings.default_library() == Path.home() / ".local" / "share" / "tocco" / "library"


def test_it_answers_says_its_address_once_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    with served(tmp_path / "library") as server, server.client() as client:
        page = client.get("/", headers={"accept": "text/html"})
        assert page.status_code == 200
        assert "server" not in page.headers
        another = CliRunner().invoke(app, ["serve", "-o", str(tmp_path / "library"), "--port", "0"])
        assert isinstance(another.exception, UsageError)
        assert "which another tocco serve has open" in str(another.exception)
        os.kill(server.process.pid, signal.SIGINT)
        assert server.process.wait(timeout=30) in (0, 130)
        assert server.process.stdout is not None
        assert server.process.stdout.read() == ""
