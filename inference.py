"""Entry point of `tocco assess`: the same options, as `python inference.py ...`."""

from tocco.apps.cli.main import entry_point

if __name__ == "__main__":
    entry_point("assess")
