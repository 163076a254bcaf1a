"""The plan and the cost of a run, before anything is done."""
