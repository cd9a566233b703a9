"""Entry point of `tocco train`: the same options, as `python train.py ...`."""

from tocco.apps.cli.main import entry_point

if __name__ == "__main__":
    entry_point("train")
