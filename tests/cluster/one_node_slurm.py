"""A Slurm of one node on this machine, for the tests: munge, slurmctld, slurmd, no accounting.

    python tests/cluster/one_node_slurm.py start FOLDER      (and stop FOLDER)

Needs root and Debian's packages slurmctld, slurmd, slurm-client and munge. The node has four CPUs
more than the machine and a GPU that is none (/dev/null): Slurm hands it out, no
program finds it. Jobs in the partition `main` are preempted by jobs in `urgent`: requeued and
started again; those in `calm` are not.

Slurm's own place for its configuration, /etc/slurm, gets links into FOLDER while it runs: a job's
`srun` looks nowhere else. Left behind after a stop they would cost each snakemake ten seconds.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ETC = Path("/etc/slurm")
FILES = ("slurm.conf", "gres.conf")
# A program of each of Debian's packages.
PACKAGES = {
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "sbatch": "slurm-client",
    "munged": "munge",
}
SBIN = "/usr/sbin"

SLURM_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# A requeued job may start again once its old credential is void.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmdParameters=config_overrides
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SchedulerParameters=sched_min_interval=100000,bf_interval=1,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
# Seconds that a finished job is remembered, and from SIGTERM to SIGKILL.
MinJobAge=7200
KillWait=30
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:1
PartitionName=main Nodes={host} Default=YES PriorityTier=1
PartitionName=calm Nodes={host} PriorityTier=1 PreemptMode=OFF
PartitionName=urgent Nodes={host} PriorityTier=9 PreemptMode=OFF
"""
GRES_CONF = "NodeName={host} Name=gpu File=/dev/null\n"


def missing() -> str:
    """Why no Slurm can be started here, or nothing."""
    packages = [name for program, name in PACKAGES.items() if not _find(program)]
    if packages:
        return f"Slurm is not installed: on Debian and Ubuntu, apt install {' '.join(packages)}"
    if os.geteuid():
        return "slurmd starts jobs as root alone, and this is not root"
    if os.environ.get("SLURM_CONF"):
        return f"SLURM_CONF names a Slurm already: {os.environ['SLURM_CONF']}"
    # Also where a site keeps no configuration on its nodes.
    if subprocess.run([_find("scontrol"), "ping"], capture_output=True, timeout=60).returncode == 0:
        return "a Slurm controller answers here (scontrol ping): not this test's to disturb"
    taken = [str(ETC / name) for name in FILES if os.path.lexists(ETC / name)]
    if taken:
        return f"this machine has a Slurm of its own, or one was not stopped: {', '.join(taken)}"
    return ""


def start(folder: Path) -> None:
    """Start the three daemons with all their files in `folder`; wait until the node is idle."""
    folder = folder.resolve()
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    values = {
        "folder": folder,
        "host": socket.gethostname().split(".")[0],
        "cpus": os.cpu_count() + 4,
        "memory": int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20 * 0.9),
    }
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    ETC.mkdir(exist_ok=True)
    for name, text in zip(FILES, (SLURM_CONF, GRES_CONF), strict=True):
        (folder / name).write_text(text.format(**values))
        (ETC / name).symlink_to(folder / name)
    words = [f"--{name}-file={folder}/munged.{name}" for name in ("pid", "seed", "log")]
    _call("munged", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket", *words)
    _call("slurmctld", "-c")
    _call("slurmd", "-c")
    for _ in range(100):
        if _call("sinfo", "--noheader", "--partition=main", "--format=%t", check=False) == "idle\n":
            return
        time.sleep(0.2)
    logs = [f"{path}:\n{path.read_text()[-2000:]}" for path in sorted(folder.glob("*.log"))]
    raise RuntimeError("Slurm did not become idle within 20 s\n" + "\n".join(logs))


def stop(folder: Path) -> None:
    """Cancel every job, stop the daemons that `start` started there, and take the links away."""
    folder = folder.resolve()
    _call("scancel", "--user=root", check=False)
    for _ in range(75):
        if not _call("squeue", "--noheader", check=False):
            break
        time.sleep(0.2)
    for daemon in ("slurmd", "slurmctld", "munged"):
        pid = folder / f"{daemon}.pid"
        if pid.exists():
            _end(int(pid.read_text()))
    for name in FILES:
        if (ETC / name).is_symlink() and (ETC / name).resolve() == folder / name:
            (ETC / name).unlink()


def _end(pid: int) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        for _ in range(50):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return
            # One that has ended stays as a zombie where the first process does not reap.
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
            time.sleep(0.1)


def _find(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ['PATH']}:{SBIN}")


def _call(program: str, *words: str, check: bool = True) -> str:
    done = subprocess.run([_find(program), *words], capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"{program} {' '.join(words)}: {done.stderr or done.stdout}")
    return done.stdout


if __name__ == "__main__":
    if sys.argv[1] == "start" and (reason := missing()):
        sys.exit(reason)
    {"start": start, "stop": stop}[sys.argv[1]](Path(sys.argv[2]))
