"""Trace a trained GPT on one sentence: its attention weights, and its table of positions."""

import numpy as np
import torch
from pydantic import Field

from gpt.settings import ModelSettings
from gpt.tokenizer import load_tokenizer
from pipeline import settings
from pipeline.atomic import write_npz
from pipeline.torch_setup import setup
from pipeline.weights import load_weights
from raw.prepared import load_json
from torch_nn.gpt import GPT
from torch_nn.positions import sinusoidal_table


class Spec(settings.Settings):
    """Settings of the trace."""

    model: ModelSettings = Field(ModelSettings(), description="shape of the model")
    sentence: str = Field("To be, or not to be", min_length=1, description="what the model reads")
    threads: int = Field(1, ge=1, description="threads of PyTorch")


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"weights": "trained model", "tokenizer": "tokenizer.json", "meta": "meta.json"},
        outputs={"attention": "attention.npz", "positions": "positions.npz"},
    )
    spec = args.spec
    device = setup(0, spec.threads)
    meta = load_json(args.meta, ("title",))
    tokenizer = load_tokenizer(args.tokenizer)
    model = GPT(tokenizer.vocab_size, **spec.model.model_dump()).to(device).eval()
    load_weights(args.weights, model)
    tokens = tokenizer.encode(spec.sentence)[: spec.model.context]
    with torch.no_grad():
        _, weights = model.hidden(torch.tensor([tokens], device=device), return_weights=True)
    names = np.array([tokenizer.decode([token]) for token in tokens])
    write_npz(
        args.attention,
        weights=torch.cat(weights).cpu().float().numpy(),  # (layers, H, T, T)
        query_tokens=names,
        key_tokens=names,
        title=np.array(f"{spec.model.name()}, {meta['title']}"),
        layer_names=np.array([f"layer {number + 1}" for number in range(spec.model.n_layers)]),
    )
    tables = {"sinusoidal": sinusoidal_table(spec.model.context, spec.model.d_model).numpy()}
    if spec.model.positions == "learned":
        tables["learned"] = model.positions.embedding.weight.detach().cpu().numpy()
    write_npz(args.positions, **tables)
    print(f"attention over {len(tokens)} tokens, {spec.model.n_layers} layers")


if __name__ == "__main__":
    settings.run(main)
