"""Leaderboard, figures and report: the only rules that see the files of every room.

A figure of each kind is a rule of its own, so that a colour redraws and never retrains.
"""

import dataclasses

import report_figures

LOOK = config["report"]
FIGURES = report_figures.plan(REPORT, RUN, CHOSEN, DATASETS)
CURVE_GROUPS = report_figures.curve_groups(REPORT, RUN)
SHOWN_DATASETS = [figure.dataset for figure in FIGURES["leaderboard"]]
# Paths from the working directory: they stay the same when the tree moves.
REFERENCES_FILE = os.path.relpath(REPOSITORY / "config" / "references.yaml")
TEMPLATE = os.path.relpath(REPOSITORY / "workflow" / "report" / "report.html.j2")
RECORDS = [
    path
    for kind in ("metrics", "histories", "selections", "searches", "samples")
    for path in REPORT[kind]
]
DRAWN = [
    (f"{RUN}/figures/{figure.kind}/{figure.name}", figure)
    for figures in FIGURES.values()
    for figure in figures
]


rule build_leaderboard:
    """The leaderboard of run {config[run]}: every evaluation's rows, and published results of
    the same data sets beside them. A changed colour of the report does not rebuild it.
    """
    input:
        metrics=REPORT["metrics"],
        references=REFERENCES_FILE,
    output:
        board=report(
            f"{RUN}/leaderboard.csv",
            caption="../report/leaderboard.rst",
            category="Leaderboard",
            labels={"what": "every row"},
        ),
        splits=report(
            f"{RUN}/accuracy_by_split.csv",
            caption="../report/accuracy_by_split.rst",
            category="Leaderboard",
            labels={"what": "classifiers: training, validation, test"},
        ),
    log:
        f"{RUN}/logs/build_leaderboard.log",
    benchmark:
        f"{RUN}/benchmarks/build_leaderboard.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory(600),
        runtime=5,
    params:
        spec=spec(
            "reporting.build_leaderboard",
            run=config["run"],
            config_sha256=report_figures.config_sha256(config),
        ),
    shell:
        "python -m reporting.build_leaderboard --spec {params.spec:q} --metrics {input.metrics:q}"
        " --references {input.references:q} --out {output.board:q} --splits {output.splits:q}"
        " > {log:q} 2>&1"


rule plot_leaderboard:
    """A figure a data set of the leaderboard: ours with intervals beside published results."""
    input:
        f"{RUN}/leaderboard.csv",
    output:
        [
            report(
                f"{RUN}/figures/leaderboard/{figure.name}",
                caption="../report/plot_leaderboard.rst",
                category="Leaderboard",
                labels={"what": figure.title},
            )
            for figure in FIGURES["leaderboard"]
        ],
    log:
        f"{RUN}/logs/plot_leaderboard.log",
    benchmark:
        f"{RUN}/benchmarks/plot_leaderboard.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory(800),
        runtime=5,
    params:
        folder=lambda wildcards, output: os.path.dirname(output[0]),
        spec=spec(
            "reporting.plot_leaderboard",
            datasets=SHOWN_DATASETS,
            names=[figure.name for figure in FIGURES["leaderboard"]],
            titles=[figure.title for figure in FIGURES["leaderboard"]],
            ours=LOOK["colours"]["ours"],
            published=LOOK["colours"]["published"],
            rows=LOOK["rows"],
            dpi=LOOK["dpi"],
        ),
    shell:
        "python -m reporting.plot_leaderboard --spec {params.spec:q} --leaderboard {input:q}"
        " --figures {params.folder:q} > {log:q} 2>&1"


rule plot_curves:
    """Training curves: a figure a room, a panel a data set and model, a line a seed."""
    input:
        REPORT["histories"],
    output:
        [
            report(
                f"{RUN}/figures/curves/{figure.name}",
                caption="../report/plot_curves.rst",
                category="Training curves",
                labels={"what": figure.room},
            )
            for figure in FIGURES["curves"]
        ],
    log:
        f"{RUN}/logs/plot_curves.log",
    benchmark:
        f"{RUN}/benchmarks/plot_curves.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory(800),
        runtime=5,
    params:
        folder=lambda wildcards, output: os.path.dirname(output[0]),
        spec=spec(
            "reporting.plot_curves",
            names=[figure.name for figure in FIGURES["curves"]],
            groups=CURVE_GROUPS,
            datasets={
                name: report_figures.title(name, DATASETS) for name in SHOWN_DATASETS
            },
            ours=LOOK["colours"]["ours"],
            train=LOOK["colours"]["train"],
            dpi=LOOK["dpi"],
        ),
    shell:
        "python -m reporting.plot_curves --spec {params.spec:q} --histories {input:q}"
        " --figures {params.folder:q} > {log:q} 2>&1"


rule plot_grid:
    """The cross-validated search as a picture; the frame marks the selected candidate."""
    input:
        REPORT["selections"],
    output:
        [
            report(
                f"{RUN}/figures/grid/{figure.name}",
                caption="../report/plot_grid.rst",
                category="Searches",
                labels={"what": figure.title},
            )
            for figure in FIGURES["grid"]
        ],
    log:
        f"{RUN}/logs/plot_grid.log",
    benchmark:
        f"{RUN}/benchmarks/plot_grid.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory(800),
        runtime=5,
    params:
        folder=lambda wildcards, output: os.path.dirname(output[0]),
        spec=spec(
            "reporting.plot_grid",
            names=[figure.name for figure in FIGURES["grid"]],
            titles=[figure.title for figure in FIGURES["grid"]],
            heat_map=LOOK["heat_map"],
            mark=LOOK["colours"]["published"],
            dpi=LOOK["dpi"],
        ),
    shell:
        "python -m reporting.plot_grid --spec {params.spec:q} --selections {input:q}"
        " --figures {params.folder:q} > {log:q} 2>&1"


rule plot_race:
    """The search by successive halving: who ran how far, and which candidate won."""
    input:
        REPORT["searches"],
    output:
        [
            report(
                f"{RUN}/figures/race/{figure.name}",
                caption="../report/plot_race.rst",
                category="Searches",
                labels={"what": figure.title},
            )
            for figure in FIGURES["race"]
        ],
    log:
        f"{RUN}/logs/plot_race.log",
    benchmark:
        f"{RUN}/benchmarks/plot_race.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory(800),
        runtime=5,
    params:
        folder=lambda wildcards, output: os.path.dirname(output[0]),
        spec=spec(
            "reporting.plot_race",
            names=[figure.name for figure in FIGURES["race"]],
            titles=[figure.title for figure in FIGURES["race"]],
            groups=report_figures.race_groups(REPORT),
            ours=LOOK["colours"]["ours"],
            mark=LOOK["colours"]["published"],
            dpi=LOOK["dpi"],
        ),
    shell:
        "python -m reporting.plot_race --spec {params.spec:q} --rankings {input:q}"
        " --figures {params.folder:q} > {log:q} 2>&1"


rule plot_confusion:
    """Confusion matrices of every classifier on the test split."""
    input:
        predictions=REPORT["predictions"],
        meta=[
            f"{PROCESSED}/{figure.dataset}/meta.json"
            for figure in FIGURES["confusion"]
        ],
    output:
        [
            report(
                f"{RUN}/figures/confusion/{figure.name}",
                caption="../report/plot_confusion.rst",
                category="Predictions",
                labels={"what": f"confusion matrix, {figure.title}"},
            )
            for figure in FIGURES["confusion"]
        ],
    log:
        f"{RUN}/logs/plot_confusion.log",
    benchmark:
        f"{RUN}/benchmarks/plot_confusion.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory(800),
        runtime=5,
    params:
        folder=lambda wildcards, output: os.path.dirname(output[0]),
        spec=spec(
            "reporting.plot_confusion",
            names=[figure.name for figure in FIGURES["confusion"]],
            titles=[figure.title for figure in FIGURES["confusion"]],
            heat_map=LOOK["heat_map"],
            dpi=LOOK["dpi"],
        ),
    shell:
        "python -m reporting.plot_confusion --spec {params.spec:q} --predictions {input.predictions:q}"
        " --meta {input.meta:q} --figures {params.folder:q} > {log:q} 2>&1"


rule plot_examples:
    """Example images of the test split with predictions, wrong ones framed."""
    input:
        REPORT["images"],
    output:
        [
            report(
                f"{RUN}/figures/examples/{figure.name}",
                caption="../report/plot_examples.rst",
                category="Predictions",
                labels={"what": f"examples, {figure.title}"},
            )
            for figure in FIGURES["examples"]
        ],
    log:
        f"{RUN}/logs/plot_examples.log",
    benchmark:
        f"{RUN}/benchmarks/plot_examples.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory(800),
        runtime=5,
    params:
        folder=lambda wildcards, output: os.path.dirname(output[0]),
        spec=spec(
            "reporting.plot_examples",
            names=[figure.name for figure in FIGURES["examples"]],
            titles=[figure.title for figure in FIGURES["examples"]],
            examples=LOOK["examples"],
            wrong=LOOK["colours"]["wrong"],
            dpi=LOOK["dpi"],
        ),
    shell:
        "python -m reporting.plot_examples --spec {params.spec:q} --images {input:q}"
        " --figures {params.folder:q} > {log:q} 2>&1"


rule plot_attention:
    """Attention maps on an example: a row a layer, a column a head."""
    input:
        REPORT["attention"],
    output:
        [
            report(
                f"{RUN}/figures/attention/{figure.name}",
                caption="../report/plot_attention.rst",
                category="Inside the Transformer",
                labels={"what": f"attention, {figure.title}"},
            )
            for figure in FIGURES["attention"]
        ],
    log:
        f"{RUN}/logs/plot_attention.log",
    benchmark:
        f"{RUN}/benchmarks/plot_attention.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory(800),
        runtime=5,
    params:
        folder=lambda wildcards, output: os.path.dirname(output[0]),
        spec=spec(
            "reporting.plot_attention",
            names=[figure.name for figure in FIGURES["attention"]],
            titles=[figure.title for figure in FIGURES["attention"]],
            heat_map=LOOK["heat_map"],
            dpi=LOOK["dpi"],
        ),
    shell:
        "python -m reporting.plot_attention --spec {params.spec:q} --attention {input:q}"
        " --figures {params.folder:q} > {log:q} 2>&1"


rule plot_positions:
    """Positional encodings: the table, four of its columns, the cosine of two positions."""
    input:
        REPORT["positions"],
    output:
        [
            report(
                f"{RUN}/figures/positions/{figure.name}",
                caption="../report/plot_positions.rst",
                category="Inside the Transformer",
                labels={"what": f"positions, {figure.title}"},
            )
            for figure in FIGURES["positions"]
        ],
    log:
        f"{RUN}/logs/plot_positions.log",
    benchmark:
        f"{RUN}/benchmarks/plot_positions.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory(800),
        runtime=5,
    params:
        folder=lambda wildcards, output: os.path.dirname(output[0]),
        spec=spec(
            "reporting.plot_positions",
            names=[figure.name for figure in FIGURES["positions"]],
            titles=[figure.title for figure in FIGURES["positions"]],
            heat_map=LOOK["heat_map"],
            dpi=LOOK["dpi"],
        ),
    shell:
        "python -m reporting.plot_positions --spec {params.spec:q} --positions {input:q}"
        " --figures {params.folder:q} > {log:q} 2>&1"


rule build_report:
    """One self-contained page of run {config[run]}: numbers, figures, texts, where they come
    from. The template is an input, so that another layout rebuilds the page and nothing else.
    """
    input:
        leaderboard=f"{RUN}/leaderboard.csv",
        references=REFERENCES_FILE,
        template=TEMPLATE,
        records=RECORDS,
        figures=[path for path, _ in DRAWN],
    output:
        report(
            f"{RUN}/report.html",
            caption="../report/report.rst",
            category="Leaderboard",
            labels={"what": "the report, one page"},
        ),
    log:
        f"{RUN}/logs/build_report.log",
    benchmark:
        f"{RUN}/benchmarks/build_report.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory(800),
        runtime=5,
    params:
        spec=spec(
            "reporting.build_report",
            run=config["run"],
            rooms=CHOSEN,
            order=list(CHOSEN),
            datasets=report_figures.about(SHOWN_DATASETS, DATASETS),
            figures=[dataclasses.asdict(figure) for _, figure in DRAWN],
            records=[report_figures.room(path, RUN) for path in RECORDS],
            samples=LOOK["samples"],
            ours=LOOK["colours"]["ours"],
            published=LOOK["colours"]["published"],
        ),
    shell:
        "python -m reporting.build_report --spec {params.spec:q} --leaderboard {input.leaderboard:q}"
        " --references {input.references:q} --template {input.template:q}"
        " --records {input.records:q} --figures {input.figures:q} --out {output:q} > {log:q} 2>&1"
