"""How the vectors are made: bytes by hand, a file a kind."""
