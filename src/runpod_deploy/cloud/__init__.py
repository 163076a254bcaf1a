"""What a run asks of a cloud and what the cloud tells: the protocol, its values, and decisions about them."""
