"""What is usual, in round numbers: 100 minutes of music, for the tests of findings."""

from __future__ import annotations

from tocco.pseudo_labels.norms.competent import Competent, PlaceRates, UsualRange

LATE = tuple(0.1 * k for k in range(1, 11))


def ranges(least: float, low: float, middle: float, high: float, most: float) -> UsualRange:
    return UsualRange(least=least, low=low, middle=middle, high=high, most=most, n_stretches=100)


def competent() -> Competent:
    """Ten late notes of 0.1 to 1.0 s in 100 minutes, and measures of 15 s and more and of 30 s and more."""
    share = ranges(0.0, 0.002, 0.01, 0.02, 0.05)
    measures = {
        "note_accuracy": {f"{kind}_share": share for kind in ("wrong", "missing", "extra")},
        "dynamics_control": {"level_range": ranges(10, 20, 30, 40, 50)},
        "rhythmic_precision": {"hesitation": ranges(0, 0, 1, 4, 9)},
    }
    return Competent.model_validate(
        {
            "pool": {
                "corpora": {"toy": 100},
                "n_performances": 100,
                "seed": 1,
                "pieces": ("a",),
                "labels_sha256": "0",
                "content_sha256": "0",
            },
            "minutes": 100.0,
            "lengths": (
                {
                    "from_sec": 15.0,
                    "measures": {"dynamics_control": {"level_range": ranges(5, 15, 25, 35, 45)}},
                },
                {"from_sec": 30.0, "measures": measures},
            ),
            "places": {
                "rhythmic_precision": {"late": PlaceRates(n_places=400, size=LATE)},
                "pedaling_technique": {"hole": PlaceRates(n_places=50, size=(1.0,) * 50)},
            },
        }
    )
