"""Files for elsewhere: archives of runs, weights with a card, ONNX, TensorBoard."""
