"""A decoder-only language model in the manner of GPT-2 (Radford et al. 2019)."""

import math

import torch
from torch import Tensor, nn

from torch_nn.attention import causal_mask
from torch_nn.encoder import EncoderLayer
from torch_nn.positions import positional


class GPT(nn.Module):
    """Tokens (B, T) -> logits (B, T, V) of each next token, seen through a causal mask.

    Blocks are pre-norm encoder layers under a causal mask: a decoder without cross-attention is
    nothing else. The token embedding is the output projection too (weight tying, Press and Wolf
    2017). Weights start N(0, 0.02), the last projection of each residual branch N(0, 0.02 /
    sqrt(2 n_layers)), so that the residual sum's variance does not grow with depth; biases start
    at zero (GPT-2, section 2.3). The feed-forward width is 4 C.
    Leaves out: a key/value cache, grouped queries, rotary positions.
    """

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
        self.positions = positional(positions, context, d_model, dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, 4 * d_model, dropout, "gelu", pre_norm=True)
            for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(d_model)
        self.output_projection = nn.Linear(d_model, vocab_size, bias=False)
        self.output_projection.weight = self.embedding.weight
        self.register_buffer("mask", causal_mask(context), persistent=False)
        # The fixed sinusoids have deviation 0.7: beside them 0.02 would not be seen.
        self.scale = math.sqrt(d_model) if positions == "sinusoidal" else 1.0
        self.apply(self._initialise)
        for layer in self.layers:
            for last in (layer.attention.output_projection, layer.feed_forward.down_projection):
                nn.init.normal_(last.weight, std=0.02 / math.sqrt(2 * n_layers))

    @staticmethod
    def _initialise(module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def hidden(
        self, tokens: Tensor, return_weights: bool = False
    ) -> Tensor | tuple[Tensor, list[Tensor]]:
        """tokens (B, T) int64, T <= context -> (B, T, C), with return_weights also each layer's
        attention weights (B, H, T, T). Raises ValueError for a longer input.
        """
        length = tokens.size(1)
        if length > self.context:
            raise ValueError(f"{length} tokens do not fit into a context of {self.context}")
        mask = self.mask[:length, :length]  # (T, T)
        x = self.positions(self.embedding(tokens) * self.scale)  # (B, T, C)
        weights = []
        for layer in self.layers:
            x, layer_weights = layer(x, mask, return_weights=True)  # (B, T, C)
            if return_weights:
                weights.append(layer_weights)
        x = self.norm(x)  # (B, T, C)
        return (x, weights) if return_weights else x

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens (B, T) int64 -> logits (B, T, V)."""
        return self.output_projection(self.hidden(tokens))  # (B, T, V)

    def parameter_count(self) -> int:
        """How many numbers are learned; a tied matrix counts once."""
        return sum(parameter.numel() for parameter in self.parameters())


def next_token_loss(model: GPT, tokens: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy (nats, float32 scalar) of targets (B, T) given tokens (B, T)."""
    logits = model(tokens).flatten(0, 1)  # (B * T, V)
    return torch.nn.functional.cross_entropy(logits.float(), targets.flatten())
