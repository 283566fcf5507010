"""The candidates of the MLP's grid search and their names in file paths."""

from collections.abc import Mapping, Sequence
from itertools import product

from mlp_recipes import GRID


def candidates(grid: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    """Every combination of the grid's values by name: {"lr-0.1_batch_size-64": {"lr": 0.1, ...}}.

    A name tells the settings in the order of GRID, whichever of them a preset overrides: its keys
    come first when Snakemake merges it. Raises ValueError if a combination stands there twice.
    """
    grid = {key: grid[key] for key in GRID}
    found: dict[str, dict[str, float]] = {}
    for values in product(*grid.values()):
        candidate = dict(zip(grid, values, strict=True))
        name = "_".join(f"{key}-{value}" for key, value in candidate.items())
        if name in found:
            raise ValueError(f"mlp.grid: {name} stands there twice")
        found[name] = candidate
    return found
