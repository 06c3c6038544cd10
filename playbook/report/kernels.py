"""Kernels for notebooks: forked from a process that has imported what notebooks import, or started as Jupyter does.

papermill and Jupyter are used as they are; what is ours is the *provisioner*, the part that starts a kernel's process.
``PLAYBOOK_KERNELS=spawn`` asks for ordinary kernels; systems that cannot fork have them always.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.factory import EntryPoint, KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets.config import Config

from ..data.store import ShopError
from ..language import _
from .notebooks import Notebook

VARIABLE = "PLAYBOOK_KERNELS"
KINDS = ("fork", "spawn")

_NAME = "playbook"
_PATIENCE = 300  # seconds for all imports, on a machine that has never done them
_LONGEST_SOCKET = 90  # bytes of a socket's name, of about 104 that systems allow, "-ipc-5" to come


def kind() -> str:
    """Which kernels are wanted, and can be had?

    Raises
    ------
    ShopError
        The environment variable names no kind.
    """
    said = os.environ.get(VARIABLE) or "fork"
    if said not in KINDS:
        raise ShopError(
            _("{variable} is {said!r}; write one of {kinds}").format(
                variable=VARIABLE, said=said, kinds=", ".join(KINDS)
            )
        )
    return said if hasattr(os, "fork") else "spawn"


@dataclass
class Launch:
    """How the next kernel of a thread is started; afterwards, its process."""

    env: Mapping[str, str]
    forks: Forks | None = None
    process: Any = None
    stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, process: Any) -> None:
        """Know the process, and end it at once where that was wanted before it was there."""
        with self._lock:
            self.process = process
            if self.stopped:
                _end(process)

    def stop(self) -> None:
        """End the kernel with every process that it started, now or as soon as it is there."""
        with self._lock:
            self.stopped = True
            if self.process is not None:
                _end(self.process)

    @property
    def code(self) -> int | None:
        """The exit code of a kernel that has ended, minus the signal where one ended it."""
        return None if self.process is None else self.process.poll()


LAUNCH: ContextVar[Launch] = ContextVar("LAUNCH")
"""Set by the thread that is about to execute a notebook."""


class Provisioner(LocalProvisioner):
    """Starts kernels as the thread's `Launch` says."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        launch = LAUNCH.get(None)
        if launch is None:  # a notebook that this process executes beside the book's
            return await super().launch_kernel(cmd, **kwargs)
        kwargs["env"] = {**kwargs["env"], **launch.env}
        if launch.forks is None or "ipykernel_launcher" not in cmd:
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            info = await super().launch_kernel(cmd, **kwargs, **quiet)
        else:
            argv, cwd = cmd[cmd.index("ipykernel_launcher") + 1 :], kwargs.get("cwd") or os.getcwd()
            forked = launch.forks.start(argv, kwargs["env"], cwd)
            self.process = forked  # type: ignore[assignment]
            self.pid = self.pgid = forked.pid
            self.cwd = cwd
            info = self.connection_info
        launch.take(self.process)
        return info


class Forked:
    """A forked kernel's process, with as much of `subprocess.Popen` as a provisioner asks for."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int):
        self.pid = pid
        self.returncode: int | None = None
        self._over = threading.Event()

    def ended(self, code: int) -> None:
        """Know that the process has ended."""
        self.returncode = code
        self._over.set()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        self._over.wait(timeout)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Forks:
    """The runner's end of the process that kernels are forked from (see `playbook.report.forks`)."""

    def __init__(self, notebooks: Sequence[Notebook], *, env: Mapping[str, str], scratch: Path):
        imports = dict.fromkeys(statement for n in notebooks for statement in n.imports)
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"from playbook.report.forks import serve; serve({theirs.fileno()})"],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # the runner's terminal sends its signals to the runner alone, and the pictures' way out is fixed early
                start_new_session=True,
                env={**os.environ, **env, "MPLBACKEND": "module://matplotlib_inline.backend_inline"},
                cwd=notebooks[0].path.parent,
            )
        self._connection = ours
        self._lock = threading.Lock()
        self._started: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._kernels: dict[int, Forked] = {}
        self._send(imports=list(imports), scratch=str(scratch))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def start(self, argv: list[str], env: Mapping[str, str], cwd: str | os.PathLike[str]) -> Forked:
        """Fork a kernel; waits until the imports are done."""
        with self._lock:
            with contextlib.suppress(OSError):
                self._send(argv=argv, env=dict(env), cwd=os.fspath(cwd))
            try:
                pid = self._started.get(timeout=_PATIENCE)
            except queue.Empty:
                self._process.kill()
                raise RuntimeError(_("the process that kernels are forked from does not answer")) from None
        if pid is None:
            self._started.put(None)  # for whoever asks next
            raise RuntimeError(_("the process that kernels are forked from has ended"))
        return self._kernels[pid]

    def close(self) -> None:
        """End the process and all kernels that it still has."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._process.wait()
        self._reader.join()
        self._connection.close()

    def _send(self, **what: Any) -> None:
        self._connection.sendall(json.dumps(what).encode() + b"\n")

    def _read(self) -> None:
        """Take in what the process says, until it ends."""
        with contextlib.suppress(OSError), self._connection.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                said = json.loads(line)
                if pid := said.get("started"):
                    self._kernels[pid] = Forked(pid)
                    self._started.put(pid)
                else:
                    self._kernels[said["ended"]].ended(said["code"])
        for kernel in self._kernels.values():
            if kernel.returncode is None:
                kernel.ended(-signal.SIGKILL)
        self._started.put(None)


@dataclass(frozen=True)
class Provider:
    """Where the kernels of a run come from.

    Attributes
    ----------
    env : mapping of str to str
        Their environment variables, beside those of this process.
    scratch : Path
        A folder for their sockets.
    forks : Forks, optional
        What they are forked from; None for ordinary ones.
    """

    env: Mapping[str, str]
    scratch: Path
    forks: Forks | None = None

    def launch(self) -> Launch:
        """One kernel to be started."""
        return Launch(self.env, self.forks)

    def connection(self, name: str) -> Config:
        """Let a kernel be spoken to through files: no ports that others could take, and nothing is left behind."""
        config = Config()
        config.KernelManager.connection_file = str(self.scratch / f"{name}.json")
        if hasattr(socket, "AF_UNIX") and len(os.fsencode(self.scratch / name)) < _LONGEST_SOCKET:
            config.KernelManager.transport = "ipc"
        return config


@contextlib.contextmanager
def provided(notebooks: Sequence[Notebook], *, env: Mapping[str, str]) -> Iterator[Provider]:
    """Let the kernels of these notebooks be started by our provisioner, until the block is left; then all are ended."""
    factory = KernelProvisionerFactory.instance()
    factory.provisioners[_NAME] = EntryPoint(_NAME, f"{__name__}:Provisioner", factory.GROUP_NAME)
    before, factory.default_provisioner_name = factory.default_provisioner_name, _NAME
    scratch = Path(tempfile.mkdtemp(prefix="playbook-"))
    forks = Forks(notebooks, env=env, scratch=scratch) if kind() == "fork" and notebooks else None
    try:
        yield Provider(env, scratch, forks)
    finally:
        if forks is not None:
            forks.close()
        factory.default_provisioner_name = before
        shutil.rmtree(scratch, ignore_errors=True)


def _end(process: Any) -> None:
    """Kill a kernel and the processes that it started, which are a group."""
    if process.poll() is not None:
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, OSError):  # no such call, or the group is not there yet
        process.kill()
