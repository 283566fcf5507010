"""Let a trained GPT write: several prompts and ways of sampling; judge stories by the grammar."""

import torch
from pydantic import Field

from gpt.settings import ModelSettings
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


class Way(settings.Settings):
    """One way of sampling; null switches top-k or top-p off."""

    temperature: float = Field(1.0, ge=0, description="0: always the likeliest token")
    top_k: int | None = Field(None, ge=1, description="draw among the k likeliest tokens")
    top_p: float | None = Field(None, gt=0, le=1, description="draw among the likeliest mass p")


class Spec(settings.Settings):
    """Settings of the sampling."""

    model: ModelSettings = Field(ModelSettings(), description="shape of the model")
    prompts: list[str] = Field(["\n"], min_length=1, description="what is continued")
    ways: list[Way] = Field([Way()], min_length=1, description="every prompt in each way")
    max_new_tokens: int = Field(300, ge=1, description="longest continuation, tokens")
    grammar_samples: int = Field(
        0,
        ge=0,
        description="stories drawn by the first way and judged by the story grammar; 0: none",
    )
    seed: int = Field(1, ge=0, description="seed of the first sample; the next ones count up")
    threads: int = Field(1, ge=1, description="threads of PyTorch")


def texts(
    model: GPT, tokenizer: Tokenizer, prompt: str, count: int, way: Way, spec: Spec, seed: int
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
        Spec,
        inputs={"weights": "trained model", "tokenizer": "tokenizer.json", "meta": "meta.json"},
        outputs={"out": "samples.json"},
    )
    spec = args.spec
    device = setup(spec.seed, spec.threads)
    meta = load_json(args.meta, ("dataset", "stand_in"))
    tokenizer = load_tokenizer(args.tokenizer)
    model = GPT(tokenizer.vocab_size, **spec.model.model_dump()).to(device)
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
            "model": spec.model.name(),
            "stand_in": meta["stand_in"],
            "samples": samples,
            "note": note,
            "accepted_share": share,
            "judged": spec.grammar_samples,
        },
    )


if __name__ == "__main__":
    settings.run(main)
