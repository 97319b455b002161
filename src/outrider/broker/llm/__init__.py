"""One module for each wire format that the gateway passes through. They do not know one another."""
