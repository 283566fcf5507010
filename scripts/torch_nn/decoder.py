"""The Transformer's decoder (Vaswani et al. 2017, section 3.1, right half of figure 1)."""

from torch import Tensor, nn

from torch_nn.attention import MultiHeadAttention
from torch_nn.dropout import Dropout
from torch_nn.feed_forward import FeedForward


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention to the encoder's output, feed-forward.

    Each sublayer has a residual connection and a layer norm, after it (the paper) or before it
    (pre_norm), as in EncoderLayer.
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
        self.self_attention = MultiHeadAttention(d_model, n_heads, dropout)
        self.self_attention_norm = nn.LayerNorm(d_model)
        self.cross_attention = MultiHeadAttention(d_model, n_heads, dropout)
        self.cross_attention_norm = nn.LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ff, dropout, activation)
        self.feed_forward_norm = nn.LayerNorm(d_model)
        self.dropout = Dropout(dropout)
        self.pre_norm = pre_norm

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        self_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        return_weights: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """x (B, Tq, C): the target; memory (B, Tk, C): what the encoder gave.

        self_mask: broadcastable to (B, H, Tq, Tq), usually causal; memory_mask: to (B, H, Tq, Tk).
        Returns (B, Tq, C), with return_weights also the weights of self-attention (B, H, Tq, Tq)
        and of cross-attention (B, H, Tq, Tk).
        """
        normed = self.self_attention_norm(x) if self.pre_norm else x  # (B, Tq, C)
        attended, self_weights = self.self_attention(normed, mask=self_mask, return_weights=True)
        x = x + self.dropout(attended)  # (B, Tq, C)
        if not self.pre_norm:
            x = self.self_attention_norm(x)  # (B, Tq, C)
        normed = self.cross_attention_norm(x) if self.pre_norm else x  # (B, Tq, C)
        attended, cross_weights = self.cross_attention(
            normed, memory, mask=memory_mask, return_weights=True
        )
        x = x + self.dropout(attended)  # (B, Tq, C)
        if not self.pre_norm:
            x = self.cross_attention_norm(x)  # (B, Tq, C)
        normed = self.feed_forward_norm(x) if self.pre_norm else x  # (B, Tq, C)
        x = x + self.dropout(self.feed_forward(normed))  # (B, Tq, C)
        if not self.pre_norm:
            x = self.feed_forward_norm(x)  # (B, Tq, C)
        return (x, self_weights, cross_weights) if return_weights else x


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
        return_weights: bool = False,
    ) -> Tensor | tuple[Tensor, list[Tensor], list[Tensor]]:
        """Arguments as in DecoderLayer. Returns (B, Tq, C), with return_weights also each layer's
        self-attention weights (B, H, Tq, Tq) and cross-attention weights (B, H, Tq, Tk).
        """
        self_weights, cross_weights = [], []
        for layer in self.layers:
            x, own, cross = layer(x, memory, self_mask, memory_mask, return_weights=True)
            if return_weights:
                self_weights.append(own)
                cross_weights.append(cross)
        x = self.norm(x)  # (B, Tq, C)
        return (x, self_weights, cross_weights) if return_weights else x
