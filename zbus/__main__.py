"""`python -m zbus` is the zbus command."""

from zbus.cli import main

if __name__ == "__main__":
    main()
