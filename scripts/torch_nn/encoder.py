"""The Transformer's encoder (Vaswani et al. 2017, section 3.1, left half of figure 1), and what the
decoder shares with it: the feed-forward network, Add & Norm, the stack of layers."""

from typing import Any

from torch import Tensor, nn

from torch_nn.attention import MultiHeadAttention
from torch_nn.dropout import Dropout

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU}


class FeedForward(nn.Module):
    """FFN(x) = act(x W_1 + b_1) W_2 + b_2, the same for every token (section 3.3, eq. 2).

    activation: "relu" (the paper) or "gelu" (Hendrycks and Gimpel 2016, as in GPT and BERT).
    dropout: share of act(x W_1 + b_1) set to zero in training.
    """

    def __init__(self, d_model: int, d_ff: int, dropout: float = 0.0, activation: str = "relu"):
        super().__init__()
        self.up_projection = nn.Linear(d_model, d_ff)
        self.activation = ACTIVATIONS[activation]()
        self.dropout = Dropout(dropout)
        self.down_projection = nn.Linear(d_ff, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        hidden = self.activation(self.up_projection(x))  # (B, T, d_ff)
        return self.down_projection(self.dropout(hidden))  # (B, T, C)


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


class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward network, each inside Add & Norm."""

    def __init__(
        self, d_model: int, n_heads: int, d_ff: int, dropout: float, activation: str, pre_norm: bool
    ):
        super().__init__()
        around = (d_model, dropout, pre_norm)
        self.attention = Sublayer(MultiHeadAttention(d_model, n_heads, dropout), *around)
        self.feed_forward = Sublayer(FeedForward(d_model, d_ff, dropout, activation), *around)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (B, T, C); mask: bool, broadcastable to (B, H, T, T), True = allowed.

        Returns (B, T, C) and the attention weights (B, H, T, T).
        """
        x, weights = self.attention(x, mask=mask)  # (B, T, C), (B, H, T, T)
        x, _ = self.feed_forward(x)  # (B, T, C)
        return x, weights


class Stack(nn.Module):
    """n_layers layers; with pre_norm a last layer norm, since the residual sum has none."""

    Layer: type[nn.Module]  # what it is a stack of

    def __init__(
        self,
        n_layers: int,
        d_model: int,
        n_heads: int,
        d_ff: int,
        dropout: float = 0.0,
        activation: str = "relu",
        pre_norm: bool = False,
    ):
        super().__init__()
        shape = (d_model, n_heads, d_ff, dropout, activation, pre_norm)
        self.layers = nn.ModuleList(self.Layer(*shape) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model) if pre_norm else nn.Identity()


class Encoder(Stack):
    """A stack of encoder layers."""

    Layer = EncoderLayer

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
        """x (B, T, C), embedded and with positions; mask as in EncoderLayer.

        Returns (B, T, C) and the attention weights of each layer (B, H, T, T).
        """
        all_weights = []
        for layer in self.layers:
            x, weights = layer(x, mask)  # (B, T, C), (B, H, T, T)
            all_weights.append(weights)
        return self.norm(x), all_weights
