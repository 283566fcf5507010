"""The key-value cache: what attention has computed of the tokens so far, kept for the next one.

Under a causal mask no later token changes the keys and values of an earlier one. With them kept, a
new token costs one pass over itself instead of one over the whole sequence.

Letters of the shape comments: B batch, H heads, T tokens, D width of a head.
"""

from torch import Tensor


class LayerCache:
    """Keys and values of one attention: the first `length` tokens of keys, values (B, H, capacity,
    D), which are allocated once. like: a parameter of the model, for dtype and device."""

    def __init__(self, batch_size: int, n_heads: int, capacity: int, width: int, like: Tensor):
        shape = (batch_size, n_heads, capacity, width)
        self.keys, self.values = like.new_empty(shape), like.new_empty(shape)
        self.length = 0

    def extend(self, k: Tensor, v: Tensor) -> None:
        """Append k, v (B, H, T, D). Raises ValueError if they do not fit."""
        end, capacity = self.length + k.size(2), self.keys.size(2)
        if end > capacity:
            raise ValueError(f"{end} tokens do not fit into a context of {capacity}")
        self.keys[:, :, self.length : end] = k
        self.values[:, :, self.length : end] = v
        self.length = end

    def filled(self) -> tuple[Tensor, Tensor]:
        """Keys and values of all tokens so far, (B, H, length, D) each."""
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]

    def select(self, rows: Tensor) -> None:
        """Go on with these rows, int64 (B',), of the batch: some, in another order, or repeated."""
        self.keys, self.values = self.keys[rows], self.values[rows]


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
