"""The handlers of REST v2 and of the control API."""
