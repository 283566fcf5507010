"""The Transformer's encoder (Vaswani et al. 2017, section 3.1, left half of figure 1), and what the
decoder shares with it: the feed-forward network, Add & Norm, the stack of layers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from torch_nn.attention import MultiHeadAttention
from torch_nn.cache import Cache, LayerCache
from torch_nn.dropout import Dropout
from torch_nn.norms import NORMS
from torch_nn.positions import RotaryEmbedding


def relu_squared(x: Tensor) -> Tensor:
    """max(0, x)^2 (So et al. 2021, Primer)."""
    return F.relu(x).square()


# gelu: x times the normal distribution's share below x (Hendrycks and Gimpel 2016), as in BERT;
# its approximation by tanh, as in GPT-2. swiglu: SiLU of a gate (Shazeer 2020), as in Llama.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu tanh": partial(F.gelu, approximate="tanh"),
    "relu squared": relu_squared,
    "swiglu": F.silu,
}


class FeedForward(nn.Module):
    """FFN(x) = act(x W_1 + b_1) W_2 + b_2, the same for every token (section 3.3, eq. 2).

    activation: one of ACTIVATIONS; the paper's is "relu". With "swiglu" a second projection of x is
    multiplied by the activated one: FFN(x) = (silu(x W_g) * x W_1) W_2 (Shazeer 2020, eq. 6).
    dropout: share of what W_2 reads that is set to zero in training.
    """

    def __init__(
        self,
        d_model: int,
        d_ff: int,
        dropout: float = 0.0,
        activation: str = "relu",
        bias: bool = True,
    ):
        super().__init__()
        self.up_projection = nn.Linear(d_model, d_ff, bias)
        self.gate_projection = nn.Linear(d_model, d_ff, bias) if activation == "swiglu" else None
        self.activation = ACTIVATIONS[activation]
        self.dropout = Dropout(dropout)
        self.down_projection = nn.Linear(d_ff, d_model, bias)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        hidden = self.up_projection(x)  # (B, T, d_ff)
        if self.gate_projection is None:
            hidden = self.activation(hidden)  # (B, T, d_ff)
        else:
            hidden = self.activation(self.gate_projection(x)) * hidden  # (B, T, d_ff)
        return self.down_projection(self.dropout(hidden))  # (B, T, C)


@dataclass(frozen=True)
class LayerShape:
    """What a layer of encoder or decoder is made of. The defaults are the paper's.

    d_ff: width of the feed-forward network; n_kv_heads: see MultiHeadAttention.
    pre_norm: see Sublayer; activation: one of ACTIVATIONS; norm: one of NORMS.
    bias: whether linear layers and layer norms have one.
    attention: "explicit", written out, or "fused", PyTorch's kernel: the same numbers within 1e-5.
    """

    d_model: int
    n_heads: int
    d_ff: int
    dropout: float = 0.0
    activation: str = "relu"
    pre_norm: bool = False
    norm: str = "layer"
    bias: bool = True
    n_kv_heads: int | None = None
    attention: str = "explicit"

    def __post_init__(self) -> None:
        if self.attention not in ("explicit", "fused"):
            raise ValueError(f"attention: expected explicit or fused, found {self.attention!r}")

    def make_norm(self) -> nn.Module:
        """A norm over the d_model channels."""
        options = {} if self.bias or self.norm == "rms" else {"bias": False}
        return NORMS[self.norm](self.d_model, **options)

    def make_attention(
        self, causal: bool = False, rotary: RotaryEmbedding | None = None
    ) -> "Sublayer":
        """Attention inside Add & Norm."""
        attention = MultiHeadAttention(
            self.d_model,
            self.n_heads,
            self.dropout,
            causal=causal,
            bias=self.bias,
            n_kv_heads=self.n_kv_heads,
            rotary=rotary,
            fused=self.attention == "fused",
        )
        return Sublayer(attention, self)

    def make_feed_forward(self) -> "Sublayer":
        """The feed-forward network inside Add & Norm."""
        shape = (self.d_model, self.d_ff, self.dropout, self.activation, self.bias)
        return Sublayer(FeedForward(*shape), self)


class Sublayer(nn.Module):
    """Add & Norm around a module f (Vaswani et al. 2017, figure 1, sections 3.1 and 5.4).

    post-norm (the paper):                   y = norm(x + dropout(f(x)))
    pre-norm (Xiong et al. 2020, figure 1):  y = x + dropout(f(norm(x)))

    With pre-norm the path from the first layer's input to the last layer's output is a plain sum,
    along which gradients reach the lower layers unchanged.
    """

    def __init__(self, inner: nn.Module, shape: LayerShape):
        super().__init__()
        self.inner = inner
        self.norm = shape.make_norm()
        self.dropout = Dropout(shape.dropout)
        self.pre_norm = shape.pre_norm

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

    def __init__(self, shape: LayerShape, causal: bool, rotary: RotaryEmbedding | None):
        super().__init__()
        self.attention = shape.make_attention(causal, rotary)
        self.feed_forward = shape.make_feed_forward()

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        cache: LayerCache | None = None,
        need_weights: bool = True,
    ) -> tuple[Tensor, Tensor | None]:
        """x (B, T, C) -> (B, T, C), and the attention weights (B, H, T, T).

        The other arguments are MultiHeadAttention's.
        """
        x, weights = self.attention(x, mask=mask, cache=cache, need_weights=need_weights)
        x, _ = self.feed_forward(x)  # (B, T, C)
        return x, weights


class Encoder(nn.Module):
    """n_layers encoder layers; with pre-norm a last norm, since the residual sum has none.

    causal, rotary: of every attention.
    """

    def __init__(
        self,
        n_layers: int,
        shape: LayerShape,
        causal: bool = False,
        rotary: RotaryEmbedding | None = None,
    ):
        super().__init__()
        layers = (EncoderLayer(shape, causal, rotary) for _ in range(n_layers))
        self.layers = nn.ModuleList(layers)
        self.norm = shape.make_norm() if shape.pre_norm else nn.Identity()

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        cache: Cache | None = None,
        need_weights: bool = True,
    ) -> tuple[Tensor, list[Tensor]]:
        """x (B, T, C), embedded and with positions; mask: bool, broadcastable to (B, H, T, T).

        cache: x are the next tokens after those in it.
        Returns (B, T, C) and the attention weights of each layer (B, H, T, T), if needed.
        """
        all_weights = []
        for number, layer in enumerate(self.layers):
            kept = None if cache is None else cache.layers[number]
            x, weights = layer(x, mask, kept, need_weights)  # (B, T, C), (B, H, T, T)
            all_weights.append(weights)
        return self.norm(x), all_weights
