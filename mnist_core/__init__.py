"""A lab for handwritten digits: data, networks, training and answers, usable without a browser."""
