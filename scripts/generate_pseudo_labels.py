"""Door to `tocco pseudo-label`: `python scripts/generate_pseudo_labels.py MANIFEST -o FILE.jsonl`."""

from tocco.apps.cli.main import door

if __name__ == "__main__":
    door("pseudo-label", "label")
