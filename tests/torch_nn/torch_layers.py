"""PyTorch's own layers as the oracle of ours: which parameter is which, the same values in both."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.testing import assert_close

# One of our parameters, PyTorch's, and the rows of the latter that are ours.
Pair = tuple[nn.Parameter, nn.Parameter, slice]


def encoder(
    n_layers: int, d_model: int, n_heads: int, d_ff: int, activation: str, pre_norm: bool
) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(
        d_model, n_heads, d_ff, 0.0, activation, batch_first=True, norm_first=pre_norm
    )
    norm = nn.LayerNorm(d_model) if pre_norm else None
    return nn.TransformerEncoder(layer, n_layers, norm, enable_nested_tensor=False)


def decoder(
    n_layers: int, d_model: int, n_heads: int, d_ff: int, activation: str, pre_norm: bool
) -> nn.TransformerDecoder:
    layer = nn.TransformerDecoderLayer(
        d_model, n_heads, d_ff, 0.0, activation, batch_first=True, norm_first=pre_norm
    )
    norm = nn.LayerNorm(d_model) if pre_norm else None
    return nn.TransformerDecoder(layer, n_layers, norm)


def pairs(ours: nn.Module, theirs: nn.Module) -> Iterator[Pair]:
    """The parameters of a module of ours and those of the module of torch.nn that it mirrors."""
    if isinstance(theirs, nn.MultiheadAttention):
        width = theirs.embed_dim
        projections = (ours.query_projection, ours.key_projection, ours.value_projection)
        for i, projection in enumerate(projections):
            rows = slice(i * width, (i + 1) * width)
            yield projection.weight, theirs.in_proj_weight, rows
            yield projection.bias, theirs.in_proj_bias, rows
        yield from pairs(ours.output_projection, theirs.out_proj)
    elif isinstance(theirs, nn.TransformerEncoderLayer):
        yield from pairs(ours.attention.inner, theirs.self_attn)
        yield from pairs(ours.attention.norm, theirs.norm1)
        yield from feed_forward_pairs(ours, theirs, theirs.norm2)
    elif isinstance(theirs, nn.TransformerDecoderLayer):
        yield from pairs(ours.self_attention.inner, theirs.self_attn)
        yield from pairs(ours.self_attention.norm, theirs.norm1)
        yield from pairs(ours.cross_attention.inner, theirs.multihead_attn)
        yield from pairs(ours.cross_attention.norm, theirs.norm2)
        yield from feed_forward_pairs(ours, theirs, theirs.norm3)
    elif isinstance(theirs, nn.TransformerEncoder | nn.TransformerDecoder):
        for our_layer, their_layer in zip(ours.layers, theirs.layers, strict=True):
            yield from pairs(our_layer, their_layer)
        if theirs.norm is not None:
            yield from pairs(ours.norm, theirs.norm)
    else:
        for name, parameter in theirs.named_parameters():
            yield ours.get_parameter(name), parameter, slice(None)


def feed_forward_pairs(ours: nn.Module, theirs: nn.Module, norm: nn.Module) -> Iterator[Pair]:
    yield from pairs(ours.feed_forward.inner.up_projection, theirs.linear1)
    yield from pairs(ours.feed_forward.inner.down_projection, theirs.linear2)
    yield from pairs(ours.feed_forward.norm, norm)


def same_weights(ours: nn.Module, matched: Iterable[Pair]) -> list[Pair]:
    """Move PyTorch's parameters away from their start and copy them into all of ours."""
    matched = list(matched)
    assert {id(our) for our, _, _ in matched} == {id(our) for our in ours.parameters()}
    with torch.no_grad():
        for their in {id(their): their for _, their, _ in matched}.values():
            their += 0.2 * torch.randn_like(their)
        for our, their, rows in matched:
            our.copy_(their[rows])
    return matched


def assert_same(found: Tensor, expected: Tensor, matched: Iterable[Pair]) -> None:
    """The outputs are equal, and so are all gradients of a random sum of them."""
    assert_close(found, expected, atol=1e-5, rtol=1e-5)
    direction = torch.randn_like(expected)
    found.backward(direction)
    expected.backward(direction)
    for our, their, rows in matched:
        assert_close(our.grad, their.grad[rows], atol=1e-4, rtol=1e-4)
