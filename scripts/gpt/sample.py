"""Let a trained GPT write: several prompts and ways of sampling; judge stories by the grammar."""

import torch

from gpt.model import MODEL_INPUTS, build, title
from gpt.settings import SampleSpec, Way
from gpt.story_grammar import accepts
from gpt.tokenizer import Tokenizer, load_tokenizer
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from pipeline.torch_setup import setup
from pipeline.weights import load_weights
from raw.prepared import load_json
from torch_nn.gpt import GPT
from torch_nn.sampling import sample


def texts(
    model: GPT, tokenizer: Tokenizer, prompt: str, count: int, way: Way, spec: SampleSpec, seed: int
) -> list[str]:
    """`count` continuations of prompt, prompt included, each up to the separator."""
    end = tokenizer.separator
    start = [] if end is None else [end]
    read = start + tokenizer.encode(prompt, f"prompt {prompt[:40]!r}")
    if not read:
        raise InputError("prompts: '' needs a text of stories, where a separator begins one")
    tokens = torch.tensor([read] * count, device=next(model.parameters()).device)  # (B, T)
    random, options = torch.Generator().manual_seed(seed), way.model_dump()
    drawn = sample(model, tokens, spec.max_new_tokens, random, stop_token=end, **options)
    found = drawn[:, len(start) :].tolist()
    return [tokenizer.decode(row[: row.index(end) if end in row else None]) for row in found]


def main() -> None:
    args = settings.arguments(__doc__, SampleSpec, MODEL_INPUTS, {"out": "samples.json"})
    spec = args.spec
    device = setup(spec.seed, spec.threads)
    meta = load_json(args.meta, ("dataset", "stand_in"))
    tokenizer = load_tokenizer(args.tokenizer)
    model = load_weights(args.weights, build(spec.model, tokenizer.vocab_size).to(device))
    samples = []
    for prompt in spec.prompts:
        for way in spec.ways:
            seed = spec.seed + len(samples)
            text = texts(model, tokenizer, prompt, 1, way, spec, seed)[0]
            samples.append({"prompt": prompt, "text": text, **way.model_dump(), "seed": seed})
            print(f"--- {way}\n{text}\n", flush=True)
    share, note = None, "unedited; one sample of each prompt and way, none chosen by hand"
    if count := spec.grammar_samples:
        way = spec.ways[0]
        share = sum(map(accepts, texts(model, tokenizer, "", count, way, spec, spec.seed))) / count
        note += f"; accepted_share: of {count} whole stories drawn by the first way, {way}"
        print(f"the grammar accepts {share:.2f} of {count} stories")
    about = {"task": "language_modelling", "dataset": meta["dataset"], "model": title(spec.model)}
    about |= {"stand_in": meta["stand_in"], "samples": samples, "note": note}
    write_json(args.out, about | {"accepted_share": share, "judged": count})


if __name__ == "__main__":
    settings.run(main)
