"""What senders say, decoded and understood; pure, no I/O."""
