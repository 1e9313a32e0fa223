"""The SDK: what an application's process records of its calls and agents, and how that reaches the server."""
