"""Sandboxes as containers of a Docker daemon: for machines that have one and no bubblewrap, or one with gVisor."""
