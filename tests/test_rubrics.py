"""What a rating says in words."""

from __future__ import annotations

from pathlib import Path

from tocco.rubrics import LEVELS, TOCCO10, Meaning


def test_every_dimension_says_what_each_level_sounds_like():
    for dimension in TOCCO10.dimensions:
        assert tuple(dimension.meaning.at)[: len(LEVELS)] == LEVELS
        assert len(set(dimension.meaning.at.values())) == len(dimension.meaning.at)


def test_a_rating_sounds_like_the_nearest_level():
    meaning = Meaning({10: "bad", 50: "fair", 90: "good"})
    assert (meaning.low, meaning.middle, meaning.high) == ("bad", "fair", "good")
    assert [meaning.nearest(rating) for rating in (0, 29.0, 31.0, 71.0, 100)] == [
        "bad",
        "bad",
        "fair",
        "good",
        "good",
    ]


def test_the_rating_guide_has_these_words():
    guide = (Path(__file__).parents[1] / "docs" / "rating_guide.md").read_text(encoding="utf-8")
    for dimension in TOCCO10.dimensions:
        for level, words in dimension.meaning.at.items():
            assert f"| {level} | {words} |" in guide
