"""What the command line imports, and what it does without: no library before it is needed, no extra."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

import riata
from riata.cli.parser import main

SLOW = ("numpy", "scipy", "sklearn", "pandas", "polars", "matplotlib")

#: What the extras of the package bring.
EXTRAS = (
    "pandas",
    "polars",
    "pyarrow",
    "matplotlib",
    "h5py",
    "anndata",
    "pgenlib",
    "bgen",
    "zstandard",
    "tqdm",
)


def in_new_process(code, *arguments):
    """Run code in a Python of its own; return what it printed."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


LIBRARIES = """
    import sys
    from riata.cli.parser import main
    try:
        main(sys.argv[2:])
    except SystemExit:
        pass
    print("imported:", *(name for name in sys.argv[1].split(",") if name in sys.modules))
"""


@pytest.mark.parametrize(
    "line", [["--version"], ["--help"], *([verb, "--help"] for verb in ("fit", "cv", "predict", "report"))]
)
def test_what_is_not_needed_is_not_imported(line):
    said = in_new_process(LIBRARIES, ",".join(SLOW), *line)
    assert said.splitlines()[-1].split() == ["imported:"]
    assert said.startswith(f"riata {riata.__version__}" if line == ["--version"] else "usage: riata")


WITHOUT_EXTRAS = """
    import importlib.abc
    import sys

    class Refuse(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in sys.argv[1].split(","):
                raise ImportError(f"{name} is not installed here")

    sys.meta_path.insert(0, Refuse())
    from riata.cli.parser import main
    for line in sys.argv[2:]:
        print(f"riata {line}", flush=True)
        status = main(line.split(" "))
        print("status", status, flush=True)
    assert not set(sys.argv[1].split(",")) & sys.modules.keys()
"""


def statuses(said):
    return [int(line.split()[1]) for line in said.splitlines() if line.startswith("status ")]


def test_no_verb_needs_an_extra(tmp_path):
    table = tmp_path / "t.csv"
    rng = np.random.default_rng(3)
    X = rng.standard_normal((40, 6))
    cells = np.column_stack([X, X[:, 0] - X[:, 3] > 0.0]).round(4)
    head = ",".join(["id", *(f"g{j}" for j in range(6)), "case"])
    rows = [",".join([f"s{i}", *map(str, row[:-1]), str(int(row[-1]))]) for i, row in enumerate(cells)]
    table.write_text("\n".join([head, *rows]) + "\n")
    (tmp_path / "sets.gmt").write_text("A\tnone\tg0\tg1\nB\tnone\tg2\tg3\n")
    t, quiet = tmp_path, "--quiet --alphas 8"
    lines = [
        f"demo --out {t}/demo",
        f"simulate --samples 60 --variants 90 --chromosomes 2 --out {t}/g",
        f"info {t}/g.bed",
        f"info {table}",
        f"cv --bfile {t}/g --cv 3 {quiet} --out {t}/height",
        f"predict --model {t}/height.path.npz --bfile {t}/g --out {t}/scores",
        f"report --model {t}/height.path.npz --alpha 0.2 --bfile {t}/g --out {t}/again",
        f"fit --matrix {table} --target case --loss binomial --penalty group --groups {t}/sets.gmt {quiet} "
        f"--out {t}/case",
        f"predict --model {t}/case.path.npz --matrix {table} --out {t}/cases",
        f"info {t}/height.json",
    ]
    said = in_new_process(WITHOUT_EXTRAS, ",".join(EXTRAS), *lines)
    assert statuses(said) == [0] * len(lines), said
    assert (t / "height.html").exists()


@pytest.mark.parametrize(
    ("name", "content", "package", "extra"),
    [
        ("t.parquet", b"PAR1", "pyarrow", "parquet"),
        ("t.feather", b"ARROW1", "pyarrow", "parquet"),
        ("t.csv", b"\x28\xb5\x2f\xfd", "zstandard", "genotypes"),  # packed with zstd, under any name
    ],
)
def test_what_needs_an_extra_names_it(tmp_path, monkeypatch, capsys, name, content, package, extra):
    (tmp_path / name).write_bytes(content)
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["info", str(tmp_path / name)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"riata: error: {tmp_path / name}: ")
    assert told.endswith(f' needs {package}: pip install "riata[{extra}]"\n')


def test_plots_name_their_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    path = riata.fit_path(np.eye(4), [1.0, 2.0, 0.0, 3.0])
    with pytest.raises(ImportError, match=r'plotting needs Matplotlib: pip install "riata\[plot\]"'):
        path.plot()
