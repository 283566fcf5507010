"""Whatever uses a model runs without dropout and leaves the model in the mode that it found."""

import pytest
import torch
from torch import nn

from torch_nn import image_classifier
from torch_nn.decoding import greedy_decode
from torch_nn.eval_mode import evaluating
from torch_nn.flops import forward_flops
from torch_nn.gpt import GPT
from torch_nn.perplexity import window_nats
from torch_nn.sampling import sample
from torch_nn.transformer import Transformer

TOKENS = torch.arange(6)[None] % 5


def gpt():
    return GPT(5, 6, 1, 2, 8, dropout=0.5, attention="explicit")


def transformer():
    return Transformer(5, 5, 8, 2, 1, 1, 8, dropout=0.5)


def cnn():
    model = image_classifier.MODELS["cnn"]((3, 8, 8), 4, widths=(4,), hidden=6, dropout=0.5)
    nn.init.normal_(model.head.weight)
    return model


IMAGES = torch.rand(9, 3, 8, 8)
USES = {
    "sample": (gpt, lambda m: sample(m, TOKENS[:, :2], 9, range(len(TOKENS)))),
    "window_nats": (gpt, lambda m: window_nats(m, [(TOKENS[0], TOKENS[0], 6)])[0]),
    "greedy_decode": (transformer, lambda m: greedy_decode(m, TOKENS, 0, 1, 9)),
    "probabilities": (cnn, lambda m: image_classifier.probabilities(m, IMAGES, bfloat16=False)),
    "forward_flops": (gpt, lambda m: torch.tensor(forward_flops(m, TOKENS))),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", USES)
def test_no_dropout_no_gradient_and_the_mode_of_before(name, training):
    build, use = USES[name]
    torch.manual_seed(0)
    model = build().train(training)
    inside = []
    next(model.children()).register_forward_hook(
        lambda module, *_: inside.append((module.training, torch.is_grad_enabled()))
    )
    before = {key: value.clone() for key, value in model.state_dict().items()}
    first = use(model)
    assert inside and set(inside) == {(False, False)}
    assert torch.equal(use(model), first)
    assert all(module.training is training for module in model.modules())
    assert torch.is_grad_enabled()
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_the_mode_comes_back_after_an_error():
    model = gpt()
    with pytest.raises(ValueError, match="7 tokens"):
        window_nats(model, [(torch.zeros(7, dtype=torch.long), torch.zeros(7), 7)])
    assert model.training and torch.is_grad_enabled()
    with pytest.raises(RuntimeError, match="stop"), evaluating(model):
        raise RuntimeError("stop")
    assert model.training
