"""Let a trained GPT write: several prompts and ways of sampling; judge stories by the grammar."""

import torch

from gpt.model import build, title
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
    start = [] if tokenizer.separator is None else [tokenizer.separator]
    read = start + tokenizer.encode(prompt)
    if not read:
        raise InputError("prompts: '' needs a text of stories, where a separator begins one")
    tokens = torch.tensor([read] * count)  # (B, T)
    drawn = sample(
        model,
        tokens.to(next(model.parameters()).device),
        spec.max_new_tokens,
        torch.Generator().manual_seed(seed),
        stop_token=tokenizer.separator,
        **way.model_dump(),
    )
    found = []
    for row in drawn[:, len(start) :].tolist():
        end = row.index(tokenizer.separator) if tokenizer.separator in row else len(row)
        found.append(tokenizer.decode(row[:end]))
    return found


def main() -> None:
    args = settings.arguments(
        __doc__,
        SampleSpec,
        inputs={"weights": "trained model", "tokenizer": "tokenizer.json", "meta": "meta.json"},
        outputs={"out": "samples.json"},
    )
    spec = args.spec
    device = setup(spec.seed, spec.threads)
    meta = load_json(args.meta, ("dataset", "stand_in"))
    tokenizer = load_tokenizer(args.tokenizer)
    model = build(spec.model, tokenizer.vocab_size).to(device)
    load_weights(args.weights, model)
    samples = []
    for prompt in spec.prompts:
        for way in spec.ways:
            seed = spec.seed + len(samples)
            text = texts(model, tokenizer, prompt, 1, way, spec, seed)[0]
            samples.append({"prompt": prompt, "text": text, **way.model_dump(), "seed": seed})
            print(f"--- {way}\n{text}\n", flush=True)
    share, note = None, "unedited; one sample of each prompt and way, none chosen by hand"
    if spec.grammar_samples:
        count, way = spec.grammar_samples, spec.ways[0]
        stories = texts(model, tokenizer, "", count, way, spec, spec.seed)
        share = sum(map(accepts, stories)) / count
        note += f"; accepted_share: of {count} whole stories drawn by the first way, {way}"
        print(f"the grammar accepts {share:.2f} of {count} stories")
    write_json(
        args.out,
        {
            "task": "language_modelling",
            "dataset": meta["dataset"],
            "model": title(spec.model),
            "stand_in": meta["stand_in"],
            "samples": samples,
            "note": note,
            "accepted_share": share,
            "judged": spec.grammar_samples,
        },
    )


if __name__ == "__main__":
    settings.run(main)
