"""Runs jobs on a Ray cluster: the same ``perform``, as a task. The only module that imports Ray.

A node that leaves takes its tasks with it; Ray runs them again elsewhere, and they go on in the
folder that all nodes share. Jobs must therefore be able to see the grid's folder under one path.
"""

import logging
import os
import socket
from typing import Any, Final

from facecloak.core.errors import ConfigError, FaceCloakError
from facecloak_train.grid.work import Outcome, Work, perform

_RETRIES: Final = 3
"""How often Ray itself runs a task again whose node or worker was lost."""


class ClusterError(FaceCloakError):
    """There is no cluster at the address, or it was lost."""

    exit_code = 3


_REMEDY: Final = "`ray start --head` makes one and tells its address."
_CONNECT_S: Final = 10.0


class RayEngine:
    """Jobs as tasks of a Ray cluster.

    Args:
        address: of the cluster, as ``ray start`` tells it; without, the one in ``RAY_ADDRESS``, or
            one that is started here and ends with the grid.
        cores: how many to use at once; 0 for all that the cluster has.

    Raises:
        ConfigError: Ray is not installed.
        ClusterError: there is no cluster at the address.
    """

    def __init__(self, address: str = "", cores: int = 0) -> None:
        address = address or os.environ.get("RAY_ADDRESS", "")
        _check_reachable(address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
        try:
            import ray
        except ImportError as exc:
            msg = "--engine ray needs Ray, which is not installed."
            raise ConfigError(msg, "pip install 'facecloak[scale]'") from exc
        self._ray = ray
        self._asked = cores
        alone = not address
        try:
            ray.init(
                address=address or "local",
                num_cpus=(cores or None) if alone else None,
                include_dashboard=False if alone else None,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, RuntimeError, ValueError) as exc:
            msg = f"There is no Ray cluster at {address or 'this machine'}: {exc}"
            raise ClusterError(" ".join(msg.split()), _REMEDY) from exc
        self._perform: Any = ray.remote(perform)
        self._running: dict[Any, str] = {}

    def cores(self) -> int:
        """As many as asked for, or all that the cluster has now.

        More than it has is what makes an autoscaler add nodes.
        """
        return self._asked or max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def start(self, work: Work) -> None:
        """Hand a job to Ray, which finds a node for it."""
        task = self._perform.options(
            num_cpus=min(work.job.cores, self._largest()),
            num_gpus=work.job.gpus,
            max_retries=_RETRIES,
            retry_exceptions=False,
            name=f"{work.job.stage} {work.job.id[:8]}",
        )
        self._running[task.remote(work)] = work.job.id

    def next(self, timeout_s: float) -> Outcome | None:
        """The next job that ended; None when the time is up."""
        ended, _ = self._ray.wait(list(self._running), timeout=timeout_s)
        if not ended:
            return None
        job = self._running.pop(ended[0])
        try:
            outcome: Outcome = self._ray.get(ended[0])
        except self._ray.exceptions.RayError as exc:
            why = f"{type(exc).__name__}: {exc}".splitlines()[0]
            return Outcome(job=job, host=socket.gethostname(), error=f"lost by Ray: {why}")
        return outcome

    def stop(self) -> None:
        """Kill the tasks, and their jobs with them, and leave the cluster."""
        for task in self._running:
            self._ray.cancel(task, force=True)
        if self._running:
            self._ray.wait(list(self._running), num_returns=len(self._running), timeout=10)
        self._running.clear()
        self._ray.shutdown()

    def _largest(self) -> int:
        """Cores of the largest node: more than that no task gets."""
        alive = (node for node in self._ray.nodes() if node["Alive"])
        return max((int(node["Resources"].get("CPU", 1)) for node in alive), default=1)


def _check_reachable(address: str) -> None:
    """Raises ClusterError where nobody listens: Ray itself would end this process after a while."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if not (colon and port.isdecimal()):
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S).close()
    except (OSError, OverflowError) as exc:
        msg = f"There is no Ray cluster at {address}: {exc}."
        raise ClusterError(msg, _REMEDY) from exc
