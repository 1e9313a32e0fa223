"""For tests of applications that use watchglass: what would have been sent, a manual clock, ids that repeat."""
