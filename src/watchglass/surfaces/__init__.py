"""How the world reaches the house: HTTP, gRPC, the command line."""
