"""Front-ends for the clients of other systems: mapping and translation, no behavior of their own."""
