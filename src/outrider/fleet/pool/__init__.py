"""The warm pool: sandboxes from a repository's image, services up, engine started and primed, waiting for a session."""
