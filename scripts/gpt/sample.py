"""Let a trained GPT write, in several ways of sampling, and measure what it writes.

    python -m gpt.sample --weights model.safetensors --out samples.json \\
        --spec '{"prompts": ["Once upon a time"], "ways": [{"temperature": 0.7, "top_p": 0.9}]}'
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from gpt.model import title
from gpt.quality import figures
from gpt.settings import SampleSpec, Way
from gpt.stored_model import MODEL_INPUTS, load
from gpt.story_grammar import accepts
from gpt.token_windows import load_tokens
from gpt.tokenizer import Tokenizer, split_stream
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from pipeline.torch_setup import setup
from torch_nn.language_model import LanguageModel
from torch_nn.sampling import sample

INPUTS = {
    **MODEL_INPUTS,
    "train?": "train.npy, to look for copies in",
    "val?": "val.npy, whose texts are measured beside the model's",
}
# Texts that are drawn at once.
BATCH = 50


class Text(NamedTuple):
    """What a model wrote, its prompt included; ended: whether it wrote the separator after it."""

    text: str
    ended: bool


def write(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    way: Way,
    max_new_tokens: int,
    seeds: Sequence[int],
    told: Callable[[torch.Tensor], None] | None = None,
) -> list[Text]:
    """A continuation of each prompt, up to the separator.

    seeds: one for each prompt. A text depends on its own prompt and seed alone. told: called with
    the tokens (B,) of each step as soon as they are drawn.
    """
    end = tokenizer.separator
    start = [] if end is None else [end]
    given = [start + tokenizer.encode(p, f"prompt {p[:40]!r}") for p in prompts]
    if not all(given):
        raise InputError("prompts: '' needs a text of stories, where a separator begins one")
    lengths = torch.tensor([len(tokens) for tokens in given])  # (B,)
    device = next(model.parameters()).device
    read = torch.zeros(len(given), int(lengths.max()), dtype=torch.int64)  # (B, T)
    for row, tokens in zip(read, given, strict=True):
        row[: len(tokens)] = torch.tensor(tokens)
    drawn = sample(
        model,
        read.to(device),
        max_new_tokens,
        seeds,
        stop_token=end,
        lengths=lengths.to(device),
        told=told,
        **way.model_dump(),
    )
    found = []
    for tokens, row in zip(given, drawn.tolist(), strict=True):
        written = row[len(tokens) : len(tokens) + max_new_tokens]
        ended = end in written
        written = written[: written.index(end)] if ended else written
        found.append(Text(tokenizer.decode([*tokens[len(start) :], *written]), ended))
    return found


def passages(tokenizer: Tokenizer, stream: list[int], count: int, tokens: int) -> list[str]:
    """`count` texts of a stream: its first documents, or passages of `tokens` from all over it."""
    if tokenizer.separator is not None:
        return split_stream(tokenizer, stream)[:count]
    last = max(1, len(stream) - tokens)
    starts = range(0, last, max(1, last // count))[:count]
    return [tokenizer.decode(stream[start : start + tokens]) for start in starts]


def read_text(path: Path | None) -> list[int] | None:
    """The tokens of a split, or None without a path."""
    return load_tokens(path, context=0).tolist() if path else None


def quality(
    texts: Sequence[Text],
    spec: SampleSpec,
    tokenizer: Tokenizer,
    train: Path | None,
    val: Path | None,
) -> Iterator[dict]:
    """The figures of the model's texts, then, with `val`, those of as many held-out ones."""
    known = read_text(train)
    source = None if known is None else tokenizer.decode(known)
    share = sum(text.ended for text in texts) / len(texts)
    complete = share if tokenizer.separator is not None else None
    yield {"of": "the model"} | figures([t.text for t in texts], source) | {"complete": complete}
    if held_out := read_text(val):
        found = passages(tokenizer, held_out, len(texts), spec.max_new_tokens)
        yield {"of": "held-out text"} | figures(found, source) | {"complete": None}


def main() -> None:
    args = settings.arguments(__doc__, SampleSpec, INPUTS, {"out": "samples.json"})
    spec = args.spec
    model, tokenizer, stored = load(args.weights, setup(spec.seed, spec.threads, spec.device))
    found = {}
    for number, way in enumerate(spec.ways):
        seeds = range(spec.seed + number, spec.seed + 2**32, len(spec.ways))[: len(spec.prompts)]
        written = write(model, tokenizer, spec.prompts, way, spec.max_new_tokens, seeds)
        for prompt, seed, (text, _) in zip(spec.prompts, seeds, written, strict=True):
            found[seed] = {"prompt": prompt, "text": text, **way.model_dump(), "seed": seed}
    samples = [found[seed] for seed in sorted(found)]
    for one in samples:
        print(f"--- seed {one['seed']}\n{one['text']}\n", flush=True)
    about = {"task": "language_modelling", "dataset": stored.dataset, "model": title(stored.model)}
    about |= {"stand_in": stored.stand_in, "samples": samples}
    about["note"] = "unedited; one sample of each prompt and way, none chosen by hand"
    about |= {"judged": spec.quality_samples, "accepted_share": None, "quality": []}
    if count := spec.quality_samples:
        way = spec.ways[0]
        prompt = "" if tokenizer.separator is not None else spec.prompts[0]
        texts = []
        for first in range(0, count, BATCH):
            seeds = range(spec.seed + first, spec.seed + min(count, first + BATCH))
            prompts = [prompt] * len(seeds)
            texts += write(model, tokenizer, prompts, way, spec.max_new_tokens, seeds)
        about["quality"] = [*quality(texts, spec, tokenizer, args.train, args.val)]
        told = ", ".join(f"{name} {value}" for name, value in way if value is not None)
        about["note"] += f"; quality: of {count} texts drawn by the first way ({told})"
        for line in about["quality"]:
            print(*(f"{name} {value}" for name, value in line.items()), sep=", ")
        if stored.dataset == "grammar_stories":
            share = sum(t.ended and accepts(t.text) for t in texts) / count
            about["accepted_share"] = share
            print(f"the grammar accepts {share:.2f} of {count} stories")
    write_json(args.out, about)


if __name__ == "__main__":
    settings.run(main)
