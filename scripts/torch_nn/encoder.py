"""The Transformer's encoder (Vaswani et al. 2017, section 3.1, left half of figure 1)."""

from torch import Tensor, nn

from torch_nn.attention import MultiHeadAttention
from torch_nn.feed_forward import FeedForward
from torch_nn.sublayer import Sublayer


class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward network, each inside Add & Norm."""

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
        attention = MultiHeadAttention(d_model, n_heads, dropout)
        self.attention = Sublayer(attention, d_model, dropout, pre_norm)
        feed_forward = FeedForward(d_model, d_ff, dropout, activation)
        self.feed_forward = Sublayer(feed_forward, d_model, dropout, pre_norm)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (B, T, C); mask: bool, broadcastable to (B, H, T, T), True = allowed.

        Returns (B, T, C) and the attention weights (B, H, T, T).
        """
        x, weights = self.attention(x, mask=mask)  # (B, T, C), (B, H, T, T)
        x, _ = self.feed_forward(x)  # (B, T, C)
        return x, weights


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

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
        """x (B, T, C), embedded and with positions; mask as in EncoderLayer.

        Returns (B, T, C) and the attention weights of each layer (B, H, T, T).
        """
        all_weights = []
        for layer in self.layers:
            x, weights = layer(x, mask)  # (B, T, C), (B, H, T, T)
            all_weights.append(weights)
        return self.norm(x), all_weights
