"""Everything that is written for people: lines about a run, a picture of it, and the two streams."""
