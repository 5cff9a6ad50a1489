"""Runs jobs on a Ray cluster: the same ``perform``, as a task. The only module that imports Ray.

A node that leaves takes its tasks with it; Ray runs them again elsewhere, and they go on in the
folder that all nodes share. Jobs must therefore be able to see the grid's folder under one path.
"""

import logging
import math
import os
import socket
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from facecloak.core.errors import ConfigError, FaceCloakError
from facecloak_train.grid.expand import Job
from facecloak_train.grid.work import Outcome, Work, assist, perform

_PLACES_S: Final = 300.0
"""How long to wait for room for all machines of a job."""
_REASONS_S: Final = 5.0
"""How much later than another the first machine of a job may end and still say why."""
_RETRIES: Final = 3
"""How often Ray itself runs a task again whose node or worker was lost."""


class ClusterError(FaceCloakError):
    """There is no cluster at the address, or it was lost."""

    exit_code = 3


@dataclass(slots=True)
class _Together:
    """What a job of several machines holds beside its task: room, and the other machines' tasks."""

    group: Any
    parts: list[Any]
    since_s: float


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
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as on this machine
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
        self._refused: deque[Outcome] = deque()

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
        room = self._room(job)
        if room is None:
            why = f"there is no room for {job.nodes} machines of {job.cores} cores in the cluster"
            self._refused.append(_failed(job.id, why + "; give it nodes, or the job fewer"))
            return
        cores, gpus = room
        options: dict[str, Any] = {
            "num_cpus": cores,
            "num_gpus": gpus,
            "max_retries": _RETRIES,
            "retry_exceptions": False,
            "name": f"{job.stage} {job.id[:8]}",
        }
        if job.nodes > 1:
            options |= {"max_retries": 0, "scheduling_strategy": self._place(work, options)}
        self._running[self._perform.options(**options).remote(work)] = job.id

    def _room(self, job: Job) -> tuple[int, int] | None:
        """The cores and GPUs that each machine of a job is given, of what it wants at most.

        A node must have both at once. None where there are not so many machines.
        """
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        have = [(int(one.get("CPU", 0)), int(one.get("GPU", 0))) for one in nodes]
        for gpus in range(job.gpus, -1, -1):
            for cores in range(job.cores, 0, -1):
                fit = sum(min(c // cores, g // gpus if gpus else c) for c, g in have)
                if fit >= job.nodes:
                    return cores, gpus
        return None

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
        self._together[work.job.id] = _Together(group, parts, time.monotonic())
        return places[0]

    def next(self, timeout_s: float) -> Outcome | None:
        """The next job that ended; None when the time is up."""
        if self._refused:
            return self._refused.popleft()
        if (late := self._late()) is not None:
            return late
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
            outcome = _failed(job, f"another machine: {why}")
        first = next(one for one, of in self._running.items() if of == job)
        if self._ray.wait([first], timeout=_REASONS_S)[0]:
            return None  # it has ended, too, and knows more of why; it is next
        self._give_up(job)
        return outcome

    def _late(self) -> Outcome | None:
        """The end of a job for whose machines no room was found: a node may have left meanwhile."""
        for job, held in self._together.items():
            if time.monotonic() - held.since_s < _PLACES_S:
                continue
            if self._ray.wait([held.group.ready()], timeout=0)[0]:
                held.since_s = math.inf  # it has its room
                continue
            self._give_up(job)
            return _failed(job, f"no room for its machines within {_PLACES_S:.0f} s")
        return None

    def _give_up(self, job: str) -> None:
        first = next(one for one, of in self._running.items() if of == job)
        self._ray.cancel(first, force=True)
        del self._running[first]
        self._part(job)

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


def _lost(job: str, exc: Exception) -> Outcome:
    return _failed(job, f"lost by Ray: {type(exc).__name__}: {exc}".splitlines()[0])


def _failed(job: str, why: str) -> Outcome:
    return Outcome(job=job, host=socket.gethostname(), error=why)


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
