"""Neural networks from scratch: NumPy and the standard library, every backward pass by hand.

Read in this order: module, linear, activations, dropout, losses; then gradcheck, which proves them;
flat, optimisers, schedules; standardise, normalisation, architecture, mlp; early_stopping, mixup,
prediction, training, flops. tokens has more layers, which token_mixer puts together. stored_model
loads what was trained. Then, towards Part 2, embedding, attention, gpt: a language model, and
docs/attention-backwards.md beside it. checks are for mistakes of the caller: pass over them at
first reading.

Throughout, N is the number of examples of a batch, D of features, K of classes.

All of it in twenty lines: do the two coordinates of a point have the same sign?

    >>> import numpy as np
    >>> from numpy_nn import SGD, Linear, ReLU, Sequential, SoftmaxCrossEntropy, gradcheck
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(-1, 1, (400, 2)).astype(np.float32)
    >>> y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    >>> def build():
    ...     return Sequential(Linear(2, 32, rng), ReLU(), Linear(32, 2, rng))
    ...
    >>> bool(max(gradcheck(build(), x[:5]).values()) < 1e-6)  # backward is forward's derivative
    True
    >>> model, loss = build(), SoftmaxCrossEntropy()
    >>> optimiser = SGD(model.parameters(), lr=0.5)
    >>> for step in range(300):
    ...     value = loss(model(x), y)
    ...     grad_x = model.backward(loss.backward())  # fills each Parameter.grad
    ...     optimiser.step()
    ...
    >>> bool((model.eval()(x).argmax(axis=1) == y).mean() > 0.95)
    True

tests/numpy_nn/test_part1_examples.py runs this text as it stands.
"""

from numpy_nn.activations import GELU, LeakyReLU, ReLU, Sigmoid, Tanh
from numpy_nn.attention import CausalSelfAttention
from numpy_nn.dropout import Dropout
from numpy_nn.early_stopping import EarlyStopping
from numpy_nn.embedding import Embedding, PositionalEmbedding
from numpy_nn.flops import forward_flops
from numpy_nn.gpt import GPT, sample
from numpy_nn.gradcheck import gradcheck, gradcheck_loss
from numpy_nn.linear import Linear, he_normal, normal, xavier_uniform
from numpy_nn.losses import Loss, MeanSquaredError, SoftmaxCrossEntropy
from numpy_nn.mixup import Mixup
from numpy_nn.mlp import build_mlp
from numpy_nn.module import Module, NonFiniteError, Parameter, Sequential, diagnose
from numpy_nn.normalisation import BatchNorm, LayerNorm
from numpy_nn.optimisers import SGD, Adam, AdamW, Optimiser, WeightAverage
from numpy_nn.prediction import evaluate, predict
from numpy_nn.schedules import SCHEDULES, constant, cosine, one_cycle, step_decay
from numpy_nn.standardise import Standardise
from numpy_nn.stored_model import model_from_state
from numpy_nn.token_mixer import build_token_mixer
from numpy_nn.tokens import Flatten, Gather, Residual, Transpose, Unfold
from numpy_nn.training import Training, TrainingDiverged

__all__ = [
    "GELU", "GPT", "SCHEDULES", "SGD", "Adam", "AdamW", "BatchNorm", "CausalSelfAttention",
    "Dropout", "EarlyStopping", "Embedding", "Flatten", "Gather", "LayerNorm", "LeakyReLU",
    "Linear", "Loss", "MeanSquaredError", "Mixup", "Module", "NonFiniteError", "Optimiser",
    "Parameter", "PositionalEmbedding", "ReLU", "Residual", "Sequential", "Sigmoid",
    "SoftmaxCrossEntropy", "Standardise", "Tanh", "Training", "TrainingDiverged", "Transpose",
    "Unfold", "WeightAverage", "build_mlp", "build_token_mixer", "constant", "cosine", "diagnose",
    "evaluate", "forward_flops", "gradcheck", "gradcheck_loss", "he_normal", "model_from_state",
    "normal", "one_cycle", "predict", "sample", "step_decay", "xavier_uniform",
]  # fmt: skip
