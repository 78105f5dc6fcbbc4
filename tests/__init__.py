import os

os.environ.pop("RUNS_DIR", None)  # a developer's own runs are none of the tests' business
# Read when torch is loaded, also by the processes that tests start: threads of several processes at once slow each
# other down, and a training is the same to the bit only with as many as before.
os.environ["OMP_NUM_THREADS"] = "1"
