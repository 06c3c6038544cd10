"""The process that kernels are forked from: it imports what the notebooks import, once, and computes nothing.

A kernel that is forked from it finds its libraries imported. It runs beside one run of the book and never outlives it:
when the runner's end of the connection closes, as it does too when the runner is killed, it ends every kernel with the
processes that those started, and itself. It only imports: a library that has computed with threads here may hang in a
kernel.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import io
import json
import os
import select
import shutil
import signal
import socket
import sys
import traceback
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

KERNEL = "from ipykernel.kernelapp import IPKernelApp; import ipykernel.zmqshell, IPython.core.pylabtools"

LATE = {
    "ibis": "import ibis.backends.duckdb",
    "matplotlib.pyplot": "import matplotlib.backends.backend_agg, seaborn",
}
"""Of libraries that the notebooks import, what these or the book would only import at their first use."""

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux


def serve(connection: int) -> None:
    """Fork a kernel for each request until the connection closes.

    Parameters
    ----------
    connection : int
        A socket's file descriptor. The first line that arrives says what to import (`imports`, statements) and which
        folder to remove in the end (`scratch`); each further one asks for a kernel (`argv`, `env`, `cwd`). What goes
        back is ``{"started": pid}``, in the order of the requests, and ``{"ended": pid, "code": …}``. The process ends
        with the call.
    """
    with socket.socket(fileno=connection) as runner:
        requests = _Lines(runner)
        woken = _wake_on_children()
        first, *early = requests.wait()
        waiting: list[dict[str, Any]] | None = early
        gc.disable()
        _import([KERNEL, *first.get("imports", ())])
        _import(late for library, late in LATE.items() if library in sys.modules)
        gc.freeze()  # no kernel is to look through a million objects of libraries, nor to copy them by doing so
        gc.enable()
        kernels: set[int] = set()
        try:
            while waiting is not None:
                for request in waiting:
                    pid = _fork(request, runner)
                    kernels.add(pid)
                    _send(runner, started=pid)
                ready, _w, _x = select.select([runner.fileno(), woken], [], [])
                if woken in ready:
                    os.read(woken, 4096)
                for pid, code in _ended(kernels):
                    _send(runner, ended=pid, code=code)
                waiting = requests.take() if runner.fileno() in ready else []
        except OSError:
            pass  # the runner is gone
        except Exception:
            traceback.print_exc()
        finally:
            for pid in kernels:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
            shutil.rmtree(first.get("scratch") or "", ignore_errors=True)
            os._exit(0)  # what is frozen cannot be taken down in order, and libraries complain of it


class _Lines:
    """What arrives over a socket, one JSON object a line."""

    def __init__(self, connection: socket.socket):
        self._connection, self._rest = connection, b""

    def take(self) -> list[dict[str, Any]] | None:
        """The objects that one look brings, perhaps none; None when the other end has closed."""
        data = self._connection.recv(1 << 16)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def wait(self) -> list[dict[str, Any]]:
        """The next objects, at least one."""
        while not (arrived := self.take()):
            if arrived is None:
                raise SystemExit
        return arrived


def _send(connection: socket.socket, **what: Any) -> None:
    connection.sendall(json.dumps(what).encode() + b"\n")


def _wake_on_children() -> int:
    """A file that can be read once a child has ended."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.signal(signal.SIGCHLD, lambda *_args: None)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    return read


def _import(statements: Iterable[str]) -> None:
    """Do the imports; one that fails will fail again in its notebook, where it is seen."""
    for statement in statements:
        # said in an ordinary kernel, these would be outputs of the notebook that imports first
        with (
            contextlib.redirect_stderr(io.StringIO()),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.suppress(Exception, SystemExit),
        ):
            exec(statement, {"__name__": "playbook_imports"})


def _ended(kernels: set[int]) -> list[tuple[int, int]]:
    """The kernels that have ended since the last look, with exit code, or minus the signal that ended them."""
    out = []
    for pid in sorted(kernels):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            kernels.discard(pid)
            out.append((pid, os.waitstatus_to_exitcode(status)))
    return out


def _fork(request: Mapping[str, Any], runner: socket.socket) -> int:
    parent = os.getpid()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads, which idle: numpy's start at import
        pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        runner.close()
        _become_kernel(request["argv"], request["env"], request["cwd"], parent)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        os._exit(code)


def _become_kernel(argv: Sequence[str], env: Mapping[str, str], cwd: str, parent: int) -> None:
    """Be, from here on, what ``python -m ipykernel_launcher`` would be in that folder and environment."""
    os.setsid()
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            return
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    argv = [*argv, f"--IPKernelApp.parent_handle={parent}"]
    if "matplotlib.pyplot" in sys.modules:
        # pyplot was imported before there was a shell to tell of it: without this no picture would be shown, silently
        argv.append("--matplotlib=inline")
    sys.argv = ["ipykernel_launcher", *argv]
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(argv=argv)
