"""What happened in a run and what is true of it: its folder, its journal, and all that follows from them."""
