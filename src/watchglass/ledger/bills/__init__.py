"""What providers say they served and charged, one file a format."""
