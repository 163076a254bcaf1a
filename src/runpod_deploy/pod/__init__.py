"""One pod over SSH: the protocol, the connection, the job and the guard on it, and files there and back."""
