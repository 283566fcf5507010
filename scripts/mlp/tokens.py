"""Which inputs make a token: a square of an image's pixels and the cells of features over it."""

from collections.abc import Sequence

import numpy as np

from pipeline.errors import InputError

Grid = tuple[int, int, int]  # rows, columns, numbers at each place


def token_table(grids: Sequence[Grid], side: int, patch: int, margin: int = 0) -> np.ndarray:
    """The table of numpy_nn.tokens.Gather, int64 (T, F): T = (side / patch)^2 tokens, row by row.

    grids: how the inputs lie, one grid after the other, each ordered (rows, columns, numbers) and
    stretched over the square image of `side` pixels. patch: side of a token's square in pixels;
    margin: pixels around it that the token sees too, in each grid as many whole cells as fit into
    that. -1 where a margin reaches beyond the image.
    Raises InputError if the tokens cannot be cut out of the image, or out of a grid.
    """
    if side % patch:
        raise InputError(f"mixer: patch: expected a divisor of {side} pixels, found {patch}")
    across = side // patch
    start, parts = 0, []
    for rows, columns, numbers in grids:
        if rows != columns or rows % across:
            raise InputError(
                f"mixer: patch {patch} makes {across}x{across} tokens: expected grids of a multiple"
                f" of that, found one of {rows}x{columns} cells"
            )
        cells, beyond = rows // across, margin * rows // side
        places = np.arange(start, start + rows * columns * numbers).reshape(rows, columns, numbers)
        framed = np.pad(places, ((beyond, beyond), (beyond, beyond), (0, 0)), constant_values=-1)
        window = cells + 2 * beyond
        windows = np.lib.stride_tricks.sliding_window_view(framed, (window, window), axis=(0, 1))
        windows = windows[::cells, ::cells].transpose(0, 1, 3, 4, 2)  # (T, T, w, w, numbers)
        parts.append(windows.reshape(across**2, -1))
        start += rows * columns * numbers
    return np.concatenate(parts, axis=1)
