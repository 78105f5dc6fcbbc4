"""Reads the digit in an image, light on dark: python read_with_onnx.py model.onnx seven.png

Needs onnxruntime, numpy and pillow.
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image

model, image = sys.argv[1:]
session = onnxruntime.InferenceSession(model)
pixels = np.asarray(Image.open(image).convert("L"))  # (height, width), uint8, any size
probabilities, is_digit = session.run(None, {"image": pixels})
doubt = "" if is_digit else ", but it may be no digit"
print(f"{probabilities.argmax()} ({probabilities.max():.1%}){doubt}")
