"""What a call costs, exactly and at its date, and who served it."""
