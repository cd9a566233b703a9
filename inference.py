"""Door to `tocco assess`: the same options, as `python inference.py ...`."""

from tocco.apps.cli.main import door

if __name__ == "__main__":
    door("assess")
