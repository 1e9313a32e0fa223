"""What all tests share: that `tests` itself can be imported from."""
