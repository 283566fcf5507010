"""What every language model offers, so that sampling and evaluation need not know which it is."""

from torch import Tensor, nn

from torch_nn.cache import Cache


class LanguageModel(nn.Module):
    """context: the most tokens that it reads at once; a longer input raises ValueError. blocks: its
    layers, without embeddings and head."""

    context: int
    blocks: nn.Module

    def new_cache(self, batch_size: int) -> Cache:
        """An empty cache for `batch_size` sequences of at most `context` tokens."""
        raise NotImplementedError

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """tokens (B, T) int64 -> logits (B, T, V) of each next token.

        cache: the tokens follow those in it, which are not read again, and are added to it. Tokens
        and cache together hold at most `context`.
        """
        raise NotImplementedError

    def forward_with_attention(self, tokens: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, T, V), and the attention weights of each layer (B, H, T, T)."""
        raise NotImplementedError
