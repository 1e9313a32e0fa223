"""Everything that speaks HTTP: OTLP, health, and the frame around the API."""
