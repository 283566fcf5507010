"""Images moved by whole pixels, black coming in at the edge."""

import numpy as np


def shifted(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """images (N, H, W) moved by `down` and `right` pixels (negative: up, left); same dtype."""
    if not (down or right):
        return images
    height, width = images.shape[1:]
    moved = np.zeros_like(images)
    rows, columns = max(0, height - abs(down)), max(0, width - abs(right))
    top, left = max(0, down), max(0, right)
    moved[:, top : top + rows, left : left + columns] = images[
        :, max(0, -down) : max(0, -down) + rows, max(0, -right) : max(0, -right) + columns
    ]
    return moved


class ShiftingWindows:
    """Each image of a batch moved by its own shift, as one gather, no loop over images.

    images (N, C, H, W); largest: the largest shift in pixels. Keeps one copy of the images, in a
    black frame as wide as the largest shift; a shifted image is a window of it.
    """

    def __init__(self, images: np.ndarray, largest: int):
        frame = (largest, largest)
        framed = np.pad(images, ((0, 0), (0, 0), frame, frame)) if largest else images
        # (N, C, 2 largest + 1, 2 largest + 1, H, W), a view
        self._windows = np.lib.stride_tricks.sliding_window_view(
            framed, images.shape[2:], axis=(2, 3)
        )
        self.largest = largest

    def take(self, rows: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
        """(B, C, H, W): image rows[i] moved by (down[i], right[i]), all integers (B,)."""
        return self._windows[rows, :, self.largest - down, self.largest - right]
