"""Pictures of ten shapes, drawn by formula: a generated stand-in for colour photographs.

Each shape is given by a signed distance d(x, y) in its own coordinates, in which it fills about the
unit circle (d < 0 inside). The picture samples d after a random shift, turn, scale and stretch, and
paints foreground over background where d is negative, softened over one pixel. Colours, background
gradient, spots and noise do not depend on the class: only the outline shows it.
"""

import numpy as np

SIDE = 32
CLASSES = ("circle", "square", "triangle", "pentagon", "star", "cross", "ring", "half disc",
           "crescent", "heart")  # fmt: skip
_CHUNK = 256


def shape_distance(kind: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The (approximate) signed distance of points to shape `kind`; x, y and result: any one shape.

    kind: index into CLASSES. Negative inside; in units of the shape's radius; y points down.
    """
    radius = np.hypot(x, y)
    name = CLASSES[kind]
    if name == "circle":
        return radius - 0.85
    if name == "square":
        return np.maximum(abs(x), abs(y)) - 0.75
    if name in ("triangle", "pentagon"):
        return _polygon(x, y, 3 if name == "triangle" else 5)
    if name == "star":
        return _star(x, y, points=5, inner=0.4)
    if name == "cross":
        upright = np.maximum(abs(x) - 0.3, abs(y) - 0.95)
        return np.minimum(upright, np.maximum(abs(x) - 0.95, abs(y) - 0.3))
    if name == "ring":
        return abs(radius - 0.7) - 0.22
    if name == "half disc":
        return np.maximum(np.hypot(x, y + 0.4) - 0.95, -(y + 0.4))
    if name == "crescent":
        return np.maximum(radius - 0.95, 0.75 - np.hypot(x - 0.5, y))
    # Heart: two discs over a square on its corner.
    lobes = np.hypot(abs(x) - 0.4, y + 0.3) - 0.5
    tip = np.maximum(0.72 * abs(x) + 0.69 * y - 0.54, -0.3 - y)
    return np.minimum(lobes, np.maximum(tip, abs(x) - 0.8))


def _polygon(x: np.ndarray, y: np.ndarray, corners: int) -> np.ndarray:
    """Regular polygon with its corners on the unit circle: the farthest of its edges' lines."""
    angles = 2 * np.pi * (np.arange(corners) + 0.5) / corners - np.pi / 2
    distances = [x * np.cos(angle) + y * np.sin(angle) for angle in angles]
    return np.max(distances, axis=0) - np.cos(np.pi / corners)


def _star(x: np.ndarray, y: np.ndarray, points: int, inner: float) -> np.ndarray:
    """Star whose tips lie on the unit circle and whose notches lie on one of radius `inner`."""
    half = np.pi / points
    # Fold the plane into one half point: the angle from the nearest tip, in [0, half].
    angle = abs((np.arctan2(x, -y) + half) % (2 * half) - half)
    radius = np.hypot(x, y)
    along, across = radius * np.cos(angle), radius * np.sin(angle)
    # The edge runs from the tip (1, 0) to the notch at angle `half`.
    edge = np.array([inner * np.cos(half) - 1, inner * np.sin(half)])
    normal = np.array([edge[1], -edge[0]]) / np.hypot(*edge)
    return (along - 1) * normal[0] + across * normal[1]


def _turned(x: np.ndarray, y: np.ndarray, angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _place(
    count: int, random: np.random.Generator, scale: tuple[float, float], jitter: float, turn: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Local coordinates x, y (count, SIDE, SIDE) of every pixel, and the scale (count, 1, 1).

    scale: least and greatest radius in pixels; jitter: farthest shift from the middle, in pixels;
    turn: greatest angle to either side, in radians.
    """

    def draw(low: float, high: float) -> np.ndarray:
        return random.uniform(low, high, (count, 1, 1))

    size = draw(*scale)
    middle = (SIDE - 1) / 2
    centre_x, centre_y = middle + draw(-jitter, jitter), middle + draw(-jitter, jitter)
    angle, lean, stretch = draw(-turn, turn), draw(0, np.pi), draw(0.85, 1.0)
    pixel = np.arange(SIDE, dtype=np.float64)
    x, y = pixel[None, None, :] - centre_x, pixel[None, :, None] - centre_y
    # Stretch along a random axis, then turn.
    along, across = _turned(x, y, lean)
    x, y = _turned(*_turned(along, across / stretch, -lean), angle)
    return x / size, y / size, size


def draw_shapes(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw one picture for each label.

    labels (N,) integers into CLASSES. Returns uint8 (N, SIDE, SIDE, 3). The same labels and the
    same state of `random` give the same pictures.
    """
    images = np.empty((len(labels), SIDE, SIDE, 3), np.uint8)
    for start in range(0, len(labels), _CHUNK):
        part = slice(start, start + _CHUNK)
        images[part] = _draw(np.asarray(labels[part]), random)
    return images


def _draw(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    count = len(labels)
    # Colours (N, 1, 1, 3) in 0..255: the shape is lighter than what is behind it.
    background = random.uniform(10, 130, (count, 1, 1, 3))
    foreground = background + random.uniform(40, 120, background.shape)
    x, y, size = _place(count, random, scale=(8.0, 12.5), jitter=4.0, turn=0.4)
    distance = np.empty_like(x)
    for kind in np.unique(labels):
        chosen = labels == kind
        distance[chosen] = shape_distance(int(kind), x[chosen], y[chosen])
    cover = np.clip(0.5 - distance * size, 0, 1)[..., None]  # (N, SIDE, SIDE, 1)

    ramp = np.linspace(-0.5, 0.5, SIDE)
    slopes = random.uniform(-40, 40, (2, count, 1, 1, 3))
    picture = background + slopes[0] * ramp[:, None, None] + slopes[1] * ramp[:, None]
    for _ in range(2):  # spots behind the shape, in colours of their own
        spot_x, spot_y, spot_size = _place(count, random, (1.5, 4.0), jitter=14.0, turn=0.0)
        spot = np.clip(0.5 - (np.hypot(spot_x, spot_y) - 1) * spot_size, 0, 1)[..., None]
        colour = random.uniform(10, 235, (count, 1, 1, 3))
        picture += 0.5 * spot * (colour - picture)
    picture += cover * (foreground - picture)
    picture += random.uniform(3, 16, (count, 1, 1, 1)) * random.standard_normal(picture.shape)
    return np.rint(picture).clip(0, 255).astype(np.uint8)
