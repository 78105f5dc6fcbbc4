import platform
import shutil
import subprocess

import pytest
import torch

from mnist_core import environment
from mnist_core.files import APP_FOLDER
from mnist_core.runs import worker

HEAD = "0123456789abcdef0123456789abcdef01234567"


def test_a_training_says_what_it_ran_on(small, store):
    run = store.create(small)
    for record in worker.train(run):
        if record["event"] == "epoch":
            run.request_stop()
    list(worker.train(run))
    described = [record["environment"] for record in run.records() if record["event"] in ("start", "resume")]
    assert described == [environment.describe()] * 2
    commit = described[0].pop("commit")
    assert commit == environment.commit(APP_FOLDER)
    assert described[0] == {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
    }


def git(folder, *arguments):
    command = [shutil.which("git"), "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
def test_the_commit_is_gits(tmp_path):
    folder = tmp_path / "app"
    folder.mkdir()
    assert environment.commit(folder) == ""
    git(folder, "init", "-q")
    assert environment.commit(folder) == ""  # none yet
    for message in ("one", "two"):
        git(folder, "commit", "-q", "--allow-empty", "-m", message)
    two = git(folder, "rev-parse", "HEAD")
    assert environment.commit(folder) == two
    git(folder, "pack-refs", "--all")
    assert environment.commit(folder) == two
    git(folder, "worktree", "add", "-q", "-b", "other", str(tmp_path / "beside"), "HEAD~1")
    assert environment.commit(tmp_path / "beside") == git(folder, "rev-parse", "HEAD~1")
    git(folder, "checkout", "-q", "HEAD~1")
    assert environment.commit(folder) == git(folder, "rev-parse", "HEAD") != two


@pytest.mark.parametrize(
    ("files", "commit"),
    [
        ({}, ""),
        ({"HEAD": HEAD + "\n"}, HEAD),
        ({"HEAD": "ref: refs/heads/main\n", "refs/heads/main": HEAD + "\n"}, HEAD),
        (
            {
                "HEAD": "ref: refs/heads/main\n",
                "packed-refs": f"# pack\n{'1' * 40} refs/heads/x\n{HEAD} refs/heads/main\n",
            },
            HEAD,
        ),
        ({"HEAD": "ref: refs/heads/main\n", "packed-refs": f"{HEAD} refs/heads/a-main\n"}, ""),
        ({"HEAD": "ref: refs/heads/main\n"}, ""),
        ({"HEAD": b"\xff\xfe"}, ""),
        ({"HEAD": "nonsense"}, ""),
        ({"HEAD": "ref: ../../secret\n", "../secret": "a word\n"}, ""),
    ],
)
def test_a_commit_is_read_without_git(tmp_path, files, commit):
    for name, content in files.items():
        path = tmp_path / "app" / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert environment.commit(tmp_path / "app") == commit
