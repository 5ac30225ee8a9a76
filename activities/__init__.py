"""Side effects behind ports. Every activity can run again without harm."""
