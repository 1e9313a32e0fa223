"""What `selfcheck` looks for, a file each kind; a check is a function that returns what it found."""
