"""What the cloud keeps, as values: pods, asks, the catalogue, templates. Nothing here starts anything."""
