"""The static checker: finds in Python code and notebooks the calls that observability would not see.

`watchglass check PATH…`, or `python -m watchglass.check PATH…`; `sites.find` is for who wants the call sites
themselves. It needs the standard library alone and imports nothing of what it checks, so that a pre-commit
hook starts in a few hundredths of a second.
"""
