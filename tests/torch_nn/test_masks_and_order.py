"""What a token may know: nothing of later ones, of padding, or of the order without positions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from torch_nn.attention import padding_mask
from torch_nn.decoding import greedy_decode
from torch_nn.dna_classifier import DNAClassifier
from torch_nn.encoder import Encoder, LayerShape
from torch_nn.gpt import GPT
from torch_nn.transformer import Transformer

norms = pytest.mark.parametrize("pre_norm", [False, True])
LENGTH = 6


def randomised(model):
    """The model with no parameter at its start: each part of it has a say in the output."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return model.eval()


def transformer(pre_norm):
    return randomised(
        Transformer(7, 9, 16, 2, 2, 2, 32, max_length=9, dropout=0.1, pre_norm=pre_norm)
    )


def changed_from(tokens, first, vocabulary):
    """Every token from `first` on is another one."""
    later = (torch.arange(tokens.size(1)) >= first).long()
    return (tokens + later) % vocabulary


@given(order=st.permutations(range(LENGTH)), seed=st.integers(0, 99))
@norms
def test_without_positions_the_encoder_is_permutation_equivariant(pre_norm, order, seed):
    encoder = randomised(Encoder(2, LayerShape(8, 2, 16, pre_norm=pre_norm)))
    x = torch.randn(2, LENGTH, 8, generator=torch.Generator().manual_seed(seed))
    output, weights = encoder(x)
    found, found_weights = encoder(x[:, order])
    assert_close(found, output[:, order], atol=1e-5, rtol=1e-5)
    assert_close(found_weights[1], weights[1][:, :, order][..., order], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("positions", ["learned", "sinusoidal"])
def test_positions_break_that_symmetry(positions):
    model = randomised(GPT(11, LENGTH, 1, 2, 16, positions=positions))
    model.blocks.layers[0].attention.inner.causal = False
    tokens, order = torch.arange(LENGTH)[None], torch.arange(LENGTH).flip(0)
    assert not torch.allclose(model(tokens[:, order]), model(tokens)[:, order], atol=1e-2)


@given(first=st.integers(0, LENGTH - 1), seed=st.integers(0, 99))
@pytest.mark.parametrize("positions", ["learned", "sinusoidal"])
def test_a_changed_token_changes_no_output_of_a_gpt_before_it(positions, first, seed):
    model = randomised(GPT(11, LENGTH, 2, 2, 16, positions=positions))
    tokens = torch.randint(11, (2, LENGTH), generator=torch.Generator().manual_seed(seed))
    logits, found = model(tokens), model(changed_from(tokens, first, 11))
    assert torch.equal(found[:, :first], logits[:, :first])
    assert (found[:, first:] != logits[:, first:]).any(dim=-1).all()
    assert_close(model(tokens[:, : first + 1]), logits[:, : first + 1], atol=1e-5, rtol=1e-5)


@given(first=st.integers(0, LENGTH - 1), seed=st.integers(0, 99))
@norms
def test_a_changed_target_changes_no_output_of_the_decoder_before_it(pre_norm, first, seed):
    model, generator = transformer(pre_norm), torch.Generator().manual_seed(seed)
    source = torch.randint(7, (2, 5), generator=generator)
    target = torch.randint(9, (2, LENGTH), generator=generator)
    logits, found = model(source, target), model(source, changed_from(target, first, 9))
    assert torch.equal(found[:, :first], logits[:, :first])
    assert (found[:, first:] != logits[:, first:]).any(dim=-1).all()


@given(real=st.integers(1, LENGTH), seed=st.integers(0, 99))
@norms
def test_padding_never_leaks_into_the_encoder(pre_norm, real, seed):
    encoder = randomised(Encoder(2, LayerShape(8, 2, 16, pre_norm=pre_norm)))
    x = torch.randn(1, LENGTH, 8, generator=torch.Generator().manual_seed(seed))
    x[:, real:] = 100.0
    found, weights = encoder(x, padding_mask(torch.tensor([real]), LENGTH))
    expected, _ = encoder(x[:, :real])
    assert_close(found[:, :real], expected, atol=1e-5, rtol=1e-5)
    assert not torch.cat(weights)[..., real:].any()


@pytest.mark.parametrize("real", range(1, LENGTH + 1))
@norms
def test_padding_never_leaks_into_a_translation(pre_norm, real):
    """Neither that of the source nor that of the target; nor into what is written greedily."""
    model, generator = transformer(pre_norm), torch.Generator().manual_seed(real)
    source = torch.randint(7, (1, LENGTH), generator=generator)
    target = torch.randint(9, (1, LENGTH), generator=generator)
    lengths, alone = torch.tensor([real]), source[:, :real]
    logits = model(source, target, lengths)
    assert_close(logits[:, :real], model(alone, target[:, :real]), atol=1e-5, rtol=1e-5)
    assert torch.equal(
        greedy_decode(model, source, 0, 1, 5, lengths), greedy_decode(model, alone, 0, 1, 5)
    )
    # A model that does not read its input would pass.
    assert not torch.equal(model(changed_from(alone, 0, 7), target[:, :real]), logits[:, :real])


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "attention", "flatten"])
@pytest.mark.parametrize("stem", [{}, {"stem_kernel": 3}, {"stem_kernel": 5, "stem_pools": [2, 2]}])
@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_padding_never_leaks_into_a_class(pooling, stem, positions):
    shape = {"d_model": 8, "n_heads": 2, "n_layers": 2, "d_ff": 12, "stem_norm": True, **stem}
    model = DNAClassifier(LENGTH, 3, pooling=pooling, positions=positions, **shape)
    randomised(model).embedding.weight.data[5] = 0.0
    for real in range(1, LENGTH + 1):
        tokens = torch.randint(5, (4, real), generator=torch.Generator().manual_seed(real))
        padded = torch.nn.functional.pad(tokens, (0, LENGTH - real), value=5)
        assert_close(model(padded), model(tokens), atol=1e-5, rtol=1e-5)
        moved = (model((tokens + 1) % 5) - model(tokens)).abs().amax(dim=1)
        assert (moved > 1e-4).all()


def test_a_row_without_a_single_real_token_is_finite():
    model = transformer(pre_norm=True)
    source, target = torch.randint(7, (2, 4)), torch.randint(9, (2, 3))
    logits, *_, cross_weights = model.forward_with_attention(source, target, torch.tensor([0, 4]))
    assert torch.isfinite(logits).all() and not torch.cat(cross_weights)[::2].any()
