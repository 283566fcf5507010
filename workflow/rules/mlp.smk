"""Part 1: fully connected nets in NumPy alone. A grid with cross-validation chooses `plain`,
successive halving chooses `searched`, all others have the recipes of the configuration.
"""


rule extract_hog:
    """Compute hand-made features of the images, in shifted views too: {params.spec}."""
    input:
        images=MLP_DATA["data"],
    output:
        train=f"{MLP_HOG}/train.npy",
        test=f"{MLP_HOG}/test.npy",
        meta=f"{MLP_HOG}/meta.json",
    log:
        log_of("extract_hog", MLP.dataset),
    benchmark:
        benchmark_of("extract_hog", MLP.dataset)
    priority: 20
    conda:
        "../../envs/data.yaml"
    resources:
        **need(megabytes=2000, minutes=30),
    params:
        options=options,
        spec=spec("mlp.extract_hog", mlp.HogSpec, MLP, MLP.hog),
    shell:
        "python -m mlp.extract_hog --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule cross_validate_mlp:
    """Train {wildcards.candidate} on all folds but {wildcards.fold}, which scores it: {params.spec}."""
    input:
        MLP_HOG_FILES.get("plain", []),
        **MLP_DATA,
    output:
        out=f"{MLP_RUN}/cv/{{candidate}}/fold{{fold}}.json",
    log:
        log_of("cross_validate_mlp", "{candidate}.fold{fold}"),
    benchmark:
        benchmark_of("cross_validate_mlp", "{candidate}.fold{fold}")
    conda:
        "../../envs/numpy.yaml"
    resources:
        **need(megabytes=1000, minutes=20),
    params:
        options=hog_options,
        spec=lambda w: spec(
            "mlp.cross_validate",
            mlp.HeldOutSpec,
            **plan.grid_training(MLP, w.candidate, int(w.fold)),
        ),
    shell:
        "python -m mlp.cross_validate --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule select_mlp:
    """Choose the candidate with the highest mean validation accuracy over the folds: {params.spec}."""
    input:
        scores=MLP_GRID_SCORES,
    output:
        out=MLP_CHOICE["plain"],
    log:
        log_of("select_mlp"),
    benchmark:
        benchmark_of("select_mlp")
    priority: 20
    conda:
        "../../envs/numpy.yaml"
    resources:
        **need(megabytes=500, minutes=5),
    params:
        options=options,
        spec=spec("mlp.select", mlp.DatasetSpec, MLP),
    shell:
        "python -m mlp.select --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule draw_candidates:
    """Draw the candidates of the halving search at random from its space: {params.spec}."""
    output:
        out=f"{MLP_RUN}/search/candidates.json",
    log:
        log_of("draw_candidates"),
    benchmark:
        benchmark_of("draw_candidates")
    conda:
        "../../envs/numpy.yaml"
    resources:
        **need(megabytes=500, minutes=5),
    params:
        options=options,
        spec=spec(
            "mlp.draw_candidates",
            mlp.DrawSpec,
            MLP,
            MLP.search,
            candidates=MLP.search.rungs[0].candidates,
        ),
    shell:
        "python -m mlp.draw_candidates --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


# The program keeps its results in a folder of its own and takes one again that follows from the same
# candidate, settings, code and data (scripts/mlp/halving.py): a ranking that is made again retrains
# only who is new at a place. The output itself has no update(): when a job is stopped, Snakemake puts
# such a file back as new, whatever it was made of.
rule train_rung:
    """Train who is at place {wildcards.place} before rung {wildcards.rung}: {params.spec}."""
    input:
        MLP_HOG_FILES.get("searched", []),
        **MLP_DATA,
        ranking=lambda w: f"{MLP_RUN}/search/{plan.before(int(w.rung))}",
    output:
        out=f"{MLP_RUN}/search/rung{{rung}}/{{place}}.fold{{fold}}.json",
    log:
        log_of("train_rung", "{rung}.{place}.fold{fold}"),
    benchmark:
        benchmark_of("train_rung", "{rung}.{place}.fold{fold}")
    # A chain of rungs and trainings depends on it: it starts first.
    priority: 20
    conda:
        "../../envs/numpy.yaml"
    resources:
        **need(megabytes=2000, minutes=60),
    params:
        options=hog_options,
        kept=f"{RUN}/.kept/train_rung",
        spec=lambda w: rung_spec(int(w.rung), int(w.fold), w),
    shell:
        "python -m mlp.train_rung --spec {params.spec:q} {params.options:q}"
        " --kept {params.kept:q} > {log:q} 2>&1"


rule rank_rung:
    """Rank the candidates of rung {wildcards.rung} by their mean accuracy: {params.spec}."""
    input:
        MLP_HOG_FILES.get("searched", []),
        scores=lambda w: [f"{MLP_RUN}/search/{name}" for name in plan.rung_scores(MLP, int(w.rung))],
        ranking=lambda w: f"{MLP_RUN}/search/{plan.before(int(w.rung))}",
        meta=MLP_DATA["meta"],
    output:
        out=f"{MLP_RUN}/search/rung{{rung}}/ranking.json",
    log:
        log_of("rank_rung", "{rung}"),
    benchmark:
        benchmark_of("rank_rung", "{rung}")
    priority: 20
    conda:
        "../../envs/numpy.yaml"
    resources:
        **need(megabytes=500, minutes=5),
    params:
        options=hog_options,
        spec=lambda w: ranking_spec(int(w.rung)),
    shell:
        "python -m mlp.rank_rung --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule choose_survivor:
    """The candidate that is first in the last rung: {params.spec}."""
    input:
        rankings=MLP_RANKINGS,
    output:
        out=MLP_CHOICE["searched"],
    log:
        log_of("choose_survivor"),
    benchmark:
        benchmark_of("choose_survivor")
    priority: 20
    conda:
        "../../envs/numpy.yaml"
    resources:
        **need(megabytes=500, minutes=5),
    params:
        options=options,
        spec=spec("mlp.choose_survivor", mlp.DatasetSpec, MLP),
    shell:
        "python -m mlp.choose_survivor --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule train_mlp:
    """Train {wildcards.model} on the whole training part, or on all folds but one: {params.spec}."""
    input:
        lambda w: MLP_HOG_FILES.get(w.model, []),
        **MLP_DATA,
        selection=lambda w: MLP_CHOICE.get(w.model, []),
    output:
        weights=f"{MLP_RUN}/{{model}}/{{part}}/model.npz",
        history=f"{MLP_RUN}/{{model}}/{{part}}/history.json",
    log:
        log_of("train_mlp", "{model}.{part}"),
    benchmark:
        benchmark_of("train_mlp", "{model}.{part}")
    wildcard_constraints:
        part=r"(seed|fold)\d+",
    priority: 15
    conda:
        "../../envs/numpy.yaml"
    resources:
        **need(megabytes=3500, minutes=120),
    params:
        options=hog_options,
        checkpoint=f"{RUN}/.checkpoints/mlp/{{model}}/{{part}}",
        spec=lambda w: spec("mlp.train", mlp.TrainSpec, **plan.training(MLP, w.model, w.part)),
    shell:
        "python -m mlp.train --spec {params.spec:q} {params.options:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule evaluate_mlp:
    """Score {wildcards.model} on the training part and, once, on the test part: {params.spec}."""
    input:
        lambda w: MLP_HOG_FILES.get(w.model, []),
        lambda w: f"{MLP_HOG}/test.npy" if w.model in MLP_HOG_MODELS else [],
        **MLP_DATA,
        weights=lambda w: of_parts(w.model, "model.npz"),
        histories=lambda w: of_parts(w.model, "history.json"),
        selection=lambda w: MLP_CHOICE["plain"] if w.model == "plain" else [],
    output:
        metrics=f"{MLP_RUN}/{{model}}/metrics.json",
        predictions=f"{MLP_RUN}/{{model}}/predictions.csv",
        examples=f"{MLP_RUN}/{{model}}/examples.npz",
        probabilities=f"{MLP_RUN}/{{model}}/probabilities.npz",
    log:
        log_of("evaluate_mlp", "{model}"),
    benchmark:
        benchmark_of("evaluate_mlp", "{model}")
    conda:
        "../../envs/numpy.yaml"
    resources:
        **need(megabytes=3500, minutes=120),
    params:
        options=hog_options,
        order=lambda w: plan.parts(MLP, w.model),
        spec=lambda w: spec(
            "mlp.evaluate", mlp.EvaluateSpec, w, MLP, MLP.cv, shifts=MLP.test_time_shifts
        ),
    shell:
        "python -m mlp.evaluate --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


# Without members it has no settings that fit: then there is no such rule.
if MLP_MEMBERS:

    rule ensemble_mlp:
        """Average the probabilities of the members that are named, score the mean: {params.spec}."""
        input:
            meta=MLP_DATA["meta"],
            probabilities=expand(f"{MLP_RUN}/{{model}}/probabilities.npz", model=MLP_MEMBERS),
        output:
            metrics=f"{MLP_RUN}/ensemble/metrics.json",
            predictions=f"{MLP_RUN}/ensemble/predictions.csv",
        log:
            log_of("ensemble_mlp"),
        benchmark:
            benchmark_of("ensemble_mlp")
        conda:
            "../../envs/numpy.yaml"
        resources:
            **need(megabytes=1000, minutes=5),
        params:
            options=options,
            spec=spec("mlp.ensemble", mlp.EnsembleSpec, MLP, MLP.ensemble),
        shell:
            "python -m mlp.ensemble --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


SEARCH_FILES += MLP_GRID_SCORES
if MLP_RANKINGS:
    SEARCH_FILES += [f"{MLP_RUN}/search/candidates.json", MLP_CHOICE["searched"]]
for rung in range(len(MLP_RANKINGS)):
    SEARCH_FILES += expand(f"{MLP_RUN}/search/{{score}}", score=plan.rung_scores(MLP, rung))
