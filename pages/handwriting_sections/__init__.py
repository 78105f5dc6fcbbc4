"""The parts of the page on own handwriting."""
