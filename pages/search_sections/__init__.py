"""The parts of the page of searches."""
