"""Damage to every kind of file that riata reads: cut, with bytes changed, lines lost, doubled or swapped.

Each damaged file is given to the command line in a process of its own. A fault is a crash, more than 20
seconds of processor time, a message that is not one line or is called a bug, a status other than 0 and 2.

    python tests/fuzz/inputs.py --runs 2400 --seed 1
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

TESTS = Path(__file__).parents[1]
DATA = TESTS / "data" / "genotypes"
CPU_SECONDS = 20
#: Which files of a case may be damaged, and what is run on it.
CASES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "bed": (
        ("t.bed", "t.bim", "t.fam", "t.phe", "t.cov"),
        ("fit", "--bfile", "t", "--pheno", "t.phe", "--pheno-name", "height", "--covar", "t.cov",
         "--alphas", "3"),
    ),
    "bed info": (("t.bed", "t.bim", "t.fam"), ("info", "--bfile", "t")),
    "pgen": (("p.pgen", "p.pvar", "p.psam"), ("info", "--pfile", "p")),
    "bgen": (("b.bgen",), ("info", "--bgen", "b.bgen")),
    "table": (("m.csv",), ("fit", "--matrix", "m.csv", "--target", "y", "--alphas", "3")),
    "gzip": (("m.csv.gz",), ("info", "--matrix", "m.csv.gz")),
    "npz": (("m.npz",), ("info", "--matrix", "m.npz")),
    "parquet": (("m.parquet",), ("info", "--matrix", "m.parquet")),
    "model": (("o.path.npz",), ("predict", "--model", "o.path.npz", "--bfile", "t")),
    "report": (("o.path.npz",), ("report", "--model", "o.path.npz")),
    "weights": (("o.weights.tsv",), ("predict", "--weights", "o.weights.tsv", "--bfile", "t")),
    "checkpoint": (
        ("c.checkpoint", "c.checkpoint.json"),
        ("fit", "--bfile", "t", "--pheno", "t.phe", "--pheno-name", "height", "--alphas", "9", "--resume",
         "--out", "c"),
    ),
}  # fmt: skip


#: What stands in the place of a word.
WORDS = (b"", b"nan", b"1e999", b"x" * 3000, b"-9", b"\x1b[2J", b"1_0", "\u0661".encode())


def cut(raw: bytes, rng: random.Random) -> bytes:
    return raw[: rng.randrange(len(raw))]


def flip(raw: bytes, rng: random.Random) -> bytes:
    out = bytearray(raw)
    for _ in range(rng.choice((1, 1, 3, 20))):
        out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out)


def overwrite(raw: bytes, rng: random.Random) -> bytes:
    start, size = rng.randrange(len(raw)), rng.choice((1, 8, 100))
    filling = rng.choice((b"\0", b"\xff", b"9", b"\n", b"\xd9\xa1", b"-", b"e9"))
    return raw[:start] + (filling * size)[:size] + raw[start + size :]


def insert(raw: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(raw) + 1)
    return raw[:start] + bytes(rng.randrange(256) for _ in range(rng.choice((1, 4, 64)))) + raw[start:]


def change_lines(raw: bytes, rng: random.Random) -> bytes:
    lines = raw.splitlines(keepends=True)
    k, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    how = rng.randrange(4)
    if how == 0:
        del lines[k]
    elif how == 1:
        lines.insert(j, lines[k])
    elif how == 2:
        lines[k], lines[j] = lines[j], lines[k]
    else:
        words = lines[k].split()
        if words:
            words[rng.randrange(len(words))] = rng.choice(WORDS)
        lines[k] = b" ".join(words) + b"\n"
    return b"".join(lines)


DAMAGES: Sequence[Callable[[bytes, random.Random], bytes]] = (cut, flip, overwrite, insert, change_lines)


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def make_files(folder: Path) -> list[str]:
    """Write one undamaged file of each kind; return the cases there are files for."""
    import gzip

    import numpy as np

    from riata._io.progress import Progress
    from riata.cli.parser import main

    sys.path.insert(0, str(TESTS / "python"))
    for file in DATA.glob("tiny.*"):
        shutil.copy(file, folder / f"t.{file.suffix[1:]}")
    study = ["--bfile", "t", "--pheno", "t.phe", "--pheno-name", "height", "--quiet"]
    draw = Progress.__call__

    def stop(self: Progress, done: int, *rest: object) -> bool:
        self.interrupted = done >= 5
        return not self.interrupted

    with inside(folder):
        assert main(["cv", *study, "--alphas", "6", "--cv", "3", "--out", "o"]) == 0
        Progress.__call__ = stop  # type: ignore[method-assign]
        assert main(["fit", *study, "--alphas", "9", "--out", "c"]) == 130
        Progress.__call__ = draw  # type: ignore[method-assign]
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 5)).round(3)
    rows = ["id,a,b,c,d,e,y", *(f"s{i},{','.join(map(str, X[i]))},{i % 4}" for i in range(20))]
    text = "\n".join(rows) + "\n"
    (folder / "m.csv").write_text(text)
    (folder / "m.csv.gz").write_bytes(gzip.compress(text.encode()))
    np.savez(folder / "m.npz", X=X, feature_names=np.array(list("abcde")), y=np.arange(20))
    cases = [name for name in CASES if name not in ("pgen", "bgen", "parquet")]
    try:
        from genotype_files import random_copies, random_dosages, write_bgen, write_pgen

        write_pgen(folder / "p", random_copies(20, 30))
        write_bgen(folder / "b", random_dosages(20, 30))
        cases += ["pgen", "bgen"]
    except ImportError:
        pass
    try:
        import pyarrow
        import pyarrow.parquet

        table = pyarrow.table({"id": list("abcdefgh"), "x": list(range(8))})
        pyarrow.parquet.write_table(table, folder / "m.parquet")
        cases.append("parquet")
    except ImportError:
        pass
    return cases


def judge(status: int, said: str) -> str:
    """Return what is wrong with how a run ended; empty when nothing is."""
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 2):
        return f"exit status {code}"
    if "(a bug" in said or "Traceback" in said:
        return "called a bug"
    if code == 2 and not re.fullmatch(r"riata: error: [^\n]+\n", said):
        return "not one line"
    if len(said) > 2000 or re.search(r"[\x00-\x09\x0b-\x1f\x7f]", said):
        return "a message that is too long, or steers the terminal"
    return ""


def arguments_of(case: str) -> list[str]:
    command = CASES[case][1]
    more = [] if command[0] == "info" else ["--quiet"] if "--out" in command else ["--quiet", "--out", "out"]
    return [*command, *more]


def run(arguments: Sequence[str], folder: Path, said: Path) -> tuple[int, str]:
    """Run the command line in a process of its own; return its status and what it said on standard error."""
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with open(said, "w") as stream, open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(stream.fileno(), 2)
            sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
            code = 99
            try:
                from riata.cli.parser import main

                warnings.simplefilter("ignore")
                code = main(list(arguments))
                sys.stderr.flush()
            finally:
                os._exit(code)
    return os.waitpid(child, 0)[1], said.read_text(errors="replace")


def fuzz(runs: int, seed: int, keep: Path | None = None) -> list[str]:
    """Damage files `runs` times; return what went wrong. Faulty inputs are kept in `keep`."""
    faults = []
    with tempfile.TemporaryDirectory() as top:
        whole, work = Path(top) / "whole", Path(top) / "work"
        whole.mkdir()
        names = make_files(whole)
        for name in names:
            shutil.copytree(whole, work)
            status, said = run(arguments_of(name), work, Path(top) / "said")
            assert status == 0, f"{name}, undamaged: {said}"
            shutil.rmtree(work)
        for k in range(runs):
            rng = random.Random(f"{seed} {k}")
            case = names[k % len(names)]
            files, command = CASES[case]
            name = rng.choice(files)
            damage = rng.choice(DAMAGES)
            shutil.copytree(whole, work)
            (work / name).write_bytes(damage((whole / name).read_bytes(), rng))
            status, said = run(arguments_of(case), work, Path(top) / "said")
            if wrong := judge(status, said):
                what = f"run {k} of seed {seed}, {command[0]} with {damage.__name__} {name}"
                faults.append(f"{what}: {wrong}: {said[:300]}")
                if keep is not None:
                    shutil.copytree(work, keep / f"{seed}-{k}", dirs_exist_ok=True)
            shutil.rmtree(work)
    return faults


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the inputs of faults")
    options = parser.parse_args()
    found = fuzz(options.runs, options.seed, options.keep)
    print("\n".join([*found, f"{len(found)} faults in {options.runs} runs"]))
    sys.exit(bool(found))
