"""The three-way ledger: what we computed, what clients reported and what was billed, and why they differ."""
