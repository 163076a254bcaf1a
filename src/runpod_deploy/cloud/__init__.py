"""The cloud as a run needs it: the protocol, its values, and decisions about them."""
