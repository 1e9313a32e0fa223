"""What all tests share: that `tests` itself can be imported from, and how properties are searched."""

from hypothesis import settings

# A search says what is true, not how fast: on a busy machine a deadline fails for no fault of the code.
settings.register_profile("watchglass", deadline=None)
settings.load_profile("watchglass")
