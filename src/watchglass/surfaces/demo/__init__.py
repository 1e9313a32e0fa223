"""A made-up agent product of three tenants: what it did in the last 30 days and what it does now, as OTLP.

`workloads` and `texts` are the cast, `story` is what happens to it, `plan` plays a day, `shapes` writes a
run as its instrumentation would, `traffic` packs bodies, `tally` keeps the books, `sending` sends.
"""
