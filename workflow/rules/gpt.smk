"""Part 2, language: a GPT on tinyshakespeare, TinyStories and the stories of a small grammar."""

from dataset_about import about

TEXTS = sorted(
    name
    for name in DATASETS
    if DATASETS[name]["task"] == "language_modelling"
    and name in config["gpt"]["settings"]
)


rule generate_stories:
    """Generate the stories of the project's own grammar: {params.spec}."""
    output:
        f"{PROCESSED}/grammar_stories/stories.txt",
    log:
        f"{RUN}/logs/generate_stories/grammar_stories.log",
    benchmark:
        f"{RUN}/benchmarks/generate_stories/grammar_stories.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=10,
    params:
        spec=spec(
            "gpt.generate_stories",
            stories=config["gpt"]["settings"]["grammar_stories"]["stories"],
            seed=config["gpt"]["settings"]["grammar_stories"]["data"]["seed"],
        ),
    shell:
        "python -m gpt.generate_stories --spec {params.spec:q} --out {output:q} > {log:q} 2>&1"


rule prepare_text:
    """
    Clean the text of {wildcards.dataset}, split it, train its tokenizer, write its tokens.

    Settings: {params.spec}
    """
    input:
        lambda wildcards: raw_files(wildcards.dataset)
        or f"{PROCESSED}/{wildcards.dataset}/stories.txt",
    output:
        tokenizer=f"{PROCESSED}/{{dataset}}/text/tokenizer.json",
        train=f"{PROCESSED}/{{dataset}}/text/train.npy",
        val=f"{PROCESSED}/{{dataset}}/text/val.npy",
        test=f"{PROCESSED}/{{dataset}}/text/test.npy",
        meta=f"{PROCESSED}/{{dataset}}/text/meta.json",
    log:
        f"{RUN}/logs/prepare_text/{{dataset}}.log",
    benchmark:
        f"{RUN}/benchmarks/prepare_text/{{dataset}}.tsv"
    wildcard_constraints:
        dataset="|".join(TEXTS),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        spec=lambda wildcards: spec(
            "gpt.prepare",
            dataset=wildcards.dataset,
            raw=raw_sums(wildcards.dataset),
            about=about(DATASETS[wildcards.dataset]),
            **config["gpt"]["settings"][wildcards.dataset]["data"],
        ),
    shell:
        "python -m gpt.prepare --spec {params.spec:q} --raw {input:q}"
        " --tokenizer {output.tokenizer:q} --train {output.train:q} --val {output.val:q}"
        " --test {output.test:q} --meta {output.meta:q} > {log:q} 2>&1"


rule train_gpt:
    """
    Train the GPT on {wildcards.dataset} under seed {wildcards.seed}.

    Settings: {params.spec}
    """
    input:
        train=f"{PROCESSED}/{{dataset}}/text/train.npy",
        val=f"{PROCESSED}/{{dataset}}/text/val.npy",
        meta=f"{PROCESSED}/{{dataset}}/text/meta.json",
    output:
        weights=f"{RUN}/gpt/{{dataset}}/seed{{seed}}/model.safetensors",
        history=f"{RUN}/gpt/{{dataset}}/seed{{seed}}/history.json",
    log:
        f"{RUN}/logs/train_gpt/{{dataset}}.seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/train_gpt/{{dataset}}.seed{{seed}}.tsv"
    # The longest jobs start first, so that none is left alone at the end.
    priority: 10
    conda:
        "../../envs/torch.yaml"
    threads: config["gpt"]["threads"]
    resources:
        mem_mb=memory(2500),
        runtime=120,
    params:
        checkpoint=f"{RUN}/.checkpoints/gpt/{{dataset}}/seed{{seed}}",
        spec=lambda wildcards: spec(
            "gpt.train",
            dataset=wildcards.dataset,
            seed=int(wildcards.seed),
            threads=config["gpt"]["threads"],
            **stage(config["gpt"]["settings"][wildcards.dataset], "model"),
            **config["gpt"]["settings"][wildcards.dataset]["training"],
        ),
    shell:
        "python -m gpt.train --spec {params.spec:q}"
        " --train {input.train:q} --val {input.val:q} --meta {input.meta:q}"
        " --weights {output.weights:q} --history {output.history:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule evaluate_gpt:
    """
    Measure the GPTs of {wildcards.dataset}, all seeds, on the whole held-out text, once.

    Settings: {params.spec}
    """
    input:
        val=f"{PROCESSED}/{{dataset}}/text/val.npy",
        test=f"{PROCESSED}/{{dataset}}/text/test.npy",
        meta=f"{PROCESSED}/{{dataset}}/text/meta.json",
        weights=expand(
            f"{RUN}/gpt/{{{{dataset}}}}/seed{{seed}}/model.safetensors",
            seed=config["gpt"]["seeds"],
        ),
        histories=expand(
            f"{RUN}/gpt/{{{{dataset}}}}/seed{{seed}}/history.json",
            seed=config["gpt"]["seeds"],
        ),
        samples=f"{RUN}/gpt/{{dataset}}/samples.json",
    output:
        f"{RUN}/gpt/{{dataset}}/metrics.json",
    log:
        f"{RUN}/logs/evaluate_gpt/{{dataset}}.log",
    benchmark:
        f"{RUN}/benchmarks/evaluate_gpt/{{dataset}}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["gpt"]["threads"]
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        spec=lambda wildcards: spec(
            "gpt.evaluate",
            threads=config["gpt"]["threads"],
            **stage(config["gpt"]["settings"][wildcards.dataset], "model"),
            **config["gpt"]["settings"][wildcards.dataset]["evaluation"],
        ),
    shell:
        "python -m gpt.evaluate --spec {params.spec:q}"
        " --val {input.val:q} --test {input.test:q} --meta {input.meta:q}"
        " --weights {input.weights:q} --histories {input.histories:q}"
        " --samples {input.samples:q}"
        " --out {output:q} > {log:q} 2>&1"


rule sample_gpt:
    """
    Let the GPT of {wildcards.dataset} (first seed) continue each prompt in each way.

    Settings: {params.spec}
    """
    input:
        weights=f"{RUN}/gpt/{{dataset}}/seed{config['gpt']['seeds'][0]}/model.safetensors",
        tokenizer=f"{PROCESSED}/{{dataset}}/text/tokenizer.json",
        meta=f"{PROCESSED}/{{dataset}}/text/meta.json",
    output:
        f"{RUN}/gpt/{{dataset}}/samples.json",
    log:
        f"{RUN}/logs/sample_gpt/{{dataset}}.log",
    benchmark:
        f"{RUN}/benchmarks/sample_gpt/{{dataset}}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["gpt"]["threads"]
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        spec=lambda wildcards: spec(
            "gpt.sample",
            threads=config["gpt"]["threads"],
            **stage(config["gpt"]["settings"][wildcards.dataset], "model"),
            **config["gpt"]["settings"][wildcards.dataset]["sampling"],
        ),
    shell:
        "python -m gpt.sample --spec {params.spec:q} --weights {input.weights:q}"
        " --tokenizer {input.tokenizer:q} --meta {input.meta:q} --out {output:q} > {log:q} 2>&1"


rule trace_gpt:
    """
    Trace the attention of the GPT of {wildcards.dataset} (first seed) on a sentence.

    Settings: {params.spec}
    """
    input:
        weights=f"{RUN}/gpt/{{dataset}}/seed{config['gpt']['seeds'][0]}/model.safetensors",
        tokenizer=f"{PROCESSED}/{{dataset}}/text/tokenizer.json",
        meta=f"{PROCESSED}/{{dataset}}/text/meta.json",
    output:
        attention=f"{RUN}/gpt/{{dataset}}/attention.npz",
        positions=f"{RUN}/gpt/{{dataset}}/positions.npz",
    log:
        f"{RUN}/logs/trace_gpt/{{dataset}}.log",
    benchmark:
        f"{RUN}/benchmarks/trace_gpt/{{dataset}}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["gpt"]["threads"]
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        spec=lambda wildcards: spec(
            "gpt.trace",
            threads=config["gpt"]["threads"],
            **stage(config["gpt"]["settings"][wildcards.dataset], "model", "sentence"),
        ),
    shell:
        "python -m gpt.trace --spec {params.spec:q} --weights {input.weights:q}"
        " --tokenizer {input.tokenizer:q} --meta {input.meta:q}"
        " --attention {output.attention:q} --positions {output.positions:q} > {log:q} 2>&1"


REPORT["histories"] += expand(
    f"{RUN}/gpt/{{dataset}}/seed{{seed}}/history.json",
    dataset=config["gpt"]["datasets"],
    seed=config["gpt"]["seeds"],
)
for name in ("metrics.json", "samples.json", "attention.npz"):
    REPORT[name.split(".")[0]] += expand(
        f"{RUN}/gpt/{{dataset}}/{name}", dataset=config["gpt"]["datasets"]
    )
# One table of positions is enough: the first data set's.
REPORT["positions"].append(f"{RUN}/gpt/{config['gpt']['datasets'][0]}/positions.npz")
