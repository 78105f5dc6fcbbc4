import errno

import pytest

from mnist_core.files import reason, remove_left_over, replacing


def test_replacing_is_all_or_nothing(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def breaks_off():
        with replacing(path) as fresh:
            fresh.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaks_off()
    assert path.read_text() == "old"
    with replacing(path) as fresh:
        fresh.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_save_left_behind_is_removed_and_nothing_else(tmp_path):
    kept = [
        "state.safetensors",
        ".state.safetensors",
        ".lr.0123abcd",
        ".state.safetensors.0123abcg",
        "0123abcd",
        ".tmp",
    ]
    for name in [*kept, ".state.safetensors.0123abcd", ".state.safetensors.deadbeef", ".tmpjVvdkX"]:
        (tmp_path / name).touch()
    remove_left_over(tmp_path, ("state.safetensors",))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


@pytest.mark.parametrize(
    ("number", "part"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EFBIG, "the disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "read-only"),
    ],
)
def test_what_the_system_says_is_put_reason(number, part):
    assert part in reason(OSError(number, "Reason"))
    assert "(Reason)" in reason(OSError(number, "Reason"))


def test_another_reason_is_said_as_it_is():
    assert reason(OSError(errno.ENOENT, "No such file or directory")) == "No such file or directory"
