"""What is wrong, by the evidence of the store: each finding is a file, with the command that mends it."""
