"""How much arithmetic a forward pass takes, counted from the shapes: the same on every machine."""

from typing import Any

import torch
from torch import Tensor, nn

from torch_nn.attention import MultiHeadAttention


def forward_flops(model: nn.Module, *inputs: Tensor) -> int:
    """Floating-point operations of the matrix products and convolutions in model(*inputs).

    A multiplication and the addition after it count as two. Attention counts as the full (Tq, Tk)
    matrix, whichever kernel runs and whatever the mask hides. Norms, activations and softmax do not
    count. Backward takes twice as much, once for the weights and once for the inputs, so that a
    training costs 3 x forward x examples (Kaplan et al. 2020, arXiv:2001.08361, section 2.1).
    """
    total = 0

    def count(module: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal total
        if isinstance(module, nn.Linear):
            total += 2 * output.numel() * module.in_features
        elif isinstance(module, nn.Conv1d | nn.Conv2d):
            total += 2 * output.numel() * module.weight[0].numel()
        elif isinstance(module, MultiHeadAttention):
            _, weights = output  # (B, H, Tq, Tk)
            width = module.query_projection.out_features // module.n_heads  # D
            total += 2 * 2 * weights.numel() * width  # Q K^T, and weights V

    hooks = [module.register_forward_hook(count) for module in model.modules()]
    was_training = model.training
    model.eval()
    with torch.no_grad():
        model(*inputs)
    model.train(was_training)
    for hook in hooks:
        hook.remove()
    return total
