from mnist_core.run import Run
from mnist_core.table import Row


def show(this: Run, summary: Row) -> None:
    pass
