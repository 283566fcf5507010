"""What Snakemake says, for people: `snakemake --logger live`, which `make run` adds.

On a terminal a few live lines: how much is done and how long the rest will take, then each running
job with its own progress; a finished job is one line above them. Elsewhere (a pipe, CI, nohup) one
line per finished job, and one every half minute for a job that takes long. With --verbose or
--dry-run Snakemake's own words appear as usual. The full log is where Snakemake always puts it.
"""

import sys
import threading
from logging import WARNING, LogRecord

from rich.console import Console
from rich.live import Live
from rich.text import Text
from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_live.board import Board, Job, duration, last_lines

# Of what has no event these are for everyone; the rest is in the full log.
SHOWN = ("Nothing to be done", "Complete log", "Shutting down", "Exiting because")
# What repeats, at length, that a job failed: it has its own lines.
REPEATED = ("RuleException:\nCalledProcessError", "WorkflowError:\nAt least one job did not")
SECONDS_BETWEEN_SIGNS = 30.0  # of a long job, where there is no terminal


class LogHandler(LogHandlerBase):
    """The plugin, as Snakemake looks for it."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        asked = self.common_settings
        self.usual = None
        if asked.verbose or asked.dryrun or asked.debug_dag or asked.printshellcmds or asked.quiet:
            self.usual = ColorizingTextHandler(
                nocolor=asked.nocolor,
                stream=sys.stdout if asked.stdout else sys.stderr,
                formatter=DefaultFormatter(asked.quiet, asked.show_failed_logs),
                filter=DefaultFilter(
                    asked.quiet,
                    asked.debug_dag,
                    asked.verbose,
                    asked.dryrun,
                    asked.printshellcmds,
                ),
            )
            return
        self.board = Board()
        stream = sys.stdout if asked.stdout else sys.stderr
        self.console = Console(file=stream, no_color=asked.nocolor or None, highlight=False)
        self.live = None
        self.closed = threading.Event()
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self.live = Live(get_renderable=self.render, console=self.console, transient=True)
        else:
            threading.Thread(target=self.give_signs, daemon=True).start()

    def emit(self, record: LogRecord) -> None:
        if self.usual:
            self.usual.handle(record)
            return
        try:
            self.show(record)
        except Exception:  # a run must not end because a line could not be shown
            self.handleError(record)

    def show(self, record: LogRecord) -> None:
        """Update the board by a message of Snakemake's, and print what is to stay."""
        event, told = getattr(record, "event", None), vars(record)
        if event == LogEvent.RUN_INFO:
            self.board.plan(told["stats"])
            self.start()
        elif event == LogEvent.JOB_INFO:
            self.board.announce(told)
        elif event == LogEvent.JOB_FINISHED:
            for line in self.board.finish(told["job_id"], grouped=self.live is None):
                self.line(line)
        elif event == LogEvent.JOB_ERROR:
            if job := self.board.fail(told["jobid"]):
                self.failed(job)
        elif event is None or event == LogEvent.ERROR or record.levelno >= WARNING:
            text = str(record.msg or "")
            important = record.levelno >= WARNING and not text.startswith(REPEATED)
            if important or text.startswith(SHOWN):
                self.line(text)

    def start(self) -> None:
        if not self.live:
            self.line(f"{self.board.total} jobs to do")
        elif not self.live.is_started:
            self.live.start()

    def line(self, text: str, style: str = "") -> None:
        """Print lines that stay; on a terminal, above the live ones."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def failed(self, job: Job) -> None:
        """A job that failed: its last lines, and where to read on."""
        self.line(f"failed: {job.name}, after {duration(job.seconds)}", style="bold red")
        for text in last_lines(job.log):
            self.line(f"    {text}")
        if job.log:
            self.line(f"    its log: {job.log}")

    def render(self) -> Text:
        """The live lines: what is done, then the running jobs, as many as the screen holds."""
        width, height = self.console.size
        lines = [self.board.summary()]
        running = self.board.running()
        room = max(1, height - 3)
        lines += [f"  {job.status()}" for job in running[:room]]
        if len(running) > room:
            lines.append(f"  and {len(running) - room} more")
        lines = [line if len(line) < width else f"{line[: width - 2]}…" for line in lines]
        return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")

    def give_signs(self) -> None:
        """Where there is no terminal: a line every half minute for each job that takes long."""
        while not self.closed.wait(1.0):
            for job in self.board.running():
                if job.silent_for() > SECONDS_BETWEEN_SIGNS:
                    job.told()
                    self.line(f"  ... {job.status()}")

    def close(self) -> None:
        if not self.usual and not self.closed.is_set():
            self.closed.set()
            if self.live and self.live.is_started:
                self.live.stop()
            if self.board.done:
                self.line(f"{self.board.done} jobs in {duration(self.board.seconds)}")
            self.board.remember()
        super().close()
