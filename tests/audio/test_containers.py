"""What a file is, identified by its content."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocco.audio.containers import identify_container
from tocco.errors import InputError


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"RIFF\x24\0\0\0WAVEfmt ", "WAV"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "WAV"),
        (b"FORM\0\0\0\x20AIFFCOMM", "AIFF"),
        (b"fLaC\0\0\0\x22", "FLAC"),
        (b"OggS\0\2" + bytes(20) + b"\1\x1e\x01vorbis", "OGG"),
        (b"OggS\0\2" + bytes(20) + b"\1\x13OpusHead", "Opus"),
        (b"\0\0\0\x1cftypM4A \0\0\2\0", "M4A"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86", "WebM"),
        (b"\xff\xfb\x90\x64\0\0", "MP3"),
        (b"\xff\xf1\x50\x80\0\x1f", "AAC"),
        (b"ID3\4\0\0\0\0\0\2xx\xff\xfb\x90\x64", "MP3"),
        (b"ID3\4\0\0\0\0\0\2xx\xff\xf1\x50\x80", "AAC"),
        (b"ID3\4\0\0\0\0\0\2xxfLaC\0\0\0\x22", "FLAC"),
    ],
)
def test_each_kind_is_known_by_its_first_bytes(tmp_path: Path, head: bytes, kind: str) -> None:
    path = tmp_path / "take.anything"
    path.write_bytes(head + bytes(64))
    assert identify_container(path).kind == kind


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"MThd\0\0\0\6\0\1\0\1\1\xe0", "a MIDI file"),
        (b"RIFF\x24\0\0\0RMIDdata", "a MIDI file"),
        (b"RIFF\x24\0\0\0AVI LIST", "a RIFF file without sound"),
        (b"PK\x03\x04\x14\0", "a ZIP archive or compressed MusicXML"),
        (b'<?xml version="1.0"?>\n<score-partwise version="4.0">', "a MusicXML score"),
        (b"<!doctype html><html>", "an XML or HTML file"),
        ("Überschrift, äöü, Ω\n".encode() * 100, "a text file"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture"),
        (b"\xff\xfe<\0?\0x\0m\0l\0", "unknown binary data (first bytes ff fe 3c 00)"),
        (bytes(range(256)), "unknown binary data (first bytes 00 01 02 03)"),
    ],
)
def test_what_is_not_audio_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "take.wav"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        identify_container(path)
    assert f"is not audio: it looks like {words}" in str(caught.value)
    assert "allowed: WAV" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_path_without_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.wav: does not exist"):
        identify_container(tmp_path / "gone.wav")
    with pytest.raises(InputError, match="is a folder"):
        identify_container(tmp_path)
    (tmp_path / "empty.wav").touch()
    with pytest.raises(InputError, match=r"is empty \(0 bytes\)"):
        identify_container(tmp_path / "empty.wav")
