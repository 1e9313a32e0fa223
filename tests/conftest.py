"""What all tests share: that `tests` itself can be imported from, and how properties are searched."""

import logging

from hypothesis import settings

# A search says what is true, not how fast: on a busy machine a deadline fails for no fault of the code.
settings.register_profile("watchglass", deadline=None)
settings.load_profile("watchglass")

# A test that starts a server in this process lets all logging through; what the tests' own client says of
# its requests is none of the server's.
logging.getLogger("httpx").setLevel(logging.WARNING)
