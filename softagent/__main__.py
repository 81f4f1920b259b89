"""`python -m softagent`."""

from softagent.cli import main

if __name__ == "__main__":
    main()
