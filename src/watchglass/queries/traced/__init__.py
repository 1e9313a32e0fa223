"""One trace as its page shows it: all spans compactly at once, one span with all it holds on demand."""
