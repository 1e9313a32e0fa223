"""The catalogue: names of attributes, events and metrics, with what they mean, once."""
