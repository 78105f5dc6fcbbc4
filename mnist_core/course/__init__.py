"""What the first course trains, measures and shows."""
