"""Clean a text data set, split it, train its tokenizer on the training split, and write tokens."""

import numpy as np

from gpt.corpora import read_corpus
from gpt.settings import PrepareSpec
from gpt.tokenizer import BytePairTokenizer, CharacterTokenizer, token_stream
from pipeline import settings
from pipeline.atomic import replacing, write_json
from pipeline.errors import InputError
from raw.prepared import arrays_sha256
from raw.raw_files import verify

OUTPUTS = {
    "tokenizer": "tokenizer.json",
    **{split: f"{split}.npy, uint16 tokens" for split in ("train", "val", "test")},
    "meta": "meta.json: sizes, bytes, protocol",
}


def main() -> None:
    args = settings.arguments(__doc__, PrepareSpec, {"raw*": "raw text files"}, OUTPUTS)
    spec = args.spec
    verify(args.raw, spec.dataset, spec.raw)
    corpus = read_corpus(spec.dataset, args.raw, spec.val_share, spec.seed)
    splits = {"train": corpus.train, "val": corpus.val, "test": corpus.test}
    if spec.tokenizer == "bpe":
        tokenizer = BytePairTokenizer.train(corpus.train, spec.vocab_size, corpus.stories)
    else:
        tokenizer = CharacterTokenizer.train(corpus.train, separator=corpus.stories)
    if tokenizer.vocab_size > 65_536:
        raise InputError(f"{tokenizer.vocab_size} tokens do not fit into uint16: use tokenizer bpe")
    streams = {
        name: np.array(token_stream(tokenizer, documents, name), np.uint16)
        for name, documents in splits.items()
    }
    tokenizer.save(args.tokenizer)
    for name, stream in streams.items():
        with replacing(getattr(args, name)) as temporary:
            np.save(temporary, stream, allow_pickle=False)
        print(f"{spec.dataset} {name}: {len(splits[name])} documents, {len(stream)} tokens")
    meta = {
        "dataset": spec.dataset,
        **spec.about.model_dump(),
        "protocol": corpus.notes,
        "classes": None,
        "sizes": {name: len(stream) for name, stream in streams.items()},
        "n_documents": {name: len(documents) for name, documents in splits.items()},
        "n_bytes": {name: len("".join(texts).encode()) for name, texts in splits.items()},
        "tokenizer": spec.tokenizer,
        "vocab_size": tokenizer.vocab_size,
        "separator": tokenizer.separator,
        "split_names": corpus.split_names,
        "data_sha256": arrays_sha256(streams),
    }
    write_json(args.meta, meta)


if __name__ == "__main__":
    settings.run(main)
