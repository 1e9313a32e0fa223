"""What all tests share: that `tests` itself can be imported from, and how properties are searched."""

import logging

from hypothesis import settings

# A search says what is true, not how fast: on a busy machine a deadline fails for no fault of the code.
# `make test` tries the same examples each time, so that a change is judged by what it changes;
# `make test-long` searches for new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("same")

# A test that starts a server in this process lets all logging through; what the tests' own client says of
# its requests is none of the server's.
logging.getLogger("httpx").setLevel(logging.WARNING)
