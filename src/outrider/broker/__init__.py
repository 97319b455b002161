"""The broker: the only way out of a sandbox. Models, tools, git and egress, one door a sandbox."""
