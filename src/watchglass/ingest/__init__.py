"""From request bodies to durable rows, and the settling of what counts."""
