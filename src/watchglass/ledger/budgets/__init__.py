"""Budgets: what may be spent in an hour, a day or a month; told before it is spent, or held to it."""
