"""A full disk and a read-only folder under a real run: a small disk of its own for results/."""

import subprocess
import sys

import pytest
from harness import copy_repository, snakemake

MODEL = "results/demo/mlp/mixer/seed1/model.npz"


def mount_disk(folder, options):
    """Mount a disk in memory at `folder`, or change the one that is there; what went wrong."""
    words = ["-t", "tmpfs", "-o", options, "tmpfs", folder]
    if "remount" in options:
        words = ["-o", options, folder]
    return subprocess.run(["mount", *words], capture_output=True, text=True).stderr.strip()


@pytest.fixture(scope="module")
def disks(tmp_path_factory):
    """Skip all tests, before anything is trained, where no disk can be mounted."""
    folder = tmp_path_factory.mktemp("disk")
    # Tried rather than asked for: root in a container may not have the right either.
    if error := mount_disk(folder, "size=4k"):
        pytest.skip(f"needs the right to mount a disk (root): {error.splitlines()[0]}")
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def mount(disks):
    """mount(folder, options): a disk in memory at `folder`, gone after the test."""
    mounted = []

    def make(folder, options):
        folder.mkdir(exist_ok=True)
        error = mount_disk(folder, options)
        assert not error, error
        mounted.append(folder)

    yield make
    for folder in set(mounted):
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture(scope="module")
def whole(disks, repository, tmp_path_factory):
    """The bytes of a model whose disk had room."""
    folder = copy_repository(repository, tmp_path_factory.mktemp("whole") / "copy")
    snakemake(folder, MODEL)
    return (folder / MODEL).read_bytes()


def test_a_full_disk(repository, tmp_path, mount, whole):
    folder = copy_repository(repository, tmp_path / "copy")
    mount(folder / "results", f"size={len(whole) * 2 // 3 // 4096 * 4}k")
    shown = snakemake(folder, MODEL, check=False)
    assert f"error: {MODEL}: cannot be written: No space left on device. Make room" in shown
    assert "Traceback" not in shown
    assert not list(folder.glob("results/demo/mlp/**/*.npz")), "nothing half-written"
    mount(folder / "results", "remount,size=50m")
    snakemake(folder, MODEL)
    assert (folder / MODEL).read_bytes() == whole
    assert not list(folder.glob("results/**/.*.npz"))


def test_a_read_only_folder_is_said_before_the_training(repository, tmp_path, mount, whole):
    folder = copy_repository(repository, tmp_path / "copy")
    mount(folder / "results", "size=50m")
    mount(folder / "results", "remount,ro")
    shown = snakemake(folder, MODEL, check=False)
    assert "Read-only file system" in shown
    assert "Traceback" not in shown
    assert "mixer.seed1.log" not in shown, "no job was started"
    program = [sys.executable, "-m", "mlp.draw_candidates", "--out", "results/new/a.json"]
    done = subprocess.run(program, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: results/new/a.json: cannot be written: ")
    mount(folder / "results", "remount,rw")
    snakemake(folder, MODEL)
    assert (folder / MODEL).read_bytes() == whole
