"""Marking schemes: those that ship, a user's own, and every fault of one."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tocco.errors import InputError
from tocco.marking.scheme import SHIPPED, load_scheme, read_scheme
from tocco.marking.scheme_marks import band_of

FOLDER = Path(__file__).parents[2] / "src" / "tocco" / "marking" / "schemes"

OWN: dict[str, Any] = {
    "schema_version": 1,
    "name": "mine",
    "title": "My studio",
    "board": "My studio",
    "link": "https://example.org/studio",
    "convention": "Chosen by me.",
    "criteria": [
        {
            "title": "Notes",
            "meaning": "the right ones",
            "weights": {"note_accuracy": 1.0},
            "anchors": [[0, 0], [90, 5], [100, 10]],
            "bands": [{"name": "low", "from_mark": 0}, {"name": "high", "from_mark": 5}],
        },
        {
            "title": "Music",
            "meaning": "what comes through",
            "weights": {"phrasing": 0.5, "musicality": 0.5},
            "anchors": [[0, 0], [100, 10]],
        },
    ],
    "total": {"title": "All", "by": "mean", "weights": [0.4, 0.6]},
}


def written(tmp_path: Path, fields: Any) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(fields if isinstance(fields, str) else yaml.safe_dump(fields), encoding="utf-8")
    return path


def test_the_files_that_ship_are_those_that_are_named():
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == sorted(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_scheme_that_ships_says_where_it_comes_from_and_that_its_anchors_are_a_convention(name):
    scheme = load_scheme(name)
    assert scheme.name == name
    assert "is a convention of tocco, not a measured equivalence" in " ".join(scheme.convention.split())
    assert scheme.link.startswith("https://www.")
    assert re.fullmatch(r"[0-9a-f]{64}", scheme.sha256)
    for criterion in scheme.criteria:
        assert "pedaling_technique" not in criterion.weights  # a recording alone would never have it
        assert sum(criterion.weights.values()) == pytest.approx(1.0)
    used = {dimension for criterion in scheme.criteria for dimension in criterion.weights}
    assert len(used) == 9


BANDS = {
    "abrsm": (30.0, [(20, "below pass", "pass"), (24, "pass", "merit"), (27, "merit", "distinction")]),
    "rcm": (
        100.0,
        [
            (60, "below pass", "pass"),
            (70, "pass", "honours"),
            (80, "honours", "first class honours"),
            (90, "first class honours", "first class honours with distinction"),
        ],
    ),
    "trinity": (
        22.0,
        [(13.2, "below pass", "pass"), (16.5, "pass", "merit"), (19.1, "merit", "distinction")],
    ),
}
"""Scheme -> marks of a piece, and where each band begins; of Trinity 60, 75 and 87 % of 22."""


@pytest.mark.parametrize("name", SHIPPED)
def test_the_bands_begin_where_the_board_has_them(name):
    scheme = load_scheme(name)
    highest, limits = BANDS[name]
    assert scheme.highest == pytest.approx(highest)
    assert scheme.lowest == 0.0
    assert [band.from_mark for band in scheme.total.bands] == [0.0, *(limit for limit, _, _ in limits)]
    for limit, below, above in limits:
        assert band_of(scheme.total.bands, limit - 0.1) == below
        assert band_of(scheme.total.bands, limit) == above
    for criterion in scheme.criteria:
        assert criterion.bands in ((), scheme.total.bands)


LEVELS = {
    "abrsm": ({"Pitch": 1, "Time": 0, "Tone": 0, "Shape": 0, "Performance": 0}, [17, 22, 26, 29]),
    "rcm": (
        {
            "Accuracy of notes and rhythm": 0.5,
            "Touch and tone": 0,
            "Dynamics and phrasing": 0,
            "Interpretation": 0,
        },
        [52, 68, 82, 94],
    ),
    "trinity": ({"Fluency and accuracy": 0.5, "Technique": 0}, [3.7, 4.8, 5.8, 6.7]),
}
"""Scheme -> share of note accuracy in a criterion, and the marks at 30, 50, 70 and 90 of the rating guide."""


@pytest.mark.parametrize("name", SHIPPED)
def test_the_levels_of_the_rating_guide_have_the_stated_marks(name):
    """note_accuracy is a share of notes: its 90, 96, 99 and 100 stand for 30, 50, 70 and 90."""
    shares, wanted = LEVELS[name]
    criteria = {criterion.title: criterion for criterion in load_scheme(name).criteria}
    assert set(shares) <= set(criteria)
    for title, share in shares.items():
        anchors = dict(criteria[title].anchors)
        pairs = list(zip((90, 96, 99, 100), (30, 50, 70, 90), wanted, strict=True))
        for notes, level, mark in pairs[: 3 if share == 1 else 4]:
            assert anchors[share * notes + (1 - share) * level] == mark


def test_the_two_scales_of_trinity_have_the_same_shares():
    scheme = load_scheme("trinity")
    assert [criterion.highest for criterion in scheme.criteria] == [7.0, 7.0, 8.0]
    eight = dict(scheme.criteria[2].anchors)
    seven = dict(scheme.criteria[1].anchors)
    assert {level: round(mark / 8.0, 1) for level, mark in eight.items()} == {
        level: round(mark / 7.0, 1) for level, mark in seven.items()
    }


def test_a_scheme_of_a_user_is_read(tmp_path):
    scheme = load_scheme(str(written(tmp_path, OWN)))
    assert (scheme.title, scheme.lowest, scheme.highest) == ("My studio", 0.0, 10.0)
    assert scheme.shares == (0.4, 0.6)
    assert load_scheme(str(tmp_path / "my.yaml")) == scheme
    total = OWN["total"] | {"by": "sum", "weights": []}
    assert read_scheme(written(tmp_path, OWN | {"total": total})).highest == 20.0


def change(path: str, value: Any) -> dict[str, Any]:
    """The scheme with one value replaced; None removes it."""
    fields = copy.deepcopy(OWN)
    *parents, last = path.split("/")
    inner: Any = fields
    for parent in parents:
        inner = inner[int(parent)] if parent.isdigit() else inner[parent]
    if value is None:
        del inner[last]
    else:
        inner[int(last) if last.isdigit() else last] = value
    return fields


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("titel", "x", "'titel' is unknown, did you mean 'title'"),
        ("name", None, "has no 'name'"),
        ("schema_version", 2, "schema_version: Input should be 1 (got 2)"),
        ("link", "http://example.org", "link: "),
        ("link", 'https://a"onclick=', "link: "),
        ("link", "javascript:alert(1)", "link: "),
        ("criteria/0/weights", {"note_acuracy": 1.0}, "criteria.0.weights: 'note_acuracy' is unknown"),
        ("criteria/1/weights", {"phrasing": 0.5}, "criteria.1.weights: sum to 0.5, not 1"),
        ("criteria/1/weights", {"phrasing": 1.5, "musicality": -0.5}, "criteria.1.weights.phrasing"),
        ("criteria/0/anchors", [[0, 0], [90, 5]], "criteria.0.anchors: go from 0 to 90, not from 0 to 100"),
        ("criteria/0/anchors", [[0, 0], [50, 8], [100, 6]], "[100, 6] does not lie above [50, 8]"),
        ("criteria/0/anchors", [[0, 0], [50, 5], [50, 6], [100, 9]], "[50, 6] does not lie above [50, 5]"),
        ("criteria/0/anchors", [[0, 3], [100, 3]], "criteria.0.anchors: give 3 to every rating"),
        ("criteria/0/anchors", [[0, 0]], "criteria.0.anchors"),
        ("criteria/0/bands/1/from_mark", 11, "bands: the last begins at 11, and marks end at 10"),
        ("criteria/0/bands/0/from_mark", 1, "bands: the first begins at 1, and marks at 0"),
        ("criteria/0/bands/1/from_mark", 0, "bands: 0, 0 do not rise"),
        ("criteria", [], "criteria: "),
        ("criteria/1/title", "Notes", "two criteria have one title"),
        ("total/weights", [0.4], "total.weights: 2 that sum to 1 are wanted, got [0.4]"),
        ("total/weights", [0.4, 0.4], "total.weights: 2 that sum to 1 are wanted"),
        ("total/by", "sum", "total.weights: a sum has none"),
        ("total/by", "median", "total.by: "),
        ("criteria/1/anchors", [[0, 0], [100, 20]], "a mean needs criteria that end at the same marks"),
        ("total/bands", [{"name": "all", "from_mark": 2}], "bands: the first begins at 2"),
        ("sha256", "0" * 64, "sha256: is found by tocco"),
    ],
)  # fmt: skip
def test_every_fault_is_named_where_it_is(tmp_path, path, value, said):
    with pytest.raises(InputError) as caught:
        read_scheme(written(tmp_path, change(path, value)))
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "my.yaml"))
    assert said in message
    assert "docs/marking_schemes.md" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nname: b\n", "is no YAML (the key 'name' stands twice at line 2, column 1)"),
        ("name: [1, 2\n", "is no YAML ("),
        ("- 1\n", "is no marking scheme"),
        ("", "is no marking scheme"),
        ("x: !!python/object/apply:os.system ['true']\n", "is no YAML (could not determine a constructor"),
    ],
)
def test_what_is_no_yaml_is_refused(tmp_path, text, said):
    with pytest.raises(InputError, match=re.escape(said)):
        read_scheme(written(tmp_path, text))


def test_an_unknown_name_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"--rubric: is 'abrms' \(allowed: abrsm, rcm, trinity, or a .yaml file\)"
    ):
        load_scheme("abrms")
    with pytest.raises(InputError, match="cannot be read"):
        load_scheme(str(tmp_path / "none.yaml"))


def test_the_scheme_in_the_documentation_is_valid_and_its_table_is_that_of_the_files(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "marking_schemes.md").read_text(encoding="utf-8")
    scheme = read_scheme(written(tmp_path, text.partition("```yaml\n")[2].partition("```")[0]))
    assert [one.title for one in scheme.criteria] == ["Notes and rhythm", "Music"]
    tone, touch, technique = (
        dict(load_scheme(name).criteria[at].anchors)
        for name, at in (("abrsm", 2), ("rcm", 1), ("trinity", 1))
    )
    for level, notes in zip((30, 50, 70, 90), (90, 96, 99, 100), strict=True):
        cells = f"| {tone[level]:g} | {touch[level]:g} | {technique[level]:g} | {notes} |"
        assert any(row.startswith(f"| {level} |") and row.endswith(cells) for row in text.splitlines())
