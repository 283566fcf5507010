"""Images moved by whole pixels, black coming in at the edge."""

import numpy as np


def shifted(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """images (N, H, W) moved by `down` and `right` pixels (negative: up, left); same dtype."""
    height, width = images.shape[1:]
    frame = max(abs(down), abs(right))
    framed = np.pad(images, ((0, 0), (frame, frame), (frame, frame)))
    return framed[:, frame - down :, frame - right :][:, :height, :width]
