"""The Transformer's encoder (Vaswani et al. 2017, section 3.1, left half of figure 1)."""

from torch import Tensor, nn

from torch_nn.attention import MultiHeadAttention
from torch_nn.dropout import Dropout
from torch_nn.feed_forward import FeedForward


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each with a residual connection and a layer norm.

    post-norm (the paper):                     x = norm(x + dropout(sublayer(x)))
    pre-norm (Xiong et al. 2020, pre_norm):    x = x + dropout(sublayer(norm(x)))

    With pre-norm the way from x to the last layer's output is a plain sum, along which gradients
    reach the lower layers unchanged.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        dropout: float = 0.0,
        activation: str = "relu",
        pre_norm: bool = False,
    ):
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads, dropout)
        self.attention_norm = nn.LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ff, dropout, activation)
        self.feed_forward_norm = nn.LayerNorm(d_model)
        self.dropout = Dropout(dropout)
        self.pre_norm = pre_norm

    def forward(
        self, x: Tensor, mask: Tensor | None = None, return_weights: bool = False
    ) -> Tensor | tuple[Tensor, Tensor]:
        """x (B, T, C); mask: bool, broadcastable to (B, H, T, T), True = allowed.

        Returns (B, T, C), with return_weights also the attention weights (B, H, T, T).
        """
        normed = self.attention_norm(x) if self.pre_norm else x  # (B, T, C)
        attended, weights = self.attention(normed, mask=mask, return_weights=True)
        x = x + self.dropout(attended)  # (B, T, C)
        if not self.pre_norm:
            x = self.attention_norm(x)  # (B, T, C)
        normed = self.feed_forward_norm(x) if self.pre_norm else x  # (B, T, C)
        x = x + self.dropout(self.feed_forward(normed))  # (B, T, C)
        if not self.pre_norm:
            x = self.feed_forward_norm(x)  # (B, T, C)
        return (x, weights) if return_weights else x


class Encoder(nn.Module):
    """n_layers encoder layers; with pre_norm a last layer norm, since the residual sum has none."""

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
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff, dropout, activation, pre_norm)
            for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(d_model) if pre_norm else nn.Identity()

    def forward(
        self, x: Tensor, mask: Tensor | None = None, return_weights: bool = False
    ) -> Tensor | tuple[Tensor, list[Tensor]]:
        """x (B, T, C), embedded and with positions; mask as in EncoderLayer.

        Returns (B, T, C), with return_weights also each layer's weights (B, H, T, T).
        """
        weights = []
        for layer in self.layers:
            x, layer_weights = layer(x, mask, return_weights=True)  # (B, T, C)
            if return_weights:
                weights.append(layer_weights)
        x = self.norm(x)  # (B, T, C)
        return (x, weights) if return_weights else x
