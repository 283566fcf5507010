"""How much arithmetic a forward pass takes, counted from the shapes: the same on every machine."""

from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from torch_nn.eval_mode import evaluating


def forward_flops(model: nn.Module, *inputs: Tensor) -> int:
    """Floating-point operations of the matrix products and convolutions in model(*inputs).

    A multiplication and the addition after it count as two. Attention counts as the full (Tq, Tk)
    matrix, whichever kernel runs and whatever the mask hides. Norms, activations and softmax do not
    count. Backward takes twice as much, once for the weights and once for the inputs, so that a
    training costs 3 x forward x examples (Kaplan et al. 2020, arXiv:2001.08361, section 2.1).
    Counts the layers that this package is made of: nn.Linear, nn.Conv1d, nn.Conv2d, and attention,
    which is known by its `n_heads`: an import would have its edits retrain image classifiers.
    """
    total = 0

    def count(module: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal total
        if isinstance(module, nn.Linear):
            total += 2 * output.numel() * module.in_features
        elif isinstance(module, nn.Conv1d | nn.Conv2d):
            total += 2 * output.numel() * module.weight[0].numel()  # weight (C_out, C_in, ...)
        elif hasattr(module, "n_heads"):
            attended, weights = output[:2]  # (B, Tq, C), (B, H, Tq, Tk)
            width = attended.size(-1) // weights.size(1)  # D
            total += 2 * 2 * weights.numel() * width  # Q K^T, and weights V

    # The fused kernel has no weights to count.
    run = getattr(model, "forward_with_attention", model)
    with register_module_forward_hook(count), evaluating(model):
        run(*inputs)
    return total
