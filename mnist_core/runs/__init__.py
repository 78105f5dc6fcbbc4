"""A training's folder on disk: written by its process, read by pages and commands."""
