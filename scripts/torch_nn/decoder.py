"""The Transformer's decoder (Vaswani et al. 2017, section 3.1, right half of figure 1)."""

from torch import Tensor, nn

from torch_nn.attention import MultiHeadAttention
from torch_nn.feed_forward import FeedForward
from torch_nn.sublayer import Sublayer


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention to the encoder's output, feed-forward network.

    Each is inside Add & Norm, as in EncoderLayer.
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
        self_attention = MultiHeadAttention(d_model, n_heads, dropout)
        self.self_attention = Sublayer(self_attention, d_model, dropout, pre_norm)
        cross_attention = MultiHeadAttention(d_model, n_heads, dropout)
        self.cross_attention = Sublayer(cross_attention, d_model, dropout, pre_norm)
        feed_forward = FeedForward(d_model, d_ff, dropout, activation)
        self.feed_forward = Sublayer(feed_forward, d_model, dropout, pre_norm)

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        self_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x (B, Tq, C): the target; memory (B, Tk, C): the encoder's output.

        self_mask: broadcastable to (B, H, Tq, Tq), usually causal; memory_mask: to (B, H, Tq, Tk).
        Returns (B, Tq, C), the weights of self-attention (B, H, Tq, Tq) and those of
        cross-attention (B, H, Tq, Tk).
        """
        x, self_weights = self.self_attention(x, mask=self_mask)  # (B, Tq, C), (B, H, Tq, Tq)
        x, cross_weights = self.cross_attention(x, memory, mask=memory_mask)  # (B, H, Tq, Tk)
        x, _ = self.feed_forward(x)  # (B, Tq, C)
        return x, self_weights, cross_weights


class Decoder(nn.Module):
    """n_layers decoder layers; with pre_norm a last layer norm, since the residual sum has none."""

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
            DecoderLayer(d_model, n_heads, d_ff, dropout, activation, pre_norm)
            for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(d_model) if pre_norm else nn.Identity()

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        self_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Arguments as in DecoderLayer.

        Returns (B, Tq, C) and of each layer the weights of self-attention (B, H, Tq, Tq) and
        cross-attention (B, H, Tq, Tk).
        """
        all_self_weights, all_cross_weights = [], []
        for layer in self.layers:
            x, self_weights, cross_weights = layer(x, memory, self_mask, memory_mask)
            all_self_weights.append(self_weights)
            all_cross_weights.append(cross_weights)
        return self.norm(x), all_self_weights, all_cross_weights
