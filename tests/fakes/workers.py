"""What processes that measure side by side are begun with."""

import os
import threading


def counting(step):
    """Each number's row tells it, ``step`` further on, and the process."""
    return lambda numbers: iter(
        [[{"number": n, "further": n + step, "by": os.getpid()}] for n in numbers]
    )


def dying(_about):
    """The process ends at its first face."""
    return lambda _numbers: os._exit(1)


def lingering(begun):
    """Says that it has begun, on standard output, and is not done for minutes."""

    def measure(_numbers):
        os.write(1, begun.encode())
        threading.Event().wait(240.0)

    return measure
