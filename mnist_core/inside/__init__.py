"""What goes on inside a network, for people to see."""
