"""The room's model: built from its settings, its data, its loss, its answers."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.errors import InputError
from raw.prepared import again, load_arrays
from seq2seq import genetic_code as code
from seq2seq.settings import Model
from torch_nn.decoding import beam_decode, greedy_decode
from torch_nn.eval_mode import evaluating
from torch_nn.transformer import Transformer

TITLE = "Transformer encoder-decoder"


def build(shape: Model, source_length: int, target_length: int) -> Transformer:
    """The model for frames and proteins of at most these lengths, pre-norm, with fresh weights."""
    sizes = code.SOURCE_VOCABULARY, code.TARGET_VOCABULARY
    settings = shape.model_dump() | {"max_length": max(source_length, target_length)}
    return Transformer(*sizes, activation="gelu", pre_norm=True, **settings)


def read_split(path: Path, split: str, device: torch.device) -> tuple[Tensor, Tensor]:
    """Source (N, Ts) and target (N, Tt) tokens of a split of sequences.npz, int64, on `device`."""
    source, target = (a.astype(np.int64) for a in load_arrays(path, f"{split}_x", f"{split}_y"))
    fits = source.ndim == target.ndim == 2 and len(source) == len(target) > 0
    if not fits or source.max() >= code.SOURCE_VOCABULARY or target.max() >= code.TARGET_VOCABULARY:
        wrong = f"expected tokens (N, Ts), (N, Tt), found {source.shape}, {target.shape}"
        raise InputError(f"{path}: {split}: {wrong}. {again(path)}")
    return torch.from_numpy(source).to(device), torch.from_numpy(target).to(device)


def lengths(source: Tensor) -> Tensor:
    """How many nucleotides each row of source (B, Ts) has: int64 (B,)."""
    return (source != code.SOURCE_PAD).sum(dim=1)


def token_loss(
    model: Transformer, source: Tensor, target: Tensor, label_smoothing: float = 0.0
) -> Tensor:
    """Teacher forcing: mean cross-entropy (nats) of each next token, padding left out; a scalar."""
    logits = model(source, target[:, :-1], lengths(source))  # (B, Tt - 1, V)
    criterion = nn.CrossEntropyLoss(ignore_index=code.TARGET_PAD, label_smoothing=label_smoothing)
    return criterion(logits.flatten(0, 1), target[:, 1:].flatten())


def predict(
    model: Transformer, source: Tensor, target: Tensor, beams: int = 1, batch_size: int = 500
) -> tuple[np.ndarray, float]:
    """Decode by so many beams, 1 being greedily: tokens int64 (N, Tt - 1) without the start, and
    the teacher-forced loss."""
    longest, pad = target.size(1) - 1, code.TARGET_PAD
    parts, total = [], 0.0
    with evaluating(model):
        for x, y in zip(source.split(batch_size), target.split(batch_size), strict=True):
            ends = code.TARGET_START, code.TARGET_END, longest
            if beams == 1:
                tokens = greedy_decode(model, x, *ends, lengths(x), pad)  # (B, <= Tt - 1)
            else:
                tokens = beam_decode(model, x, *ends, beams, lengths(x), pad)  # (B, <= Tt - 1)
            parts.append(nn.functional.pad(tokens, (0, longest - tokens.size(1)), value=pad))
            total += token_loss(model, x, y).item() * len(x)
    return torch.cat(parts).cpu().numpy(), total / len(source)


def exact_rows(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Bool (N,): rows of predicted (N, T) that equal target's (N, 1 + T) after the start, whole."""
    return (predicted == target[:, 1:]).all(axis=1)


def token_share(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Float (N,): share of each target's amino acids and end that are predicted in their place."""
    wanted = target[:, 1:]
    real = wanted != code.TARGET_PAD
    return ((predicted == wanted) & real).sum(axis=1) / real.sum(axis=1)
