"""What Snakemake says, for people: `snakemake --logger live`, which `make run` adds.

On a terminal a few live lines: how much is done and how long the rest will take, then each running
job with its own progress; a finished job is one line above them. Elsewhere (a pipe, CI, nohup) one
line per long job or per rule, and a line on what runs after half a minute without any. With
--verbose, --quiet or --dry-run Snakemake's own words appear as usual. The full log is where
Snakemake always puts it.
"""

import io
import re
import sys
import threading
import time
from logging import WARNING, LogRecord

from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_live.board import Board, Job, duration, last_lines, shortened
from snakemake_logger_plugin_live.screen import RED, Screen

# Of what has no event these are for everyone; the rest is in the full log.
SHOWN = ("Nothing to be done", "Complete log")
# What repeats, at length, that a job failed: it has its own lines.
REPEATED = (
    "RuleException:\nCalledProcessError",
    "WorkflowError:\nAt least one job did not",
    "Exiting because a job",
)
PLACE = re.compile(r'WorkflowError in file ".*", line \d+:$|  File ".*", line \d+, in <module>$')
STOPPING = "Terminating processes on user request"
GO_ON = "What is done is kept; the same command goes on from there."
PLANNING = "Finding out what is to be done ..."
REFRESH = 0.5  # seconds
WIDEST = 100  # columns of the live lines: further apart, the eye loses the line


class LogHandler(LogHandlerBase):
    """The plugin, as Snakemake looks for it."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        asked = self.common_settings
        # Python has none if the caller closed it.
        stream = (sys.stdout if asked.stdout else sys.stderr) or io.StringIO()
        self.usual = None
        if asked.verbose or asked.dryrun or asked.debug_dag or asked.printshellcmds or asked.quiet:
            self.usual = ColorizingTextHandler(
                nocolor=asked.nocolor,
                stream=stream,
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
        self.screen = Screen(stream, colours=not asked.nocolor)
        self.last_line = time.monotonic()
        self.stopping = False
        self.broken: set[int] = set()  # the jobs that failed and did not end well since
        self.closed = threading.Event()
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()

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
            if not self.screen.live:
                self.line(f"{self.board.total} jobs to do")
        elif event == LogEvent.JOB_INFO:
            self.board.announce(told)
        elif event == LogEvent.JOB_FINISHED:
            self.finished(told["job_id"])
        elif event == LogEvent.JOB_ERROR:
            self.failed(told["jobid"])
        elif event == LogEvent.GROUP_ERROR:
            for job in told["job_error_info"]:
                self.failed(job["jobid"])
        elif event is None or event == LogEvent.ERROR or record.levelno >= WARNING:
            self.say(str(record.msg or ""), important=record.levelno >= WARNING)

    def say(self, text: str, important: bool) -> None:
        """What Snakemake says in words of its own, if it is for everyone."""
        if text.startswith(STOPPING):
            self.stopping = True
            self.line("Stopping: the trainings that run save how far they are ...")
        elif (important and not text.startswith(REPEATED)) or text.startswith(SHOWN):
            # A wrong configuration is not told by the place in the rules that found it.
            lines = [line for line in text.splitlines() if not PLACE.match(line)]
            self.line("\n".join(lines) or text)

    def line(self, text: str, style: str = "") -> None:
        """Print what stays."""
        self.last_line = time.monotonic()
        self.screen.print(*text.splitlines(), style=style)

    def finished(self, number: int) -> None:
        self.broken.discard(number)
        for line in self.board.finish(number, grouped=not self.screen.live):
            self.line(shortened(line, self.screen.size()[0] - 1) if self.screen.live else line)
        self.draw()

    def failed(self, number: int) -> None:
        """A job that failed: its last lines, and where to read on."""
        job = self.board.fail(number)
        if job is None or self.stopping:  # one that was told to stop has not failed
            return
        self.broken.add(number)
        self.line(f"failed: {job.name}, after {duration(job.seconds)}", style=RED)
        for text in last_lines(job.log):
            self.line(f"    {text}")
        if job.log:
            self.line(f"    its log: {job.log}")
        self.draw()

    def live_lines(self) -> list[str]:
        """What is done, then the running jobs, as many as half the screen holds."""
        columns, rows = self.screen.size()
        width = min(columns - 1, WIDEST)
        running = self.board.running()
        room = max(1, rows // 2 - 2)
        lines = [self.board.summary(), *aligned(running[:room], width)]
        if len(running) > room:
            lines.append(f"  and {len(running) - room} more")
        return [shortened(line, width) for line in lines]

    def draw(self) -> None:
        if self.screen.live and not self.closed.is_set():
            self.screen.change(self.live_lines() if self.board.total else [PLANNING])

    def watch(self) -> None:
        """Keep the live lines true; elsewhere, say what runs when nothing was said for long."""
        while not self.closed.wait(REFRESH):
            self.draw()
            silent = time.monotonic() - self.last_line
            if not self.screen.live and silent > self.board.patience and self.board.running():
                self.line(f"... {self.board.summary()}; {self.board.now()}")

    def close(self) -> None:
        if not self.usual and not self.closed.is_set():
            self.closed.set()
            self.watcher.join()  # else it may draw once more
            if self.screen.live:
                self.screen.change([])
            for line in self.board.rest():
                self.line(line)
            board = self.board
            done = f"{board.done} of {board.total} jobs"
            if self.stopping:
                self.line(f"Stopped after {duration(board.seconds)}: {done} are done. {GO_ON}")
            elif self.broken:
                self.line(
                    f"{done} in {duration(board.seconds)}, {len(self.broken)} failed. {GO_ON}"
                )
            elif board.total:
                self.line(f"{done} in {duration(board.seconds)}")
            board.remember()
        super().close()


def aligned(jobs: list[Job], width: int) -> list[str]:
    """A line per job of `width` letters: its name, then its progress in columns.

    Where names and columns do not fit, the loss makes room first, then the steps; what is still too
    long loses its middle. A job without steps has their room for its name.
    """
    texts = [job.progress_texts() for job in jobs]
    named = max((len(job.name) for job, row in zip(jobs, texts, strict=True) if row[0]), default=0)
    for kept in ((0, 1, 2), (0, 2), (2,)):
        wide = {place: max((len(row[place]) for row in texts), default=0) for place in kept}
        room = width - 2 - sum(w + 2 for w in wide.values() if w)
        if room >= min(named, 2 * width // 5):
            break
    lines = []
    for job, row in zip(jobs, texts, strict=True):
        cells = "".join(f"  {row[place]:>{w}}" for place, w in wide.items() if w).lstrip()
        room = max(0, width - 4 - len(cells))
        lines.append(f"  {shortened(job.name, room):<{room}}  {cells}")
    return lines
