"""The GPT by hand in this room: built from its settings, trained, measured, stored. No torch."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby, islice
from pathlib import Path

import numpy as np

from gpt.settings import Recipe, Shape
from numpy_nn.gpt import GPT
from numpy_nn.losses import SoftmaxCrossEntropy
from numpy_nn.optimisers import AdamW, clip_norm
from numpy_nn.schedules import one_cycle
from pipeline.atomic import write_npz
from pipeline.errors import InputError
from pipeline.npz import read_npz

Window = tuple[Sequence[int], Sequence[int], int]  # inputs (T,), targets (T,), counted


def build(shape: Shape, vocab_size: int, rng: np.random.Generator) -> GPT:
    """The model of this shape over `vocab_size` tokens, with fresh weights."""
    return GPT(vocab_size, shape.context, shape.n_layers, shape.n_heads, shape.d_model, rng)


def title(model: GPT | Shape) -> str:
    """What the leaderboard calls it: layers x heads x width."""
    return f"GPT {model.n_layers}x{model.n_heads}x{model.d_model} by hand"


def optimiser_of(model: GPT, recipe: Recipe) -> AdamW:
    """AdamW over all weights; biases and gains do not decay."""
    betas = recipe.beta1, recipe.beta2
    return AdamW(model.parameters(), recipe.lr, betas, weight_decay=recipe.weight_decay)


def rate(step: int, recipe: Recipe) -> float:
    """The learning rate at `step`: a linear rise, then half a cosine towards 0."""
    return recipe.lr * one_cycle(step, recipe.steps, recipe.warmup_steps / recipe.steps)


def train_step(
    model: GPT, optimiser: AdamW, tokens: np.ndarray, targets: np.ndarray, clip: float
) -> float:
    """One step down the gradient of the mean loss of targets (B, T) given tokens (B, T).

    clip: the gradient's largest norm. Returns the loss (nats); NaN if it or the gradient is not
    finite, and then the weights stay as they were.
    """
    loss = SoftmaxCrossEntropy()
    with np.errstate(over="ignore", invalid="ignore"):
        logits = model(tokens)  # (B, T, V)
        value = loss(logits.reshape(-1, model.vocab_size), targets.ravel())  # (B T, V), (B T,)
        model.backward(loss.backward().reshape(logits.shape))  # (B, T, V)
        norm = clip_norm(optimiser.flat.grad, clip)
    if not (math.isfinite(value) and math.isfinite(norm)):
        return math.nan
    optimiser.step()
    return value


def window_nats(
    model: GPT, windows: Iterable[Window], batch_size: int = 32
) -> tuple[np.ndarray, np.ndarray]:
    """The negative log-likelihood of each window's counted targets.

    windows: as gpt.token_windows.covering_windows yields them.
    Returns nats float64 (W,) and counted int64 (W,) of W windows.
    """
    nats: list[float] = []
    counts: list[int] = []
    with model.evaluating():
        for _, equally_long in groupby(windows, key=lambda window: len(window[0])):
            while batch := list(islice(equally_long, batch_size)):
                inputs, targets, counted = zip(*batch, strict=True)
                z = model(np.stack(inputs))  # (B, T, V)
                z = z - z.max(axis=-1, keepdims=True)  # (B, T, V)
                at_target = np.take_along_axis(
                    z, np.stack(targets)[..., None], axis=-1
                )  # (B, T, 1)
                losses = np.log(np.exp(z).sum(axis=-1)) - at_target[..., 0]  # (B, T)
                for row, last in zip(losses, counted, strict=True):
                    nats.append(float(row[-last:].sum(dtype=np.float64)))
                counts += counted
    return np.array(nats), np.array(counts)


def save(path: Path, model: GPT) -> None:
    """Write the weights, and with them the number of heads, which no shape tells."""
    write_npz(path, n_heads=np.array(model.n_heads), **model.state_dict())


def load(path: Path) -> GPT:
    """The model that `save` wrote. Raises InputError if the file holds none."""
    state = read_npz(path)
    try:
        n_heads = int(state.pop("n_heads"))
        (vocab_size, d_model), (context, _) = (
            state[f"{name}.table"].shape for name in ("embedding", "positions")
        )
        n_layers = sum(name.endswith(".down_projection.weight") for name in state)
        unused = np.random.default_rng(0)
        model = GPT(vocab_size, context, n_layers, n_heads, d_model, unused)
        model.load_state_dict(state)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(f"{path}: expected a GPT of numpy_nn, found: {error}") from None
    return model
