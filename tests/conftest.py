"""What holds for all tests."""

import softagent  # noqa: F401  before numpy, whose algebra it keeps to one thread
