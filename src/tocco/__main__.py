"""`python -m tocco` is `tocco`."""

from tocco.apps.cli.main import main

main()
