"""FLOPs: a GPT counted on paper, every model against PyTorch's own counter."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from torch_nn import image_classifier
from torch_nn.dna_classifier import DNAClassifier
from torch_nn.flops import forward_flops
from torch_nn.gpt import GPT, next_token_loss
from torch_nn.transformer import Transformer


def counted(run) -> int:
    """What PyTorch counts while run() runs: matrix products and convolutions."""
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def test_a_gpt_on_paper():
    """B = 2, T = 3, C = 4, H = 2, V = 5, one layer; a product (a, b) (b, c) takes 2 a b c."""
    projections = 4 * 2 * 3 * 4 * 4  # query, key, value, output: (T, C) (C, C)
    scores = 2 * 2 * 3 * 2 * 3  # two heads: (T, D) (D, T), the upper triangle included
    averages = 2 * 2 * 3 * 3 * 2  # two heads: (T, T) (T, D)
    feed_forward = 2 * 3 * 4 * 16 + 2 * 3 * 16 * 4  # (T, C) (C, 4 C) and back
    logits = 2 * 3 * 4 * 5  # (T, C) (C, V)
    each = projections + scores + averages + feed_forward + logits
    assert each == 1416
    gpt = GPT(vocab_size=5, context=3, n_layers=1, n_heads=2, d_model=4)
    assert forward_flops(gpt, torch.zeros(2, 3, dtype=torch.int64)) == 2 * each


def tokens(vocabulary, *shape):
    return torch.randint(vocabulary, shape)


def image_model(model, **changes):
    return image_classifier.MODELS[model]((3, 8, 8), 4, widths=(8, 12), **changes)


MODELS = {
    "mlp": lambda: (image_model("mlp", dropout=0.1), torch.rand(5, 3, 8, 8)),
    "cnn": lambda: (image_model("cnn", hidden=9, dropout=0.1), torch.rand(5, 3, 8, 8)),
    "fast cnn": lambda: (image_model("fast_cnn"), torch.rand(5, 3, 8, 8)),
    "gpt": lambda: (GPT(11, 8, 2, 2, 16, dropout=0.1, attention="explicit"), tokens(11, 3, 7)),
    "llama": lambda: (
        GPT(
            11, 8, 2, 4, 16, positions="rotary", n_kv_heads=2, norm="rms", activation="swiglu",
            bias=False, tied=False, attention="explicit",
        ),
        tokens(11, 3, 7),
    ),
    "transformer": lambda: (
        Transformer(7, 9, 16, 2, 3, 2, 24, max_length=9),
        tokens(7, 2, 6),
        tokens(9, 2, 5),
        torch.tensor([4, 6]),
    ),
    "dna mean": lambda: (DNAClassifier(9, 3, d_model=16, n_heads=2), tokens(6, 4, 9)),
    "dna cls": lambda: (DNAClassifier(9, 3, d_model=16, n_heads=2, pooling="cls"), tokens(6, 4, 8)),
    "dna stem": lambda: (
        DNAClassifier(9, 3, d_model=16, n_heads=2, stem_kernel=3, pooling="flatten"),
        tokens(6, 4, 9),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_equals_torchs_counter(name):
    model, *inputs = MODELS[name]()
    # PyTorch's counter knows the fused kernel of a GPU alone.
    run = getattr(model.eval(), "forward_with_attention", model)
    assert forward_flops(model, *inputs) == counted(lambda: run(*inputs)) > 0


def test_a_step_takes_three_times_the_forward_pass():
    """Each product has two more in the backward pass, as both of its factors need a gradient."""
    model, batch = GPT(11, 8, 2, 2, 16, attention="explicit"), tokens(11, 3, 8)
    step = counted(lambda: next_token_loss(model, batch[:, :-1], batch[:, 1:]).backward())
    assert step == 3 * forward_flops(model, batch[:, :-1])


def test_counts_each_call_afresh_and_leaves_no_hook():
    model, batch = MODELS["gpt"]()
    first = forward_flops(model, batch)
    assert not torch.nn.modules.module._global_forward_hooks
    assert forward_flops(model, batch) == first == 3 * forward_flops(model, batch[:1])
