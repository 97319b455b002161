"""Random schedules of prompts, stops, kills and reconnects by several people, and what must hold after each."""
