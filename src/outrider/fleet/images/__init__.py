"""Images: what sandboxes start from, layer upon layer."""
