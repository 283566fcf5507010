"""The key-value cache: what attention has computed of the tokens so far, kept for the next one.

Under a causal mask no later token changes the keys and values of an earlier one. With them kept, a
new token costs one pass over itself instead of one over the whole sequence.

Letters of the shape comments: B batch, H heads, T tokens, D width of a head.
"""

from torch import Tensor


class LayerCache:
    """Keys and values of one attention: `stored` (2, B, H, capacity, D), allocated once, of which
    the first `length` tokens are filled. like: a parameter of the model, for dtype and device."""

    def __init__(self, batch_size: int, n_heads: int, capacity: int, width: int, like: Tensor):
        self.stored = like.new_empty(2, batch_size, n_heads, capacity, width)
        self.length = 0

    def extend(self, keys_values: Tensor) -> tuple[Tensor, Tensor]:
        """Append keys and values of the next tokens, (2, B, H, T, D), and return those of all so
        far, (B, H, length, D) each. Raises ValueError if they do not fit."""
        end, capacity = self.length + keys_values.size(3), self.stored.size(3)
        if end > capacity:
            raise ValueError(f"{end} tokens do not fit into a context of {capacity}")
        self.stored[:, :, :, self.length : end] = keys_values
        self.length = end
        return self.filled()

    def filled(self) -> tuple[Tensor, Tensor]:
        """Keys and values of all tokens so far, (B, H, length, D) each."""
        keys, values = self.stored[:, :, :, : self.length].unbind()
        return keys, values

    def select(self, rows: Tensor) -> None:
        """Go on with these rows, int64 (B',), of the batch: some, in another order, or repeated."""
        self.stored = self.stored[:, rows]


class Cache:
    """A LayerCache for the self-attention of each layer; in a decoder, also one for each
    cross-attention, whose keys and values are those of the source and computed once."""

    def __init__(self, layers: list[LayerCache], memory: list[LayerCache] | None = None):
        self.layers, self.memory = layers, memory or []

    @property
    def length(self) -> int:
        """How many tokens the model has read."""
        return self.layers[0].length

    def select(self, rows: Tensor) -> None:
        """LayerCache.select of every layer."""
        for layer in self.layers + self.memory:
            layer.select(rows)
