"""Trained models, and what they read in images."""
