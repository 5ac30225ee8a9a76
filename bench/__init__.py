"""Side-by-side measurements, each with its floor and its bar, in one run."""
