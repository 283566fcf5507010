"""Histograms of oriented gradients of grey images, many images at a time.

An image is divided into cells; each cell counts the directions of the gradients in it, weighted by
their magnitude; what counts is then divided by the energy of the neighbourhood, so that light and
contrast cancel. Two forms of it:

- `dalal_triggs`: scikit-image's, after Dalal and Triggs, CVPR 2005, its defaults.
- `felzenszwalb`: after Felzenszwalb et al., TPAMI 2010, section 6.2. Directions and places are
  shared between the two nearest bins and cells, and a cell is in the result once instead of once
  per block: shorter, smoother, and a flipped image only permutes it.

Both take the world around an image as black. N images, cells R down and C across, O orientations.
"""

from functools import lru_cache

import numpy as np
from skimage.feature import hog

from mlp.settings import HogPart
from pipeline.errors import InputError

EPSILON = 1e-5  # of scikit-image's block normalisation
CLIP = 0.2  # of L2-Hys
# This and the next were set before any training, from a look at the features; never tuned.
CELL_CLIP = 0.3
# Added to the energy of 2x2 cells, pixels in [0, 1]: keeps an empty neighbourhood empty.
CELL_EPSILON = 0.02


def features(part: HogPart, images: np.ndarray) -> np.ndarray:
    """float32 (N, D), in [0, `limit`], of images uint8 (N, H, W). InputError as of `grid`."""
    grid(part, *images.shape[1:])
    if part.kind == "felzenszwalb":
        return felzenszwalb(images, part.cell, part.orientations)
    return dalal_triggs(images, part.cell, part.orientations, part.block)


def limit(part: HogPart) -> float:
    """The greatest value that a feature can have: of `felzenszwalb` that of an energy."""
    if part.kind == "dalal_triggs":
        return 1.0
    return 0.25 * min(CELL_CLIP * part.orientations, part.orientations**0.5)


def grid(part: HogPart, height: int, width: int) -> tuple[int, int, int]:
    """Rows, columns, numbers at each place: how the features lie, in this order.

    Raises InputError if cells or blocks do not fit the image.
    """
    scikit, sides = part.kind == "dalal_triggs", (height, width)
    if scikit:
        rows, columns = (side // part.cell - part.block + 1 for side in sides)
        numbers = part.block**2 * part.orientations
    else:
        rows, columns = (round(side / part.cell) for side in sides)
        numbers = part.orientations + 4
    if min(rows, columns) < 1 or (scikit and any(side % part.cell for side in sides)):
        wanted = f"cells and blocks that fit images of {height}x{width} pixels"
        found = f"cells of {part.cell} in blocks of {part.block}x{part.block}"
        raise InputError(f"hog: {part.kind}: expected {wanted}, found {found}")
    return rows, columns, numbers


def flip(part: HogPart, height: int, width: int) -> np.ndarray | None:
    """The permutation p with features(flipped image) = features(image)[p], int64 (D,), or None.

    None for scikit-image's: a gradient across is in its first bin, which begins there, and stays
    there when the image is flipped, while all other bins change places.
    """
    if part.kind == "dalal_triggs":
        return None
    shape = grid(part, height, width)
    numbers = np.arange(np.prod(shape)).reshape(shape)
    # The direction a becomes pi - a, and left becomes right.
    inside = [-o % part.orientations for o in range(part.orientations)]
    inside += [part.orientations + corner for corner in (1, 0, 3, 2)]
    return numbers[:, ::-1, inside].reshape(-1)


def dalal_triggs(images: np.ndarray, cell: int, orientations: int, block: int) -> np.ndarray:
    """scikit-image's `hog` of each image in a black frame, less the blocks that touch the frame.

    images uint8 (N, H, W), cell: pixels of a cell's side, block: cells of a block's side.
    Returns float32 (N, D), D = (R - block + 1)(C - block + 1) block^2 O, as `hog` orders it; all in
    [0, 1].

    A call of `hog` costs more than a small image is worth, and so does each of its blocks. So one
    call gets all images, one below the other, and one block around everything, which gives the
    cells up to one common factor; a ramp below the images, whose gradient is known, tells it.
    """
    count, height, width = images.shape
    tall, wide = height // cell + 2, width // cell + 2
    sheet = np.zeros((count + 1, tall * cell, wide * cell))
    sheet[:-1, cell:-cell, cell:-cell] = images
    sheet[-1] = np.arange(wide * cell)  # gradient 2 across, 0 down
    flat = sheet.reshape(-1, wide * cell)
    every_cell = ((count + 1) * tall, wide)
    cells = hog(flat, orientations, (cell, cell), every_cell, "L2", feature_vector=False)
    cells = cells.reshape(count + 1, tall, wide, orientations)
    cells = cells[:-1, 1:-1, 1:-1] * (2.0 / cells[-1, 1, 1, 0])  # (N, R, C, O)
    # (N, R - block + 1, C - block + 1, O, block, block)
    blocks = np.lib.stride_tricks.sliding_window_view(cells, (block, block), axis=(1, 2))
    blocks = blocks.transpose(0, 1, 2, 4, 5, 3).astype(np.float32)
    for clip in (CLIP, None):  # L2-Hys
        energy = np.square(blocks).sum(axis=(3, 4, 5), keepdims=True)
        blocks /= np.sqrt(energy + EPSILON**2)
        if clip:
            np.minimum(blocks, clip, out=blocks)
    return blocks.reshape(count, -1)


def felzenszwalb(images: np.ndarray, cell: int, orientations: int) -> np.ndarray:
    """Cells normalised by the four 2x2 neighbourhoods they are in, averaged; then the energies.

    images uint8 (N, H, W), cell: pixels of a cell's side; as many cells as come nearest to it fill
    the image. Returns float32 (N, D), D = R C (O + 4), ordered (R, C, O + 4): number o < O of a
    cell is the direction o pi / O of the gradient, up to its sign; the last four are the cell's
    sums over the directions, one per neighbourhood: up left, up right, down left, down right.
    Unlike the paper: no directions with sign, and cells are clipped at 0.3, not at 0.2.
    """
    count, height, width = images.shape
    rows, columns = round(height / cell), round(width / cell)
    maps = _orientation_maps(images, orientations).reshape(count, height, width * orientations)
    bands = np.matmul(_triangles(height, rows), maps).reshape(-1, width, orientations)
    cells = np.matmul(_triangles(width, columns), bands)
    cells = cells.reshape(count, rows, columns, orientations)

    energy = np.pad(np.square(cells).sum(axis=3), ((0, 0), (1, 1), (1, 1)))
    energy = energy[:, :-1] + energy[:, 1:]
    energy = np.sqrt(energy[:, :, :-1] + energy[:, :, 1:]) + np.float32(CELL_EPSILON)
    features = np.zeros((count, rows, columns, orientations + 4), np.float32)
    for corner, (down, right) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        around = energy[:, down : down + rows, right : right + columns, None]
        normalised = np.minimum(cells / around, np.float32(CELL_CLIP))
        features[..., :orientations] += normalised
        features[..., orientations + corner] = normalised.sum(axis=3)
    features *= np.float32(0.25)
    return features.reshape(count, -1)


def _orientation_maps(images: np.ndarray, orientations: int) -> np.ndarray:
    """The magnitude of each pixel's gradient, shared between its two nearest directions.

    images uint8 (N, H, W), values 0 to 255 taken as 0 to 1. Returns float32 (N, H, W, O).
    """
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).astype(np.int32)
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    right = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    return _gradient_table(orientations).take(down * 511 + right + 255 * 512, axis=0)


@lru_cache
def _gradient_table(orientations: int) -> np.ndarray:
    """What each gradient (down, right) of uint8 pixels gives to each direction.

    Returns float32 (511^2, O): row (down + 255) 511 + right + 255.
    """
    steps = np.arange(-255, 256) / 255
    down, right = (axis.reshape(-1) for axis in np.meshgrid(steps, steps, indexing="ij"))
    angle = np.arctan2(down, right) % np.pi * (orientations / np.pi)
    lower = np.floor(angle).astype(np.int64)
    share, magnitude = angle - lower, np.hypot(down, right)
    table = np.zeros((511 * 511, orientations), np.float32)
    gradient = np.arange(511 * 511)
    table[gradient, lower % orientations] = magnitude * (1 - share)
    table[gradient, (lower + 1) % orientations] += (magnitude * share).astype(np.float32)
    return table


@lru_cache
def _triangles(pixels: int, cells: int) -> np.ndarray:
    """Weights (cells, pixels) by which a pixel counts in the cells before and behind it."""
    side = pixels / cells
    middles = (np.arange(cells) + 0.5) * side - 0.5
    distance = abs(np.arange(pixels) - middles[:, None]) / side
    return (np.maximum(0, 1 - distance) / side).astype(np.float32)
