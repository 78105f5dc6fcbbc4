"""Short programs that use what was exported, for people to copy; none needs this project."""

import pathlib

READ_WITH_ONNX = pathlib.Path(__file__).parent / "read_with_onnx.py"
