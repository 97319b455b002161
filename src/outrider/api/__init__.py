"""The HTTP and WebSocket surface that every client uses: web, terminal, extension, programs."""
