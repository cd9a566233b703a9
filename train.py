"""Door to `tocco train`: the same options, as `python train.py ...`."""

from tocco.apps.cli.main import door

if __name__ == "__main__":
    door("train")
