"""The egress proxy: HTTP and HTTPS to allowed hosts, each request decided by name, port and address, and told."""
