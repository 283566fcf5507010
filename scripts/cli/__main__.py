"""`python -m cli` is `nn`."""

from cli.main import main

main()
