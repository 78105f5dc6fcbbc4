"""The sections of the Inside page, one module each, with a `show` that takes what is looked into."""
