"""Entry point of `tocco data maestro`: `python scripts/download_maestro.py --subset 50`."""

from tocco.apps.cli.main import entry_point

if __name__ == "__main__":
    entry_point("data", "maestro")
