"""Nucleotides to tokens: single letters, overlapping k-mers, byte-pair encoding.

Letters are A, C, G, T, N = 0..4 and padding 5, in rows (B, L) that are padded on the right. All
three do the same: `forward` makes tokens (B, T) int64 of them, padded on the right with `pad`, the
last of the `vocabulary`; `most(L)` is the largest T; `text` gives back the letters that successive
tokens stand for.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

LETTERS = "ACGTN"
UNKNOWN, PAD = 4, 5


class Tokens(nn.Module):
    """What all three have: see above."""

    vocabulary: int
    pad: int

    def most(self, length: int) -> int:
        return length

    def text(self, tokens: Sequence[int]) -> str:
        raise NotImplementedError


class Nucleotides(Tokens):
    """A token for each letter: tokens are the letters themselves."""

    vocabulary, pad = 6, PAD

    def forward(self, letters: Tensor) -> Tensor:
        """letters (B, L) -> tokens (B, L)."""
        return letters

    def text(self, tokens: Sequence[int]) -> str:
        return "".join(LETTERS[token] for token in tokens)


class KMers(Tokens):
    """A token for each k letters in a row, which share k - 1 with the next (DNABERT, Ji et al.
    2021): numbers of base 4, the first letter the highest digit. A word with an unknown letter is
    one unknown token; so is a sequence of fewer than k letters.
    """

    def __init__(self, k: int):
        super().__init__()
        self.k, self.unknown, self.pad = k, 4**k, 4**k + 1
        self.vocabulary = 4**k + 2

    def most(self, length: int) -> int:
        return max(length - self.k + 1, 1)

    def forward(self, letters: Tensor) -> Tensor:
        """letters (B, L) -> tokens (B, max(L - k + 1, 1))."""
        if (short := self.k - letters.size(1)) > 0:
            letters = nn.functional.pad(letters, (0, short), value=PAD)  # (B, k)
        words = letters.unfold(1, self.k, 1)  # (B, T, k)
        digits = 4 ** torch.arange(self.k - 1, -1, -1, device=letters.device)  # (k,)
        tokens = (words * digits).sum(dim=2)  # (B, T)
        tokens = torch.where((words >= UNKNOWN).any(dim=2), self.unknown, tokens)  # (B, T)
        beyond = words[:, :, -1] == PAD  # (B, T)
        beyond[:, 0] = words[:, 0, 0] == PAD  # a short sequence keeps one token
        return torch.where(beyond, self.pad, tokens)

    def text(self, tokens: Sequence[int]) -> str:
        """Of a sequence without unknown letters: the first word, then the last letter of each."""
        words = [self._word(token) for token in tokens]
        return words[0] + "".join(word[-1] for word in words[1:]) if words else ""

    def _word(self, token: int) -> str:
        if token >= self.unknown:
            return "N" * self.k
        return "".join(LETTERS[token >> 2 * place & 3] for place in reversed(range(self.k)))


class BytePairs(Tokens):
    """Byte-pair encoding (Gage 1994; Sennrich et al. 2016), as DNABERT-2 reads DNA (Zhou et al.
    2024): the most frequent pair of neighbouring tokens becomes a token of its own, over and over.

    merges: (M, 2) int64, a buffer, so that the weights' file holds it: row i is the pair that token
    5 + i stands for, in the order in which pairs were learned and are merged; (-1, -1) where there
    was no pair left. Letters are the tokens 0 to 4; N is never merged.
    """

    merges: Tensor

    def __init__(self, merges: int):
        super().__init__()
        self.register_buffer("merges", torch.full((merges, 2), -1))
        self.pad = len(LETTERS) + merges
        self.vocabulary = self.pad + 1

    @torch.no_grad()
    def learn(self, letters: Tensor) -> None:
        """Find the merges on the sequences `letters` (N, L); of equally frequent pairs the one with
        the smallest tokens comes first."""
        stream = _stream(letters)
        self.merges.fill_(-1)
        for number in range(len(self.merges)):
            first, second = stream[:-1], stream[1:]
            inside = (first >= 0) & (second >= 0) & (first != UNKNOWN) & (second != UNKNOWN)
            codes = first[inside] * self.vocabulary + second[inside]
            if not len(codes):
                return
            best = int(torch.bincount(codes).argmax())
            pair = divmod(best, self.vocabulary)
            self.merges[number] = torch.tensor(pair)
            stream = merge(stream, *pair, len(LETTERS) + number)

    def forward(self, letters: Tensor) -> Tensor:
        """letters (B, L) -> tokens (B, T), T <= L: as many as the longest row has."""
        stream = _stream(letters)
        for number, (a, b) in enumerate(self.merges.tolist()):
            if a >= 0:
                stream = merge(stream, a, b, len(LETTERS) + number)
        ends = (stream < 0).nonzero().flatten()  # (B,)
        sizes = torch.diff(ends, prepend=ends.new_tensor([-1])) - 1  # (B,)
        rows = stream[stream >= 0].split(sizes.tolist())
        return pad_sequence(rows, batch_first=True, padding_value=self.pad)

    def text(self, tokens: Sequence[int]) -> str:
        pieces = [*LETTERS]
        for a, b in self.merges.tolist():
            pieces.append(pieces[a] + pieces[b] if a >= 0 else "")
        return "".join(pieces[token] for token in tokens)


def _stream(letters: Tensor) -> Tensor:
    """All rows of letters (N, L) after one another, a -1 behind each: (all letters + N,)."""
    ended = nn.functional.pad(letters.long(), (0, 1), value=-1)  # (N, L + 1)
    return ended[ended != PAD]


def merge(stream: Tensor, first: int, second: int, new: int) -> Tensor:
    """`stream` (M,) with `new` for each pair (first, second): of aaa the first two are one."""
    place = torch.arange(len(stream) - 1, device=stream.device)  # (M - 1,)
    found = (stream[:-1] == first) & (stream[1:] == second)  # (M - 1,)
    # Pairs overlap only in a row of equal tokens: there, every other one counts.
    before = torch.where(found, -1, place).cummax(dim=0).values  # the last place without a pair
    found &= (place - before) % 2 == 1
    merged = torch.cat([torch.where(found, new, stream[:-1]), stream[-1:]])  # (M,)
    kept = torch.cat([found.new_ones(1), ~found])  # (M,): all but the second of each pair
    return merged[kept]
