"""For tests of applications that use watchglass: what would have been sent, a clock, ids that repeat."""
