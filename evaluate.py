"""Door to `tocco evaluate`: the same options, as `python evaluate.py ...`."""

from tocco.apps.cli.main import door

if __name__ == "__main__":
    door("evaluate")
