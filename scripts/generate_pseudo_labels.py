"""Entry point of `tocco pseudo-label`: `python scripts/generate_pseudo_labels.py MANIFEST -o FILE.jsonl`."""

from tocco.apps.cli.main import entry_point

if __name__ == "__main__":
    entry_point("pseudo-label", "label")
