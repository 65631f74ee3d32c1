"""Workers on this machine: their times beside those of threads, and bytes on the wire, measured and
counted.

    python bench/cluster/local.py --out bench/results

Simulated genotypes (`riata simulate`), a path of 100 alphas. Measured, each the median of --repeats: the
fit on one and two threads, and with X held by one and two Dask processes of one thread (the client has as
many threads as there are processes, and waits while these work); all with X in memory, coefficients
compared bit by bit. The same fit is then recorded behind messages in one process, with nothing between, for
one problem and for eleven (ten folds and all samples, on a fifth of the samples): what simulate.py goes by.
Written are

    cluster-times.csv      seconds of each way, and what simulate.py predicts for the processes
    cluster-bytes.csv      bytes of the messages beside what they should be
    cluster/messages.csv   every recorded message
    cluster/wire.csv       seconds of an empty message and bytes a second, of one and two processes
"""

from __future__ import annotations

import argparse
import functools
import operator
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [os.fspath(HERE), os.fspath(HERE.parent / "compare")]

import provenance  # noqa: E402
from messages import FIELDS, Here, Message, Recorder  # noqa: E402
from results import write  # noqa: E402
from simulate import Wire, Work, predict  # noqa: E402

import riata  # noqa: E402

TIMES = (
    "date",
    "commit",
    "machine",
    "n",
    "p",
    "way",
    "seconds",
    "over_two_threads",
    "predicted",
    "same_bits",
)
BYTES = (
    "date",
    "commit",
    "machine",
    "problems",
    "n",
    "p",
    "message",
    "times",
    "direction",
    "measured",
    "counted",
)
BYTES += ("counted_as",)
WIRE = ("workers", "latency", "bandwidth", "spread")
FOLDS = 10
LARGE = 2**25  # bytes in all from which what all are told leaves the client once


def fitted(X: object, y: np.ndarray, args: argparse.Namespace, threads: int = 1) -> object:
    """The path that is timed."""
    return riata.fit_path(X, y, alphas=args.alphas, eps=args.eps, tol=1e-6, n_threads=threads)


def median_seconds(fit: Callable[[], object], repeats: int) -> tuple[object, float]:
    """What it returns last, and the median of wall-clock seconds; once more before, which is not timed."""
    found, spent = fit(), []
    for _ in range(repeats):
        began = time.perf_counter()
        found = fit()
        spent.append(time.perf_counter() - began)
    return found, statistics.median(spent)


def recorded(
    X: object, y: np.ndarray, args: argparse.Namespace, threads: int = 1
) -> tuple[list[Message], object]:
    """Messages of one path, in this process: seconds of the processor for one thread of the client."""
    here = Here(X, time.process_time if threads == 1 else time.perf_counter)
    fitted(here, y, args, threads)
    here.recorder.start()
    path = fitted(here, y, args, threads)
    return here.recorder.messages, path


def recorded_folds(X: object, y: np.ndarray, args: argparse.Namespace) -> list[Message]:
    """Messages of a cross-validation."""
    here = Here(X)
    here.recorder.start()
    riata.cv_path(here, y, cv=FOLDS, alphas=args.alphas, eps=args.eps, tol=1e-6, random_state=0, n_threads=1)
    return here.recorder.messages


def wire_of(X: object, workers: int) -> Wire:
    """Seconds of an empty message to all workers, and bytes a second of one to all and of what they answer.

    Messages are those of a fit: what riata asks the parts of X in.
    """
    data = os.urandom(8 * 2**20)

    def round_trip(question: Callable[[object], object], times: int) -> float:
        spent = []
        for _ in range(times):
            began = time.perf_counter()
            X._host.ask(question)
            spent.append(time.perf_counter() - began)
        return statistics.median(spent)

    round_trip(bool, 3)  # opens the parts
    empty = round_trip(bool, 200)
    spread = round_trip(functools.partial(operator.is_, data), 3) - empty
    size = len(data)
    home = round_trip(lambda _: bytes(size), 3) - empty
    return Wire(workers, empty, workers * size / max(home, 1e-6), size / max(spread, 1e-6))


def held(
    bed: str, y: np.ndarray, workers: int, args: argparse.Namespace
) -> tuple[object, float, Wire, list[Message]]:
    """The fit with workers, its seconds, and its messages as the client sees them."""
    from dask.distributed import Client, LocalCluster

    import riata.distributed

    with (
        LocalCluster(
            workers, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        Client(cluster) as client,
    ):
        X = riata.distributed.open_genotypes(bed, client=client)
        wire = wire_of(X, workers)
        recorder = Recorder(X._host.call, time.perf_counter)
        X._host.call = recorder.call

        def fit() -> object:
            recorder.start()
            return fitted(X, y, args, workers)

        path, seconds = median_seconds(fit, args.repeats)
    return path, seconds, wire, recorder.messages


def counted(messages: list[Message], n: int, p: int, problems: int) -> list[dict]:
    """Rows of bytes by method: what was measured beside what the design of the protocol says.

    Sides are rounded to 16 bits, two a problem in a message; a fetched column is its n/4 bytes; the first
    pass has a byte a row for weights and n doubles a problem out, two doubles a column and problem home.
    Nothing else may grow with n or p.
    """
    rows = []
    for method in dict.fromkeys(message.method for message in messages):
        mine = [message for message in messages if message.method == method]
        times = len(mine)
        out, home = sum(m.common + m.own for m in mine), sum(m.answers for m in mine)
        rule_out, rule_home, words_out, words_home = None, None, "", ""
        if method == "begin":
            rule_out, words_out = n + 8 * n * problems, "a byte a row for weights, null residuals: n + 8 n K"
            rule_home, words_home = 16 * p * problems, "means and variances: 16 p K"
        elif method in ("read", "bound and read"):
            rule_out, words_out = (
                times * 4 * n * problems,
                "two sides of 16 bits a problem, at most: 4 n K a message",
            )
        elif method == "fetch":
            columns = home / -(-n // 4)
            rule_home, words_home = round(columns) * -(-n // 4), f"{columns:.0f} columns of n/4 bytes"
        about = {"problems": problems, "n": n, "p": p, "message": method, "times": times}
        rows.append(
            about | {"direction": "out", "measured": out, "counted": rule_out or "", "counted_as": words_out}
        )
        rows.append(
            about
            | {"direction": "home", "measured": home, "counted": rule_home or "", "counted_as": words_home}
        )
    return rows


def all_of(path: object, seen: list[Message]) -> list[dict]:
    """What the result says it sent and got, beside the messages; what is large goes to all from one."""
    sent = sum(
        m.own + m.common * (1 if m.common * (m.parts - 1) > LARGE else m.parts)
        for m in seen
        if m.method != "end"
    )
    got = sum(m.answers for m in seen if m.method != "end")
    about = {"problems": 1, "message": "all, on the result", "times": int(path.counters["messages"])}
    words = "messages that the host was given"
    sides = (("out", "bytes_out", sent), ("home", "bytes_in", got))
    return [
        about | {"direction": way, "measured": path.counters[name], "counted": size, "counted_as": words}
        for way, name, size in sides
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--variants", type=int, default=20_000)
    parser.add_argument("--alphas", type=int, default=100)
    parser.add_argument("--eps", type=float, default=0.2, help="last alpha over the first")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", help="where genotypes are made (default: the system's temporary folder)")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the CSV files")
    parser.add_argument("--quick", action="store_true", help="400 x 960 and 20 alphas; times mean nothing")
    args = parser.parse_args()
    if args.quick:
        args.samples, args.variants, args.alphas, args.repeats = 400, 960, 20, 1
    about = {"date": provenance.today(), "commit": provenance.commit(), "machine": provenance.machine()}
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        bed = riata.simulate_genotypes(f"{folder}/X", args.samples, args.variants, seed=1)
        few = riata.simulate_genotypes(f"{folder}/few", args.samples // 5, args.variants, seed=2)
        wrong = measure(bed, few, about, args)
    return 1 if wrong else 0


def measure(bed: str, few: str, about: dict, args: argparse.Namespace) -> bool:
    """Everything, and the files; whether some coefficients differ."""
    X = riata.open_genotypes(bed)
    y = np.asarray(X.samples.phenotype, dtype=np.float64)
    n, p = X.shape
    shape = about | {"n": n, "p": p}
    times, wires = [], []
    paths = {}
    for threads in (1, 2):
        paths[threads], seconds = median_seconds(
            lambda threads=threads: fitted(X, y, args, threads), args.repeats
        )
        times.append(
            shape | {"way": f"{threads} thread{'s' * (threads > 1)}", "seconds": seconds, "same_bits": "yes"}
        )
        print(f"{times[-1]['way']}: {seconds:.3g} s", flush=True)
    messages, path = recorded(X, y, args)
    wrong = not same(path, paths[1])
    bytes_rows = [about | row for row in counted(messages, n, p, 1)]
    for workers in (1, 2):
        path, seconds, wire, seen = held(bed, y, workers, args)
        wires.append(wire)
        if workers == 2:
            bytes_rows += [shape | row for row in all_of(path, seen)]
        of_client = messages if workers == 1 else recorded(X, y, args, workers)[0]
        foretold = predict(Work.of(of_client), wire)
        equal = same(path, paths[1])
        wrong |= not equal
        way = f"{workers} process{'es' * (workers > 1)}"
        times.append(
            shape
            | {"way": way, "seconds": seconds, "predicted": foretold, "same_bits": "yes" if equal else "no"}
        )
        print(f"{way}: {seconds:.3g} s, predicted {foretold:.3g} s, {len(seen)} messages", flush=True)
    two = next(row["seconds"] for row in times if row["way"] == "2 threads")
    for row in times:
        row["over_two_threads"] = row["seconds"] / two
    Z = riata.open_genotypes(few)
    z = np.asarray(Z.samples.phenotype, dtype=np.float64)
    folds = recorded_folds(Z, z, args)
    bytes_rows += [about | row for row in counted(folds, *Z.shape, FOLDS + 1)]
    args.out.mkdir(parents=True, exist_ok=True)
    write(times, args.out / "cluster-times.csv", TIMES)
    write(bytes_rows, args.out / "cluster-bytes.csv", BYTES)
    kept = [
        {"problems": problems, "n": size[0], "p": size[1], "alphas": args.alphas} | vars(message)
        for problems, size, list_of in ((1, (n, p), messages), (FOLDS + 1, Z.shape, folds))
        for message in list_of
    ]
    write(kept, args.out / "cluster" / "messages.csv", FIELDS)
    write(
        [{name: getattr(wire, name) for name in WIRE} for wire in wires],
        args.out / "cluster" / "wire.csv",
        WIRE,
    )
    return wrong


def same(path: object, other: object) -> bool:
    """Whether coefficients are the same bits."""
    mine, theirs = path.coefs, other.coefs
    return mine.shape == theirs.shape and (mine != theirs).nnz == 0


if __name__ == "__main__":
    sys.exit(main())
