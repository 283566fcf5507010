"""A decoder-only language model, in the manner of GPT-2 (Radford et al. 2019) or of Llama (Touvron
et al. 2023)."""

import math
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from torch_nn.attention import MultiHeadAttention
from torch_nn.cache import Cache
from torch_nn.encoder import Encoder, LayerShape
from torch_nn.language_model import LanguageModel
from torch_nn.positions import POSITIONS, RotaryEmbedding
from torch_nn.token_reader import as_function, layer_reader


class GPT(LanguageModel):
    """Tokens (B, T) -> logits (B, T, V) of each next token; V is the size of the vocabulary.

    The blocks are a pre-norm encoder under a causal mask, which is what remains of a decoder
    without cross-attention. Weights are drawn from N(0, 0.02^2), the last projection of each
    sublayer from N(0, 0.02^2 / (2 n_layers)), so that the variance of the residual sum does not
    grow with depth; biases start at zero (GPT-2, section 2.3).

    The defaults are GPT-2 (with the exact GELU; its own is "gelu tanh"). Llama is positions
    "rotary", norm "rms", activation "swiglu", bias False, tied False, and n_kv_heads, d_ff of
    choice. positions: "learned", "sinusoidal" or "rotary". d_ff: None for 4 C. tied: the token
    embedding is also the output projection (Press and Wolf 2017). norm, activation, bias,
    n_kv_heads, attention: see LayerShape.
    """

    blocks: Encoder

    def __init__(
        self,
        vocab_size: int,
        context: int,
        n_layers: int,
        n_heads: int,
        d_model: int,
        dropout: float = 0.0,
        positions: str = "learned",
        *,
        d_ff: int | None = None,
        n_kv_heads: int | None = None,
        norm: str = "layer",
        activation: str = "gelu",
        bias: bool = True,
        tied: bool = True,
        attention: str = "fused",
    ):
        super().__init__()
        shape = LayerShape(
            d_model,
            n_heads,
            d_ff or 4 * d_model,
            dropout,
            activation,
            pre_norm=True,
            norm=norm,
            bias=bias,
            n_kv_heads=n_kv_heads,
            attention=attention,
        )
        self.context, self.fused = context, attention == "fused"
        self.embedding = nn.Embedding(vocab_size, d_model)
        rotary = None
        if positions == "rotary":
            rotary = RotaryEmbedding(context, d_model // n_heads)
        self.positions = None if rotary else POSITIONS[positions](context, d_model, dropout)
        self.blocks = Encoder(n_layers, shape, causal=True, rotary=rotary)
        self.output_projection = nn.Linear(d_model, vocab_size, bias=False)
        if tied:
            self.output_projection.weight = self.embedding.weight
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

    def new_cache(self, batch_size: int) -> Cache:
        """An empty cache for `batch_size` sequences of at most `context` tokens."""
        attentions = (m for m in self.modules() if isinstance(m, MultiHeadAttention))
        return Cache([attention.new_cache(batch_size, self.context) for attention in attentions])

    def token_reader(self, cache: Cache) -> Callable[[Tensor], Tensor]:
        """token (B,) -> logits (B, V), as `forward` with the cache, in half its time."""
        if not self.fused:
            return super().token_reader(cache)
        pairs = zip(self.blocks.layers, cache.layers, strict=True)
        layers = [layer_reader(layer, kept) for layer, kept in pairs]
        norm, head = as_function(self.blocks.norm), as_function(self.output_projection)

        def read(token: Tensor) -> Tensor:
            x = self.embed(token.unsqueeze(1), cache.length).squeeze(1)  # (B, C)
            for layer in layers:
                x = layer(x)  # (B, C)
            return head(norm(x))  # (B, V)

        return read

    def embed(self, tokens: Tensor, start: int) -> Tensor:
        """tokens (B, T), the first at position `start` -> (B, T, C)."""
        x = self.embedding(tokens)  # (B, T, C)
        if self.scale != 1.0:
            x = x * self.scale  # (B, T, C)
        return x if self.positions is None else self.positions(x, start)  # (B, T, C)

    def hidden(
        self, tokens: Tensor, cache: Cache | None = None, need_weights: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        """tokens (B, T) int64 -> the last layer's output (B, T, C), after its norm, and the
        attention weights of each layer (B, H, T, T), if needed.

        Raises ValueError if they, and those in the cache, do not fit into the context.
        """
        start = 0 if cache is None else cache.length
        end = start + tokens.size(1)
        if end > self.context:
            raise ValueError(f"{end} tokens do not fit into a context of {self.context}")
        x = self.embed(tokens, start)  # (B, T, C)
        return self.blocks(x, cache=cache, need_weights=need_weights)  # (B, T, C), ...

    def forward_with_attention(self, tokens: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, T, V), and the attention weights of each layer (B, H, T, T)."""
        x, weights = self.hidden(tokens, need_weights=True)
        return self.output_projection(x), weights  # (B, T, V), (B, H, T, T) each

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """tokens (B, T) int64 -> logits (B, T, V).

        cache: the tokens follow those in it, which are not read again, and are added to it. Tokens
        and cache together hold at most `context`, else ValueError is raised.
        """
        x, _ = self.hidden(tokens, cache)  # (B, T, C)
        return self.output_projection(x)  # (B, T, V)


def next_token_loss(model: LanguageModel, tokens: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy (nats, float32 scalar) of targets (B, T) given tokens (B, T)."""
    logits = model(tokens).flatten(0, 1)  # (B * T, V)
    return F.cross_entropy(logits.float(), targets.flatten())  # targets (B * T,)
