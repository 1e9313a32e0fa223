"""Lists of calls, tasks, traces, flows and sessions, newest first, a page at a time."""
