"""Runs jobs on a Ray cluster: the same ``perform``, as a task. The only module that imports Ray.

A node that leaves takes its tasks with it; Ray runs them again elsewhere, and they go on in the
folder that all nodes share. Jobs must therefore be able to see the grid's folder under one path.
"""

import logging
import os
import socket
from dataclasses import dataclass
from typing import Any, Final

from facecloak.core.errors import ConfigError, FaceCloakError
from facecloak_train.grid.work import Outcome, Work, assist, perform

_RETRIES: Final = 3
"""How often Ray itself runs a task again whose node or worker was lost."""


class ClusterError(FaceCloakError):
    """There is no cluster at the address, or it was lost."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class _Together:
    """What a job of several machines holds beside its task: room, and the other machines' tasks."""

    group: Any
    parts: list[Any]


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
        self._perform: Any = ray.remote(_perform_here)
        self._assist: Any = ray.remote(assist)
        self._running: dict[Any, str] = {}
        self._together: dict[str, _Together] = {}

    def cores(self) -> int:
        """As many as asked for, or all that the cluster has now.

        More than it has is what makes an autoscaler add nodes.
        """
        return self._asked or max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def gpus(self) -> int:
        """As many as the cluster has now."""
        return int(self._ray.cluster_resources().get("GPU", 0))

    def start(self, work: Work) -> None:
        """Hand a job to Ray, which finds a node for it, or as many as it trains on."""
        job = work.job
        options: dict[str, Any] = {
            "num_cpus": min(job.cores, self._largest("CPU", 1)),
            "num_gpus": min(job.gpus, self._largest("GPU", 0)),
            "max_retries": _RETRIES,
            "retry_exceptions": False,
            "name": f"{job.stage} {job.id[:8]}",
        }
        if job.nodes > 1:
            options |= {"max_retries": 0, "scheduling_strategy": self._place(work, options)}
        self._running[self._perform.options(**options).remote(work)] = job.id

    def _place(self, work: Work, options: dict[str, Any]) -> Any:  # noqa: ANN401 - Ray is not typed
        """Hold room for each machine of a job, on different nodes where there are as many.

        Starts all but the first machine's part; returns where that belongs.
        """
        room = {"CPU": options["num_cpus"], "GPU": options["num_gpus"]}
        bundle = {name: count for name, count in room.items() if count}
        group = self._ray.util.placement_group([bundle] * work.job.nodes, strategy="SPREAD")
        strategy = self._ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy
        places = [
            strategy(placement_group=group, placement_group_bundle_index=rank)
            for rank in range(work.job.nodes)
        ]
        parts = [
            self._assist.options(
                **options | {"max_retries": 0, "scheduling_strategy": places[rank]}
            ).remote(work, rank)
            for rank in range(1, work.job.nodes)
        ]
        self._together[work.job.id] = _Together(group, parts)
        return places[0]

    def next(self, timeout_s: float) -> Outcome | None:
        """The next job that ended; None when the time is up."""
        helpers = {task: job for job, held in self._together.items() for task in held.parts}
        ended, _ = self._ray.wait([*self._running, *helpers], timeout=timeout_s)
        if not ended:
            return None
        task = ended[0]
        if task in helpers:
            return self._end_of_part(helpers[task], task)
        job = self._running.pop(task)
        self._part(job)
        try:
            outcome: Outcome = self._ray.get(task)
        except self._ray.exceptions.RayError as exc:
            return _lost(job, exc)
        return outcome

    def _end_of_part(self, job: str, task: Any) -> Outcome | None:  # noqa: ANN401 - Ray is not typed
        """One of a job's other machines has ended: nothing, or the end of the job if it failed."""
        self._together[job].parts.remove(task)
        try:
            why = self._ray.get(task)
        except self._ray.exceptions.RayError as exc:
            outcome = _lost(job, exc)
        else:
            if not why:
                return None
            outcome = Outcome(job=job, host=socket.gethostname(), error=f"another machine: {why}")
        first = next(one for one, of in self._running.items() if of == job)
        self._ray.cancel(first, force=True)
        del self._running[first]
        self._part(job)
        return outcome

    def stop(self) -> None:
        """Kill the tasks, and their jobs with them, and leave the cluster."""
        for task in self._running:
            self._ray.cancel(task, force=True)
        if self._running:
            self._ray.wait(list(self._running), num_returns=len(self._running), timeout=10)
        self._running.clear()
        for job in [*self._together]:
            self._part(job)
        self._ray.shutdown()

    def _part(self, job: str) -> None:
        """End what helped with a job, and give back the room that it held."""
        together = self._together.pop(job, None)
        if together is not None:
            for task in together.parts:
                self._ray.cancel(task, force=True)
            if together.parts:
                self._ray.wait(together.parts, num_returns=len(together.parts), timeout=10)
            self._ray.util.remove_placement_group(together.group)

    def _largest(self, kind: str, least: int) -> int:
        """How much of a resource the largest node has: more than that no task gets."""
        alive = (node for node in self._ray.nodes() if node["Alive"])
        return max((int(node["Resources"].get(kind, least)) for node in alive), default=least)


def _lost(job: str, exc: Exception) -> Outcome:
    why = f"{type(exc).__name__}: {exc}".splitlines()[0]
    return Outcome(job=job, host=socket.gethostname(), error=f"lost by Ray: {why}")


def _perform_here(work: Work) -> Outcome:
    """A task of Ray: a job on the node that runs it, which other nodes of the job can reach."""
    import ray

    return perform(work, address=ray.util.get_node_ip_address())


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
