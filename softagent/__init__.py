"""softagent: an AI that answers the office telephone, on the office's own box."""

import os

__version__ = "0.1.0"

# numpy's algebra is small here (an echo's filter); on two threads, as OpenBLAS 0.3 has it
# unless it is told otherwise before numpy is loaded, they wait for each other whenever the
# processors are busy: five times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
