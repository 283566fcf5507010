"""Add & Norm: the residual connection, layer norm and dropout around a part of a layer."""

from typing import Any

from torch import Tensor, nn

from torch_nn.dropout import Dropout


class Sublayer(nn.Module):
    """Add & Norm around a module f (Vaswani et al. 2017, figure 1, sections 3.1 and 5.4).

    post-norm (the paper):                   y = norm(x + dropout(f(x)))
    pre-norm (Xiong et al. 2020, figure 1):  y = x + dropout(f(norm(x)))

    With pre-norm the path from the first layer's input to the last layer's output is a plain sum,
    along which gradients reach the lower layers unchanged.
    """

    def __init__(self, inner: nn.Module, d_model: int, dropout: float, pre_norm: bool):
        super().__init__()
        self.inner = inner
        self.norm = nn.LayerNorm(d_model)
        self.dropout = Dropout(dropout)
        self.pre_norm = pre_norm

    def forward(self, x: Tensor, *inputs: Tensor, **options: Any) -> tuple[Tensor, Tensor | None]:
        """x (B, T, C) -> y (B, T, C), and the attention weights if f is attention, else None.

        Further arguments (memory, mask) go to f, which returns (B, T, C) or (output, weights).
        """
        found = self.inner(self.norm(x) if self.pre_norm else x, *inputs, **options)
        output, weights = found if isinstance(found, tuple) else (found, None)
        y = x + self.dropout(output)  # (B, T, C)
        return y if self.pre_norm else self.norm(y), weights
