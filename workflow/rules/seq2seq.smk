"""Part 2, sequence to sequence: an encoder-decoder Transformer that learns the genetic code."""

from dataset_about import about


rule prepare_genetic_code:
    """Draw reading frames and translate them by the standard genetic code: {params.spec}."""
    output:
        data=f"{RUN}/seq2seq/data/sequences.npz",
        meta=f"{RUN}/seq2seq/data/meta.json",
    log:
        f"{RUN}/logs/prepare_genetic_code.log",
    benchmark:
        f"{RUN}/benchmarks/prepare_genetic_code.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        spec=spec(
            "seq2seq.prepare",
            about=about(DATASETS["genetic_code"]),
            **config["seq2seq"]["data"],
        ),
    shell:
        "python -m seq2seq.prepare --spec {params.spec:q}"
        " --out {output.data:q} --meta {output.meta:q} > {log:q} 2>&1"


rule train_seq2seq:
    """
    Train the encoder-decoder Transformer on {input.data} under seed {wildcards.seed}.

    Settings: {params.spec}
    """
    input:
        data=f"{RUN}/seq2seq/data/sequences.npz",
    output:
        weights=f"{RUN}/seq2seq/seed{{seed}}/model.safetensors",
        history=f"{RUN}/seq2seq/seed{{seed}}/history.json",
    log:
        f"{RUN}/logs/train_seq2seq/seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/train_seq2seq/seed{{seed}}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["seq2seq"]["threads"]
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        checkpoint=f"{RUN}/.checkpoints/seq2seq/seed{{seed}}",
        spec=lambda wildcards: spec(
            "seq2seq.train",
            seed=int(wildcards.seed),
            **stage(config["seq2seq"], "threads", "model"),
            **config["seq2seq"]["training"],
        ),
    shell:
        "python -m seq2seq.train --spec {params.spec:q} --data {input.data:q}"
        " --weights {output.weights:q} --history {output.history:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule evaluate_seq2seq:
    """Translate the held-out reading frames with each seed's model: {params.spec}."""
    input:
        data=f"{RUN}/seq2seq/data/sequences.npz",
        meta=f"{RUN}/seq2seq/data/meta.json",
        weights=expand(
            f"{RUN}/seq2seq/seed{{seed}}/model.safetensors",
            seed=config["seq2seq"]["seeds"],
        ),
        histories=expand(
            f"{RUN}/seq2seq/seed{{seed}}/history.json", seed=config["seq2seq"]["seeds"]
        ),
    output:
        metrics=f"{RUN}/seq2seq/metrics.json",
        predictions=f"{RUN}/seq2seq/predictions.csv",
        attention=f"{RUN}/seq2seq/attention.npz",
        positions=f"{RUN}/seq2seq/positions.npz",
    log:
        f"{RUN}/logs/evaluate_seq2seq.log",
    benchmark:
        f"{RUN}/benchmarks/evaluate_seq2seq.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["seq2seq"]["threads"]
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        # The first one's model predicts: their order counts, which inputs do not tell.
        order=config["seq2seq"]["seeds"],
        spec=spec("seq2seq.evaluate", **stage(config["seq2seq"], "threads", "model")),
    shell:
        "python -m seq2seq.evaluate --spec {params.spec:q}"
        " --data {input.data:q} --meta {input.meta:q}"
        " --weights {input.weights:q} --histories {input.histories:q}"
        " --metrics {output.metrics:q} --predictions {output.predictions:q}"
        " --attention {output.attention:q} --positions {output.positions:q} > {log:q} 2>&1"


# predictions.csv holds translations, not classes: it is not for the confusion matrices.
for kind, name in [
    ("metrics", "metrics.json"),
    ("attention", "attention.npz"),
    ("positions", "positions.npz"),
]:
    REPORT[kind].append(f"{RUN}/seq2seq/{name}")
REPORT["histories"] += expand(
    f"{RUN}/seq2seq/seed{{seed}}/history.json", seed=config["seq2seq"]["seeds"]
)
