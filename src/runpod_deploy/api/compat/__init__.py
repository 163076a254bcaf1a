"""Tools of the earlier tool's API that scripts go their own way with. A run does not use them."""
