"""Trace a trained GPT on one sentence: its attention weights, and its table of positions."""

import numpy as np
import torch

from gpt.model import MODEL_INPUTS, build, title
from gpt.settings import TraceSpec
from gpt.tokenizer import load_tokenizer
from pipeline import settings
from pipeline.atomic import write_npz
from pipeline.torch_setup import setup
from pipeline.weights import load_weights
from raw.prepared import load_json
from torch_nn.positions import sinusoidal_table


def main() -> None:
    outputs = {"attention": "attention.npz", "positions": "positions.npz"}
    args = settings.arguments(__doc__, TraceSpec, MODEL_INPUTS, outputs)
    spec = args.spec
    device = setup(0, spec.threads)
    meta = load_json(args.meta, ("title",))
    tokenizer = load_tokenizer(args.tokenizer)
    model = load_weights(args.weights, build(spec.model, tokenizer.vocab_size).to(device)).eval()
    tokens = tokenizer.encode(spec.sentence, "sentence")[: spec.model.context]
    with torch.no_grad():
        _, weights = model.forward_with_attention(torch.tensor([tokens], device=device))
    names = np.array([tokenizer.decode([token]) for token in tokens])
    write_npz(
        args.attention,
        weights=torch.cat(weights).cpu().float().numpy(),  # (layers, H, T, T)
        query_tokens=names,
        key_tokens=names,
        title=np.array(f"{title(spec.model)}, {meta['title']}"),
        layer_names=np.array([f"layer {number + 1}" for number in range(spec.model.n_layers)]),
    )
    tables = {"sinusoidal": sinusoidal_table(spec.model.context, spec.model.d_model).numpy()}
    if spec.model.positions == "learned":
        tables["learned"] = model.positions.embedding.weight.detach().cpu().numpy()
    write_npz(args.positions, **tables)
    print(f"attention over {len(tokens)} tokens, {spec.model.n_layers} layers")


if __name__ == "__main__":
    settings.run(main)
