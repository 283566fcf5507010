"""Tables and JSON on the standard output."""

import json
from collections.abc import Sequence

from rich.console import Console

from reporting.terminal import Column, Group, table


def show(groups: Sequence[Group], columns: Sequence[Column]) -> None:
    """Print groups of lines under common columns, as wide as the terminal."""
    console = Console(highlight=False)
    console.print(table(groups, columns, console.width))


def show_json(value: object) -> None:
    """Print `value` as JSON."""
    print(json.dumps(value, indent=2))
