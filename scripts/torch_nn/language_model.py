"""What every language model offers, so that sampling and evaluation need not know which it is."""

from collections.abc import Callable

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

    def token_reader(self, cache: Cache) -> Callable[[Tensor], Tensor]:
        """The function token (B,) -> logits (B, V) that reads one token after those in the cache.

        For a model that has a quicker way than its forward pass. The weights must not change while
        the function is in use.
        """
        return lambda token: self(token.unsqueeze(1), cache)[:, -1]

    def forward_with_attention(self, tokens: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, T, V), and the attention weights of each layer (B, H, T, T)."""
        raise NotImplementedError
