"""The record of a run: its folder, its journal, and everything that follows from them."""
