"""Entry point of `tocco assess`: the same options, as `python inference.py ...`.

    python inference.py --audio take.flac --midi take.mid --score piece.musicxml --checkpoint BUNDLE -o report

prints the ratings with their intervals and the aggregate, and writes into `report` the JSON, the report, the
curves and the attention of the network (`take_attention.png`, `take_attention_curve.png`).
"""

from tocco.apps.cli.main import entry_point

if __name__ == "__main__":
    entry_point("assess")
