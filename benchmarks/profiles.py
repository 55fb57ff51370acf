"""Where the time goes in our own processes at load: CPU by process, and py-spy's samples of the busiest ones.

python -m benchmarks.profiles              both loads, 20 seconds each
python -m benchmarks.profiles --top 4      only the four busiest processes are sampled
"""

import argparse
import asyncio
import re
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.figures import complete, crowd, status
from benchmarks.results import RESULTS
from benchmarks.sink import Sink
from benchmarks.system import Running, started
from benchmarks.systems import Aige

PROFILES = RESULTS / "profiles"
PY_SPY = Path(sys.executable).with_name("py-spy")
SHOWN = 40
MEMORY = "memory"
CROWD, CROWD_HOLD_S = 2_000, 60
NO_PYTHON = {"haproxy", "gcs_server", "raylet"}

Load = Callable[[Running, float], Coroutine[None, None, str]]


async def _tasks(running: Running, seconds: float) -> str:
    figures = await complete.measure(running, seconds)
    return f"{figures['completed_per_s']:.0f} tasks a second, {figures['cpu_ms_per_task']:.1f} ms of CPU each"


async def _reads(running: Running, seconds: float) -> str:
    load = await status.read(running, status.CONNECTIONS[0], seconds)
    return f"{load.per_s:.0f} status reads a second"


LOADS: dict[str, Load] = {"tasks": _tasks, "reads": _reads}


def main() -> int:
    """Profiles, and says where the results are."""
    parser = argparse.ArgumentParser(prog="benchmarks.profiles", description=__doc__)
    parser.add_argument(
        "loads", nargs="*", choices=[[], *LOADS, MEMORY], metavar="LOAD", help=", ".join([*LOADS, MEMORY])
    )
    parser.add_argument("--profile", default="laptop", help="of ours")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--top", type=int, default=5, help="how many processes are sampled")
    arguments = parser.parse_args()
    PROFILES.mkdir(parents=True, exist_ok=True)
    asyncio.run(_profile(arguments.loads or [*LOADS, MEMORY], arguments.profile, arguments.seconds, arguments.top))
    print(f"See {PROFILES}")
    return 0


async def _profile(loads: list[str], profile: str, seconds: float, top: int) -> None:
    async with Sink() as sink, started(Aige(profile), sink) as running:
        await status.prepare(running)
        for name in [name for name in loads if name in LOADS]:
            before = _cpu_by_process(running)
            told = await LOADS[name](running, seconds / 2)  # unwatched: what it costs
            spent = _cpu_by_process(running) - before
            shares = _shares(told, spent)
            print(shares, flush=True)
            (PROFILES / f"{profile}-{name}.txt").write_text(shares)
            busiest = [title for title, _ in spent.most_common() if title not in NO_PYTHON][:top]
            watched = asyncio.create_task(LOADS[name](running, seconds + 4))
            await asyncio.sleep(2)
            await asyncio.gather(
                *(
                    _sample(process.pid, PROFILES / f"{profile}-{name}-{_file_name(title)}.txt", seconds)
                    for process in running.members()
                    if (title := _title(process)) in busiest
                )
            )
            await watched
        if MEMORY in loads:
            shares = await _memory(running)
            print(shares, flush=True)
            (PROFILES / f"{profile}-{MEMORY}.txt").write_text(shares)


async def _memory(running: Running) -> str:
    before = _memory_by_process(running)
    _, arrivals = await crowd.submit_all(running, CROWD, CROWD_HOLD_S)
    await asyncio.sleep(2)
    at_once = sum(not arrival.done() for arrival in arrivals)
    grown = _memory_by_process(running) - before
    await asyncio.wait(arrivals)
    rows = [
        f"  {title:24} {size / CROWD / 2**10:6.1f} KB" for title, size in grown.most_common() if size > CROWD * 2**9
    ]
    told = f"{at_once} tasks in flight take {grown.total() / CROWD / 2**10:.0f} KB each, of which"
    return "\n".join([told, *rows]) + "\n"


def _memory_by_process(running: Running) -> Counter[str]:
    """Bytes, shared pages counted once."""
    taken = Counter[str]()
    for process in running.members():
        with suppress(psutil.Error):
            taken[_title(process)] += process.memory_full_info().pss
    return taken


def _cpu_by_process(running: Running) -> Counter[str]:
    """Milliseconds that each process has taken, by title; a plain Counter, so that two can be subtracted."""
    spent = Counter[str]()
    for process in running.members():
        with suppress(psutil.Error):
            times = process.cpu_times()
            spent[_title(process)] += round((times.user + times.system) * 1e3)
    return spent


def _title(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        command = process.cmdline()
        found = re.match(r"ray::(?:ServeReplica:aige:)?(\w+)", " ".join(command))
        return found[1] if found else Path(command[0]).name if command else process.name()
    return "?"


def _file_name(title: str) -> str:
    return re.sub(r"\W+", "_", title).lower()


def _shares(told: str, spent: Counter[str]) -> str:
    total = spent.total()
    rows = [
        f"  {title:24} {ms / total:6.1%} {ms / 1e3:8.2f} s" for title, ms in spent.most_common() if ms > total / 200
    ]
    return "\n".join([f"{told}; CPU of all processes {total / 1e3:.1f} s, of which", *rows]) + "\n"


async def _sample(pid: int, file: Path, seconds: float) -> None:
    """py-spy's folded stacks of one process, digested."""
    folded = file.with_suffix(".folded")
    options = ["--pid", str(pid), "--duration", str(round(seconds)), "--rate", "100", "--format", "raw", "--gil"]
    process = await asyncio.create_subprocess_exec(
        PY_SPY,
        "record",
        *options,
        "--output",
        folded,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if not folded.exists():
        print(f"py-spy: {said.decode()[-500:]}", file=sys.stderr)
        return
    await asyncio.to_thread(_digest_file, folded, file)


def _digest_file(folded: Path, file: Path) -> None:
    file.write_text(digest(folded.read_text()))
    folded.unlink()


def digest(folded: str) -> str:
    """The functions that were on top of the stack most often, and those that were anywhere on it."""
    own, within, total = Counter[str](), Counter[str](), 0
    for line in folded.splitlines():
        stack, _, samples = line.rpartition(" ")
        frames = [_short(frame) for frame in stack.split(";")]
        own[frames[-1]] += int(samples)
        within.update(dict.fromkeys(frames, int(samples)))
        total += int(samples)
    text = f"{total} samples\n\nOn top of the stack:\n"
    text += "".join(f"  {n / total:6.1%}  {frame}\n" for frame, n in own.most_common(SHOWN))
    text += "\nAnywhere on it:\n"
    return text + "".join(f"  {n / total:6.1%}  {frame}\n" for frame, n in within.most_common(3 * SHOWN))


def _short(frame: str) -> str:
    """Without the line, so that a function counts once, and without where its package lies."""
    frame = re.sub(r":\d+\)$", ")", frame)
    return re.sub(r"\((?:.*/)?site-packages/", "(", frame)


if __name__ == "__main__":
    sys.exit(main())
