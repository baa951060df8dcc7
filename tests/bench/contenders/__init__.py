"""One module a contender: `publisher` and `subscriber`, each run in a process of its own."""
