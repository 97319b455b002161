"""What this machine can do at best: the same work with nothing of ours in it."""
