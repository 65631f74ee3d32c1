"""A fit on many machines, foretold: recorded messages on a virtual clock.

    python bench/cluster/local.py --out bench/results          # records, on this machine
    python bench/cluster/simulate.py --results bench/results --out bench/results/cluster-simulated.csv

The clock takes each message of a recorded fit (bench/results/cluster/messages.csv: one thread, nothing on
the wire) in turn: what the client works before it, the way out, what the workers work, the way home. For
larger problems and other machines, by these assumptions:

- the path has the same messages: as many alphas, rounds and passes over X as the recorded one, whatever n
  and p;
- work of the parts in messages that read columns grows with n p, in the others with p, and is divided by
  machines and cores;
- work of the client grows with n times the features in use, and is divided by its cores; features in use
  are the recorded share of n (of the fit of one problem) unless --support says how many;
- cores of a machine work at EFFICIENCY of one core times their number; one core is the recorded one;
- what all are told goes as a tree (holders triple each generation, each sending twice), answers into the
  one line of the client;
- bytes: sides and weights grow with n, means and variances with p, fetched columns with n and the support;
  the rest stays;
- X is in the memory of the machines. One that does not hold its share is said not to.

A line of the network carries BANDWIDTH, that of 10 Gb/s Ethernet. A message costs LATENCY, and the client
EACH for every machine; what goes as a tree costs TREE beside it, for that is done by Dask's scheduler.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [os.fspath(HERE.parent / "compare")]

BANDWIDTH = 0.8e9  # bytes a second
LATENCY = 0.001  # seconds
EACH = 0.0004
TREE = 0.025
LARGE = 2**25  # bytes to all machines but one from which they go as a tree
CORES = 16
EFFICIENCY = 0.7
MEMORY = 128e9  # bytes of X that a machine can hold
READS = ("begin", "bound and read", "read", "read exactly")  # messages in which parts read columns
FETCHES = ("fetch",)
FIELDS = (
    "date",
    "commit",
    "machine",
    "n",
    "p",
    "problems",
    "machines",
    "support",
    "seconds",
    "workers_s",
    "wire_s",
    "client_s",
)
FIELDS += ("gigabytes_a_machine", "fits")
TARGETS = ((400_000, 650_000), (400_000, 11_000_000))


@dataclass(frozen=True)
class Wire:
    """Seconds of an empty message to all and back, bytes a second of one line, and of what all are told.

    tree: seconds that it costs beside it where that goes from one to the next.
    """

    workers: int
    latency: float
    bandwidth: float
    spread: float
    tree: float = 0.0

    @classmethod
    def of(cls, workers: int) -> Wire:
        """The one assumed: holders of what all are told triple each generation, each sending twice."""
        generations = math.ceil(math.log(workers, 3)) if workers > 1 else 1
        spread = BANDWIDTH / (2 * generations if workers > 1 else 1)
        return cls(workers, LATENCY + EACH * workers, BANDWIDTH, spread, TREE)

    def seconds_out(self, size: float) -> float:
        """Of so many bytes for all."""
        return size / self.spread + (self.tree if size * (self.workers - 1) > LARGE else 0.0)


@dataclass(frozen=True)
class Work:
    """Of each message the method, bytes out and home, seconds of the parts, and of the client before it."""

    messages: tuple[tuple[str, float, float, float, float], ...]

    @classmethod
    def of(cls, messages: Sequence[object]) -> Work:
        return cls(tuple((m.method, m.common + m.own, m.answers, m.seconds, m.before) for m in messages))


@dataclass(frozen=True)
class Clock:
    """Seconds on the way, divided."""

    client: float = 0.0
    workers: float = 0.0
    wire: float = 0.0

    @property
    def total(self) -> float:
        return self.client + self.workers + self.wire


def run(work: Work, wire: Wire, cores: float = 1.0) -> Clock:
    """The clock after all messages; parts are equal, and each machine works like `cores` recorded ones."""
    clock = Clock()
    for _, out, home, parts, before in work.messages:
        clock = Clock(
            clock.client + before,
            clock.workers + parts / (wire.workers * cores),
            clock.wire + wire.latency + wire.seconds_out(out) + home / wire.bandwidth,
        )
    return clock


def predict(work: Work, wire: Wire) -> float:
    """Seconds of the recorded fit with its parts at workers like this one."""
    return run(work, wire).total


@dataclass(frozen=True)
class Size:
    """Of a problem: samples, features, and features in use at the end."""

    n: int
    p: int
    support: float


def grown(work: Work, recorded: Size, size: Size, cores: float) -> Work:
    """What the messages of a larger problem cost, by the assumptions above; the client has `cores`."""
    by_n, by_p, by_support = size.n / recorded.n, size.p / recorded.p, size.support / recorded.support
    messages = []
    for method, out, home, parts, before in work.messages:
        reads = method in READS
        home_by = by_p if method == "begin" else by_n * by_support if method in FETCHES else 1.0
        messages.append(
            (
                method,
                out * (by_n if reads else 1.0),
                home * home_by,
                parts * by_p * (by_n if reads else 1.0),
                before * by_n * by_support / cores,
            )
        )
    return replace(work, messages=tuple(messages))


def rows(
    recordings: dict[int, tuple[Work, Size]], support: float | None, machines: Sequence[int]
) -> list[dict]:
    """Every problem on every number of machines."""
    cores, out = CORES * EFFICIENCY, []
    _, one = recordings[min(recordings)]
    share = one.support / one.n
    for n, p in TARGETS:
        for problems, (work, recorded) in recordings.items():
            size = Size(n, p, support or share * n)
            larger = grown(work, recorded, size, cores)
            for count in machines:
                clock = run(larger, Wire.of(count), cores)
                held = n * p / 4 / count
                out.append(
                    {
                        "n": n, "p": p, "problems": problems, "machines": count,
                        "support": round(size.support),
                        "seconds": clock.total, "workers_s": clock.workers, "wire_s": clock.wire,
                        "client_s": clock.client, "gigabytes_a_machine": held / 1e9,
                        "fits": "yes" if held <= MEMORY else "no",
                    }
                )  # fmt: skip
    return out


def read_messages(file: Path) -> dict[int, tuple[Work, Size]]:
    """Recorded fits by the number of their problems. The support is half of the fetched columns."""
    with file.open(newline="") as lines:
        table = list(csv.DictReader(lines))
    found = {}
    for problems in sorted({int(line["problems"]) for line in table}):
        mine = [line for line in table if int(line["problems"]) == problems]
        n, p = int(mine[0]["n"]), int(mine[0]["p"])
        work = Work(
            tuple(
                (
                    line["method"],
                    float(line["common"]) + float(line["own"]),
                    float(line["answers"]),
                    float(line["seconds"]),
                    float(line["before"]),
                )
                for line in mine
            )
        )
        fetched = sum(home for method, _, home, _, _ in work.messages if method in FETCHES) / -(-n // 4)
        found[problems] = work, Size(n, p, max(fetched / 2.0, 1.0))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--results", type=Path, default=Path("bench/results"), help="folder of what local.py wrote"
    )
    parser.add_argument(
        "--support", type=float, help="features in use at the end, in place of n times the recorded share"
    )
    parser.add_argument("--machines", default="1,8,64")
    parser.add_argument("--out", type=Path, help="CSV to write; default: the terminal")
    args = parser.parse_args()
    import provenance
    from results import write

    about = {"date": provenance.today(), "commit": provenance.commit(), "machine": provenance.machine()}
    recordings = read_messages(args.results / "cluster" / "messages.csv")
    table = [
        about | row for row in rows(recordings, args.support, [int(m) for m in args.machines.split(",")])
    ]
    if args.out:
        write(table, args.out, FIELDS)
    for row in table:
        print(
            f"{row['n']:,} x {row['p']:,}, K = {row['problems']}, {row['machines']} machines: "
            f"{row['seconds']:.0f} s "
            f"(workers {row['workers_s']:.0f}, wire {row['wire_s']:.0f}, client {row['client_s']:.0f}), "
            f"{row['gigabytes_a_machine']:.0f} GB each{'' if row['fits'] == 'yes' else ': too much'}"
        )


if __name__ == "__main__":
    main()
