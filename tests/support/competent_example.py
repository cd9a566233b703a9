"""What is usual, in round numbers: 100 minutes of music, for the tests of findings."""

from __future__ import annotations

from tocco.pseudo_labels.norms.competent import Competent, PlaceRates, UsualRange

LATE = tuple(0.1 * k for k in range(1, 11))


def competent() -> Competent:
    """Ten late notes of 0.1 to 1.0 s in 100 minutes, and some measures."""
    share = UsualRange(least=0.0, low=0.002, middle=0.01, high=0.02, most=0.05, n_performances=100)
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
            "measures": {
                "note_accuracy": {f"{kind}_share": share for kind in ("wrong", "missing", "extra")},
                "dynamics_control": {
                    "level_range": UsualRange(
                        least=10.0, low=20.0, middle=30.0, high=40.0, most=50.0, n_performances=100
                    ),
                },
                "rhythmic_precision": {
                    "hesitation": UsualRange(
                        least=0.0, low=0.0, middle=1.0, high=4.0, most=9.0, n_performances=100
                    )
                },
            },
            "places": {
                "rhythmic_precision": {"late": PlaceRates(n_places=400, size=LATE)},
                "pedaling_technique": {"hole": PlaceRates(n_places=50, size=(1.0,) * 50)},
            },
        }
    )
