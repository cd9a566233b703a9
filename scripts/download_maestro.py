"""Door to `tocco data maestro`: the same options, as `python scripts/download_maestro.py --subset 50`."""

from tocco.apps.cli.main import door

if __name__ == "__main__":
    door("data", "maestro")
