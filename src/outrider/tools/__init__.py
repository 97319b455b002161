"""What the engine may ask of its session, offered over MCP."""
