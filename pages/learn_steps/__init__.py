"""The steps of the Learn page, a module each, and what they share."""
