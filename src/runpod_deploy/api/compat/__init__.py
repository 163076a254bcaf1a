"""Names, modules and signatures of the earlier tool of this name, for scripts that use them. No run uses them."""
