"""The decoder and the whole Transformer (Vaswani et al. 2017, section 3.1, figure 1)."""

import math

from torch import Tensor, nn

from torch_nn.attention import MultiHeadAttention, padding_mask
from torch_nn.cache import Cache, LayerCache
from torch_nn.encoder import Encoder, LayerShape
from torch_nn.positions import SinusoidalPositionalEncoding


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention to the encoder's output, feed-forward network, each
    inside Add & Norm."""

    def __init__(self, shape: LayerShape):
        super().__init__()
        self.self_attention = shape.make_attention(causal=True)
        self.cross_attention = shape.make_attention()
        self.feed_forward = shape.make_feed_forward()

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        memory_mask: Tensor | None = None,
        caches: tuple[LayerCache | None, LayerCache | None] = (None, None),
        need_weights: bool = True,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """x (B, Tq, C): the target; memory (B, Tk, C): the encoder's output.

        memory_mask: broadcastable to (B, H, Tq, Tk); caches: of self- and of cross-attention.
        Returns (B, Tq, C), the weights of self-attention (B, H, Tq, Tq) and those of
        cross-attention (B, H, Tq, Tk), if needed.
        """
        own, asked = caches
        x, self_weights = self.self_attention(x, cache=own, need_weights=need_weights)
        x, cross_weights = self.cross_attention(
            x, memory, mask=memory_mask, cache=asked, need_weights=need_weights
        )  # (B, Tq, C), (B, H, Tq, Tk)
        x, _ = self.feed_forward(x)  # (B, Tq, C)
        return x, self_weights, cross_weights


class Decoder(nn.Module):
    """n_layers decoder layers; with pre-norm a last norm, as in the Encoder."""

    def __init__(self, n_layers: int, shape: LayerShape):
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(shape) for _ in range(n_layers))
        self.norm = shape.make_norm() if shape.pre_norm else nn.Identity()

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        memory_mask: Tensor | None = None,
        cache: Cache | None = None,
        need_weights: bool = True,
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """As DecoderLayer's, but with both kinds of weights of each layer."""
        all_self_weights, all_cross_weights = [], []
        for number, layer in enumerate(self.layers):
            kept = (None, None) if cache is None else (cache.layers[number], cache.memory[number])
            x, self_weights, cross_weights = layer(x, memory, memory_mask, kept, need_weights)
            all_self_weights.append(self_weights)
            all_cross_weights.append(cross_weights)
        return self.norm(x), all_self_weights, all_cross_weights


class Transformer(nn.Module):
    """Sequence to sequence: source and target tokens in, logits of each next target token out.

    Embeddings are multiplied by sqrt(C), and the target's is also the output projection (section
    3.4). Weights are drawn Xavier-uniform (Glorot and Bengio 2010), embeddings with standard
    deviation 1 / sqrt(C), which the factor raises to 1.
    one_table: source and target share one vocabulary, and their embeddings one table, too.
    attention: "explicit" or "fused", see LayerShape.
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
        one_table: bool = False,
        attention: str = "explicit",
    ):
        super().__init__()
        if one_table and source_vocab != target_vocab:
            raise ValueError(f"one table of {source_vocab} and of {target_vocab} tokens")
        self.scale = math.sqrt(d_model)
        self.source_embedding = nn.Embedding(source_vocab, d_model)
        self.target_embedding = nn.Embedding(target_vocab, d_model)
        self.source_positions = SinusoidalPositionalEncoding(max_length, d_model, dropout)
        self.target_positions = SinusoidalPositionalEncoding(max_length, d_model, dropout)
        shape = LayerShape(
            d_model, n_heads, d_ff, dropout, activation, pre_norm, attention=attention
        )
        self.encoder = Encoder(n_encoder_layers, shape)
        self.decoder = Decoder(n_decoder_layers, shape)
        self.output_projection = nn.Linear(d_model, target_vocab, bias=False)
        for parameter in (*self.encoder.parameters(), *self.decoder.parameters()):
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        for embedding in (self.source_embedding, self.target_embedding):
            nn.init.normal_(embedding.weight, std=d_model**-0.5)
        if one_table:
            self.source_embedding.weight = self.target_embedding.weight
        self.output_projection.weight = self.target_embedding.weight

    def encode(
        self, source: Tensor, source_lengths: Tensor | None = None, need_weights: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        """source (B, Ts) int64 -> memory (B, Ts, C) and each layer's weights (B, H, Ts, Ts).

        source_lengths (B,): int64, real tokens of each row; None if there is no padding.
        need_weights: whether all weights are needed; without, "fused" attention returns none.
        """
        mask = padding_mask(source_lengths, source.size(1))  # (B, 1, 1, Ts)
        x = self.source_positions(self.source_embedding(source) * self.scale)  # (B, Ts, C)
        return self.encoder(x, mask, need_weights=need_weights)  # (B, Ts, C), (B, H, Ts, Ts) each

    def new_cache(self, batch_size: int, source_length: int) -> Cache:
        """An empty cache for `decode`: batch_size targets of at most max_length tokens."""
        attentions = [m for m in self.decoder.modules() if isinstance(m, MultiHeadAttention)]
        own, asking = ([m for m in attentions if m.causal is causal] for causal in (True, False))
        return Cache(
            [m.new_cache(batch_size, len(self.target_positions.table)) for m in own],
            [m.new_cache(batch_size, source_length) for m in asking],
        )

    def decode(
        self,
        target: Tensor,
        memory: Tensor,
        source_lengths: Tensor | None = None,
        cache: Cache | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """target (B, Tt) int64, memory (B, Ts, C) -> logits (B, Tt, V) of each next token, and of
        each layer the weights of self-attention (B, H, Tt, Tt) and cross-attention (B, H, Tt, Ts).

        cache: the target follows the tokens in it, which are not read again; neither is the memory.
        Padding at the end of a target needs no mask: no token before it may attend to it.
        """
        start = 0 if cache is None else cache.length
        memory_mask = padding_mask(source_lengths, memory.size(1))  # (B, 1, 1, Ts)
        x = self.target_positions(self.target_embedding(target) * self.scale, start)  # (B, Tt, C)
        x, self_weights, cross_weights = self.decoder(x, memory, memory_mask, cache, need_weights)
        return self.output_projection(x), self_weights, cross_weights  # (B, Tt, V), ...

    def forward_with_attention(
        self, source: Tensor, target: Tensor, source_lengths: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor], list[Tensor], list[Tensor]]:
        """Logits (B, Tt, V), and of each layer the weights of the encoder's self-attention
        (B, H, Ts, Ts), the decoder's (B, H, Tt, Tt) and its cross-attention (B, H, Tt, Ts)."""
        memory, encoder_weights = self.encode(source, source_lengths, need_weights=True)
        logits, self_weights, cross_weights = self.decode(
            target, memory, source_lengths, need_weights=True
        )
        return logits, encoder_weights, self_weights, cross_weights

    def forward(
        self, source: Tensor, target: Tensor, source_lengths: Tensor | None = None
    ) -> Tensor:
        """source (B, Ts), target (B, Tt), the latter shifted right -> logits (B, Tt, V).

        Shifted right: position t of the target sees the tokens up to t and predicts token t + 1.
        For the protein MK the target is <s> M K, its labels are M K </s>. Without the shift each
        label would be among the inputs, and the model would learn to copy it.
        """
        memory, _ = self.encode(source, source_lengths)  # (B, Ts, C)
        logits, *_ = self.decode(target, memory, source_lengths)  # (B, Tt, V)
        return logits
