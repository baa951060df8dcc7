"""What every bench has in common: jobs, processes that take sides, summaries, targets, tables."""
