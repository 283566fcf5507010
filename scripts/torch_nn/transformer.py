"""The decoder and the whole Transformer (Vaswani et al. 2017, section 3.1, figure 1)."""

import math

import torch
from torch import Tensor, nn

from torch_nn.attention import MultiHeadAttention, causal_mask, padding_mask
from torch_nn.encoder import Encoder, FeedForward, Stack, Sublayer
from torch_nn.eval_mode import evaluating
from torch_nn.positions import SinusoidalPositionalEncoding


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention to the encoder's output, feed-forward network, each
    inside Add & Norm."""

    def __init__(
        self, d_model: int, n_heads: int, d_ff: int, dropout: float, activation: str, pre_norm: bool
    ):
        super().__init__()
        around = (d_model, dropout, pre_norm)
        self.self_attention = Sublayer(MultiHeadAttention(d_model, n_heads, dropout), *around)
        self.cross_attention = Sublayer(MultiHeadAttention(d_model, n_heads, dropout), *around)
        self.feed_forward = Sublayer(FeedForward(d_model, d_ff, dropout, activation), *around)

    def forward(
        self, x: Tensor, memory: Tensor, self_mask: Tensor | None, memory_mask: Tensor | None
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


class Decoder(Stack):
    """A stack of decoder layers."""

    Layer = DecoderLayer

    def forward(
        self, x: Tensor, memory: Tensor, self_mask: Tensor | None, memory_mask: Tensor | None
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """As DecoderLayer's, but with both kinds of weights of each layer."""
        all_self_weights, all_cross_weights = [], []
        for layer in self.layers:
            x, self_weights, cross_weights = layer(x, memory, self_mask, memory_mask)
            all_self_weights.append(self_weights)
            all_cross_weights.append(cross_weights)
        return self.norm(x), all_self_weights, all_cross_weights


class Transformer(nn.Module):
    """Sequence to sequence: source and target tokens in, logits of each next target token out.

    Embeddings are multiplied by sqrt(C), and the target's is also the output projection (section
    3.4). Weights are drawn Xavier-uniform, embeddings with standard deviation 1 / sqrt(C), which
    the factor raises to 1. Leaves out: one table for both, which needs one vocabulary.
    """

    def __init__(
        self,
        source_vocab: int,
        target_vocab: int,
        d_model: int = 128,
        n_heads: int = 4,
        n_encoder_layers: int = 2,
        n_decoder_layers: int = 2,
        d_ff: int = 512,
        max_length: int = 256,
        dropout: float = 0.1,
        activation: str = "relu",
        pre_norm: bool = False,
    ):
        super().__init__()
        self.scale = math.sqrt(d_model)
        self.source_embedding = nn.Embedding(source_vocab, d_model)
        self.target_embedding = nn.Embedding(target_vocab, d_model)
        self.source_positions = SinusoidalPositionalEncoding(max_length, d_model, dropout)
        self.target_positions = SinusoidalPositionalEncoding(max_length, d_model, dropout)
        layers = (d_model, n_heads, d_ff, dropout, activation, pre_norm)
        self.encoder = Encoder(n_encoder_layers, *layers)
        self.decoder = Decoder(n_decoder_layers, *layers)
        self.output_projection = nn.Linear(d_model, target_vocab, bias=False)
        for parameter in (*self.encoder.parameters(), *self.decoder.parameters()):
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        for embedding in (self.source_embedding, self.target_embedding):
            nn.init.normal_(embedding.weight, std=d_model**-0.5)
        self.output_projection.weight = self.target_embedding.weight

    def encode(
        self, source: Tensor, source_lengths: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """source (B, Ts) int64 -> memory (B, Ts, C) and each layer's weights (B, H, Ts, Ts).

        source_lengths (B,): int64, real tokens of each row; None if there is no padding.
        """
        mask = padding_mask(source_lengths, source.size(1))  # (B, 1, 1, Ts)
        x = self.source_positions(self.source_embedding(source) * self.scale)  # (B, Ts, C)
        return self.encoder(x, mask)  # (B, Ts, C), (B, H, Ts, Ts) each

    def decode(
        self, target: Tensor, memory: Tensor, source_lengths: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """target (B, Tt) int64, memory (B, Ts, C) -> logits (B, Tt, V) of each next token, and of
        each layer the weights of self-attention (B, H, Tt, Tt) and cross-attention (B, H, Tt, Ts).

        Padding at the end of a target needs no mask: no token before it may attend to it.
        """
        self_mask = causal_mask(target.size(1), target.device)  # (Tt, Tt)
        memory_mask = padding_mask(source_lengths, memory.size(1))  # (B, 1, 1, Ts)
        x = self.target_positions(self.target_embedding(target) * self.scale)  # (B, Tt, C)
        x, self_weights, cross_weights = self.decoder(x, memory, self_mask, memory_mask)
        return self.output_projection(x), self_weights, cross_weights  # (B, Tt, V), ...

    def forward_with_attention(
        self, source: Tensor, target: Tensor, source_lengths: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor], list[Tensor], list[Tensor]]:
        """Logits (B, Tt, V), and of each layer the weights of the encoder's self-attention
        (B, H, Ts, Ts), the decoder's (B, H, Tt, Tt) and its cross-attention (B, H, Tt, Ts)."""
        memory, encoder_weights = self.encode(source, source_lengths)
        logits, self_weights, cross_weights = self.decode(target, memory, source_lengths)
        return logits, encoder_weights, self_weights, cross_weights

    def forward(
        self, source: Tensor, target: Tensor, source_lengths: Tensor | None = None
    ) -> Tensor:
        """source (B, Ts), target (B, Tt), the latter shifted right -> logits (B, Tt, V).

        Shifted right: position t of the target sees the tokens up to t and predicts token t + 1.
        For the protein MK the target is <s> M K, its labels are M K </s>. Without the shift each
        label would be among the inputs, and the model would learn to copy it.
        """
        logits, *_ = self.forward_with_attention(source, target, source_lengths)
        return logits

    def greedy_decode(
        self,
        source: Tensor,
        start_token: int,
        end_token: int,
        max_length: int,
        source_lengths: Tensor | None = None,
        pad_token: int | None = None,
    ) -> Tensor:
        """The likeliest next token, again and again: source (B, Ts) -> tokens (B, <= max_length).

        The start token is not returned; end_token is, and what follows it in a row is pad_token
        (default end_token). Without dropout; afterwards the model is in the mode of before.
        Leaves out: beam search.
        """
        pad_token = end_token if pad_token is None else pad_token
        target = torch.full((source.size(0), 1), start_token, device=source.device)  # (B, 1)
        ended = torch.zeros(source.size(0), dtype=torch.bool, device=source.device)  # (B,)
        with evaluating(self):
            memory, _ = self.encode(source, source_lengths)  # (B, Ts, C)
            for _ in range(max_length):
                logits, *_ = self.decode(target, memory, source_lengths)  # (B, T, V)
                token = logits[:, -1].argmax(dim=-1).masked_fill(ended, pad_token)  # (B,)
                target = torch.cat([target, token.unsqueeze(1)], dim=1)  # (B, T + 1)
                ended = ended | (token == end_token)
                if ended.all():
                    break
        return target[:, 1:]  # (B, T)
