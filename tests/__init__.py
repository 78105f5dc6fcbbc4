import os

os.environ.pop("RUNS_DIR", None)  # a developer's own runs are none of the tests' business
