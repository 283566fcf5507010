"""Leaderboard, figures, report and live page: the only rules that see the files of every room.

Figures are a rule of their own, so that a colour redraws and never retrains.
"""

import report_figures as figures

LOOK = SETTINGS.report
# Room -> data sets that the report shows, in the order of the project's parts.
CHOSEN = figures.there(REPORT, RUN, SETTINGS, DATASETS)
FIGURES = figures.plan(REPORT, RUN, CHOSEN, DATASETS)
DRAWN = [f"{RUN}/figures/{figure.kind}/{figure.name}" for figure in FIGURES]
CONFIG_SHA256 = figures.config_sha256(config)
SHOWN = list(dict.fromkeys(name for names in CHOSEN.values() for name in names))
TEMPLATE = os.path.relpath(REPOSITORY / "workflow" / "report" / "report.html.j2")
# What the repository keeps, perhaps of an earlier run of this name.
KEPT = os.path.relpath(REPOSITORY / "results" / "reference" / "leaderboard.csv")
# The run as `make run` makes it, if it is a preset's.
PRESETS = [SETTINGS.run] if SETTINGS.run in figures.presets(REPOSITORY) else []
PEAKS = figures.peaks(REPOSITORY / "results" / "reference")
RECORDED = ("metrics", "histories", "selections", "searches", "samples", "twins")
RECORDED += ("choices", "curves", "motifs", "own")
RECORDS = [path for kind in RECORDED for path in REPORT[kind]]
# What play.html is made of: .js, .css and .j2.
PAGE = [os.path.relpath(path) for path in sorted((SCRIPTS / "play" / "page").glob("[!.]*[s2]"))]


rule build_leaderboard:
    """The leaderboard of run {config[run]}: every evaluation's rows, beside published results."""
    input:
        metrics=REPORT["metrics"],
        # Its bytes, comments too: so are they in the manifest, and this takes seconds.
        references=REFERENCES,
    output:
        out=report(
            f"{RUN}/leaderboard.csv", **figures.where("leaderboard", "Leaderboard", "every row")
        ),
        splits=report(
            f"{RUN}/accuracy_by_split.csv",
            **figures.where(
                "accuracy_by_split", "Leaderboard", "classifiers: training, validation, test"
            ),
        ),
    log:
        log_of("build_leaderboard"),
    benchmark:
        benchmark_of("build_leaderboard")
    conda:
        "../../envs/report.yaml"
    resources:
        **need(megabytes=600, minutes=5),
    params:
        options=options,
        # Without the look: a changed colour does not rebuild it.
        spec=spec(
            "reporting.build_leaderboard", dict, run=SETTINGS.run, config_sha256=CONFIG_SHA256
        ),
    shell:
        "python -m reporting.build_leaderboard --spec {params.spec:q} {params.options:q}"
        " > {log:q} 2>&1"


rule draw_figures:
    """Draw what only arrays can tell: attention, positions, confusion matrices, the worst errors."""
    input:
        files=[path for figure in FIGURES for path in figures.sources(figure, PROCESSED)],
    output:
        [report(path, **figure.where) for path, figure in zip(DRAWN, FIGURES)],
    log:
        log_of("draw_figures"),
    benchmark:
        benchmark_of("draw_figures")
    conda:
        "../../envs/report.yaml"
    resources:
        **need(megabytes=800, minutes=5),
    params:
        options=options,
        folder=lambda w, output: os.path.dirname(os.path.dirname(output[0])),
        spec=spec(
            "reporting.draw_figures",
            dict,
            figures=[
                {
                    "kind": figure.kind,
                    "name": figure.name,
                    "title": figure.title,
                    "files": len(figures.sources(figure, PROCESSED)),
                }
                for figure in FIGURES
            ],
            examples=LOOK.examples,
            ours=LOOK.colours.ours,
            published=LOOK.colours.published,
        ),
    shell:
        "python -m reporting.draw_figures --spec {params.spec:q} {params.options:q}"
        " --figures {params.folder:q} > {log:q} 2>&1"


rule build_report:
    """One self-contained page of run {config[run]}: numbers, figures, texts, their sources."""
    input:
        leaderboard=f"{RUN}/leaderboard.csv",
        references=REFERENCES,
        # An input, so that another layout rebuilds the page and nothing else.
        template=TEMPLATE,
        kept=KEPT if PRESETS and os.path.exists(KEPT) else [],
        records=RECORDS,
        figures=DRAWN,
    output:
        out=report(
            f"{RUN}/report.html", **figures.where("report", "Leaderboard", "the report, one page")
        ),
    log:
        log_of("build_report"),
    benchmark:
        benchmark_of("build_report")
    conda:
        "../../envs/report.yaml"
    resources:
        **need(megabytes=800, minutes=5),
    params:
        options=options,
        spec=spec(
            "reporting.build_report",
            dict,
            run=SETTINGS.run,
            rooms=CHOSEN,
            order=list(CHOSEN),
            datasets=figures.about(SHOWN, DATASETS),
            figures=[figures.told(figure) for figure in FIGURES],
            records=[
                {"room": figures.room(path, RUN), "folder": figures.folder(path, RUN)}
                for path in RECORDS
            ],
            presets=PRESETS,
            peaks=PEAKS,
            samples=LOOK.samples,
            rows=LOOK.rows,
            ours=LOOK.colours.ours,
            published=LOOK.colours.published,
            play="play.html" if REPORT["models"] else "",
        ),
    shell:
        "python -m reporting.build_report --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


# Without a model there is nothing to play with.
if REPORT["models"]:

    rule build_play:
        """One self-contained page in which the models of run {config[run]} can be used."""
        input:
            # What the program finds beside the weights, and what the exhibits begin with.
            figures.beside(REPORT["models"], CHOSEN, PROCESSED),
            models=REPORT["models"],
            page=PAGE,
        output:
            out=f"{RUN}/play.html",
        log:
            log_of("build_play"),
        benchmark:
            benchmark_of("build_play")
        conda:
            "../../envs/report.yaml"
        resources:
            **need(megabytes=800, minutes=5),
        params:
            options=options,
            # In the order in which they are tried, which a set of inputs has not.
            order=REPORT["models"],
            spec=spec(
                "play.build",
                dict,
                run=SETTINGS.run,
                processed=PROCESSED,
                titles={name: figures.title(name, DATASETS) for name in SHOWN},
                ours=LOOK.colours.ours,
                published=LOOK.colours.published,
            ),
        shell:
            "python -m play.build --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"
