"""A decoder-only language model in the manner of GPT-2 (Radford et al. 2019)."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from torch_nn.attention import causal_mask
from torch_nn.encoder import Encoder
from torch_nn.positions import POSITIONS


class GPT(nn.Module):
    """Tokens (B, T) -> logits (B, T, V) of each next token; V is the size of the vocabulary.

    The blocks are a pre-norm encoder under a causal mask, which is what remains of a decoder
    without cross-attention. The feed-forward width is 4 C. The token embedding is also the output
    projection (weight tying, Press and Wolf 2017). Weights are drawn from N(0, 0.02^2), the last
    projection of each sublayer from N(0, 0.02^2 / (2 n_layers)), so that the variance of the
    residual sum does not grow with depth; biases start at zero (GPT-2, section 2.3).
    Leaves out: a key/value cache, grouped queries, rotary positions.
    """

    mask: Tensor

    def __init__(
        self,
        vocab_size: int,
        context: int,
        n_layers: int,
        n_heads: int,
        d_model: int,
        dropout: float = 0.0,
        positions: str = "learned",
    ):
        super().__init__()
        self.context = context
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.positions = POSITIONS[positions](context, d_model, dropout)
        self.blocks = Encoder(
            n_layers, d_model, n_heads, 4 * d_model, dropout, activation="gelu", pre_norm=True
        )
        self.output_projection = nn.Linear(d_model, vocab_size, bias=False)
        self.output_projection.weight = self.embedding.weight
        self.register_buffer("mask", causal_mask(context), persistent=False)
        # The sinusoids have a standard deviation of 0.7, which would drown embeddings of 0.02.
        self.scale = math.sqrt(d_model) if positions == "sinusoidal" else 1.0
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        for name, parameter in self.blocks.named_parameters():
            if name.endswith(("output_projection.weight", "down_projection.weight")):
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * n_layers))

    def hidden(self, tokens: Tensor) -> tuple[Tensor, list[Tensor]]:
        """tokens (B, T) int64, T <= context -> the last layer's output (B, T, C), after its norm,
        and the attention weights of each layer (B, H, T, T).

        Raises ValueError for a longer input.
        """
        length = tokens.size(1)
        if length > self.context:
            raise ValueError(f"{length} tokens do not fit into a context of {self.context}")
        x = self.positions(self.embedding(tokens) * self.scale)  # (B, T, C)
        return self.blocks(x, self.mask[:length, :length])  # (B, T, C), (B, H, T, T) each

    def forward_with_attention(self, tokens: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, T, V), and the attention weights of each layer (B, H, T, T)."""
        x, weights = self.hidden(tokens)
        return self.output_projection(x), weights  # (B, T, V), (B, H, T, T) each

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens (B, T) int64, T <= context -> logits (B, T, V)."""
        logits, _ = self.forward_with_attention(tokens)
        return logits


def next_token_loss(model: GPT, tokens: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy (nats, float32 scalar) of targets (B, T) given tokens (B, T)."""
    logits = model(tokens).flatten(0, 1)  # (B * T, V)
    return F.cross_entropy(logits.float(), targets.flatten())  # targets (B * T,)
