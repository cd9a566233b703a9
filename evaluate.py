"""Entry point of `tocco evaluate`: the same options, as `python evaluate.py ...`."""

from tocco.apps.cli.main import entry_point

if __name__ == "__main__":
    entry_point("evaluate")
