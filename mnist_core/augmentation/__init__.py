"""Changes to training images, and images that are no digits."""
