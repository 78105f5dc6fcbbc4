"""Colours that all figures share, seen well on light and on dark. Everything else comes from the page's theme."""

TRAINING, VALIDATION, RATE = "#3584e4", "#e66100", "#9141ac"
