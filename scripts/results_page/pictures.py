"""Pictures that are in results/, by relative link."""

from __future__ import annotations

from typing import Final

from results_page.sources import Sources

PICTURES: Final = {
    "perception/cross_validation_scatter.png": "Ratings that people see against listeners, held out",
    "statistics_models/cv4_cluster/cross_validation_scatter.png": "Model of listeners, held out",
    "statistics_models/cv4_cluster/cross_validation_r2.png": "R2 of each target, model of listeners",
    "perception/cross_validation_reliability.png": "Reliability diagram, ratings that people see",
    "calibration_methods/reliability.png": "Reliability by method of calibration",
    "validity/after/validity.png": "Change of the ratings by damage and severity",
    "training/midi_pretrain/curves.png": "Loss curves, pre-training of the note encoder",
    "training/pseudo_labels/curves.png": "Loss curves, pre-training on pseudo-labels",
    "training/percepiano/curves.png": "Loss curves, training on listeners' ratings",
    "ablations.png": "Ablations, R2 minus that of the full network",
    "ablations/ablations.png": "Ablations, R2 minus that of the full network",
    "labelling/active_learning.png": "R2 by number of rated excerpts, chosen and drawn",
    "attention/minuet_attention.png": "Attention over time: almost even, no reason for a rating",
}
"""Path below results/ -> caption."""


def section(sources: Sources) -> str:
    """A paragraph for each picture that is there."""
    there = [(path, caption) for path, caption in PICTURES.items() if sources.is_there(f"results/{path}")]
    return "\n\n".join(f"{caption}:\n\n![{caption}]({path})" for path, caption in there)
