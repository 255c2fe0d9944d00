"""`python -m portsync`."""

from portsync.cli.main import main

if __name__ == "__main__":
    main()
