"""The books: repricing with undo, the summary that outlives its calls, bills compared, budgets."""
