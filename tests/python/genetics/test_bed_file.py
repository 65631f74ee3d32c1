"""A .bed is one file: opened once, told from others by its unused bits, and safe when it is cut short."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import riata
from riata.cli.parser import main

DATA = Path(__file__).parents[2] / "data" / "genotypes"
posix = pytest.mark.skipif(os.name == "nt", reason="a file that is open there cannot be changed")


def fileset(folder, n, p=200, seed=0):
    """A fileset of n samples with every code, and its path without suffix."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (p, n))
    packed = np.zeros((p, 4 * -(-n // 4)), dtype=np.uint8)
    packed[:, :n] = codes
    raw = (packed.reshape(p, -1, 4) << np.array([0, 2, 4, 6], dtype=np.uint8)).sum(axis=2, dtype=np.uint8)
    prefix = folder / "g"
    Path(f"{prefix}.bed").write_bytes(b"\x6c\x1b\x01" + raw.tobytes())
    Path(f"{prefix}.bim").write_text("".join(f"1 v{j} 0 {j + 1} A C\n" for j in range(p)))
    Path(f"{prefix}.fam").write_text("".join(f"f s{i} 0 0 0 {i % 5}\n" for i in range(n)))
    return prefix


def without(prefix, line):
    fam = Path(f"{prefix}.fam")
    lines = fam.read_text().splitlines(keepends=True)
    del lines[line]
    fam.write_text("".join(lines))


@pytest.mark.parametrize("line", [0, 7, -1])
@pytest.mark.parametrize("n", [58, 59, 60])
def test_a_fam_that_lacks_a_line_is_refused(tmp_path, capsys, n, line):
    prefix = fileset(tmp_path, n)
    assert riata.open_genotypes(prefix).shape == (n, 200)
    without(prefix, line)
    with pytest.raises(OSError, match=rf"g\.bed: bits that {n - 1} samples .* the \.fam lacks a line"):
        riata.open_genotypes(prefix)
    assert main(["fit", "--bfile", str(prefix), "--out", str(tmp_path / "o")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_single_stray_bit_is_found_among_few_variants(tmp_path):
    prefix = fileset(tmp_path, 59, p=3)
    raw = bytearray(Path(f"{prefix}.bed").read_bytes())
    raw[-1] |= 0x80
    Path(f"{prefix}.bed").write_bytes(raw)
    with pytest.raises(OSError, match="first in variant 3"):
        riata.open_genotypes(prefix)


def test_a_fam_with_a_line_too_many_is_told(tmp_path, capsys):
    prefix = fileset(tmp_path, 59)
    with open(f"{prefix}.fam", "a") as fam:
        fam.write("f more 0 0 0 1\n")
    with pytest.warns(UserWarning, match="as a line too many in the .fam would have"):
        geno = riata.open_genotypes(prefix)
    assert "line too many" in geno.notes[-1]
    assert main(["fit", "--bfile", str(prefix), "--alphas", "3", "--out", str(tmp_path / "o")]) == 0
    said = capsys.readouterr()
    assert "line too many" in said.out
    assert said.err == ""


def test_what_takes_its_name_is_not_seen(tmp_path):
    """Views made before and after are of the file that was opened."""
    prefix = fileset(tmp_path, 50)
    geno = riata.open_genotypes(prefix)
    values, counts = geno.to_numpy(), geno.counts()
    (tmp_path / "other").mkdir()
    other = fileset(tmp_path / "other", 50, seed=1)
    os.replace(f"{other}.bed", f"{prefix}.bed")
    assert_array_equal(geno.to_numpy(), values)
    assert_array_equal(geno.subset(samples=np.arange(50)).counts(), counts)
    os.unlink(f"{prefix}.bed")
    assert_array_equal(geno.subset(variants=[3, 1]).to_numpy(), values[:, [3, 1]])


def test_a_copy_of_another_process_is_of_the_same_file(tmp_path):
    prefix = fileset(tmp_path, 50)
    geno = riata.open_genotypes(prefix)
    copy = pickle.loads(pickle.dumps(geno))
    assert_array_equal(copy.to_numpy(), geno.to_numpy())
    copy = pickle.loads(pickle.dumps(geno))
    raw = Path(f"{prefix}.bed").read_bytes()
    os.unlink(f"{prefix}.bed")
    Path(f"{prefix}.bed").write_bytes(raw[:-1] + b"\0")
    with pytest.raises(OSError, match=r"g\.bed: the file has changed since it was opened"):
        copy.counts()


CUT = """
import faulthandler, os, sys
import numpy as np
import riata

how, prefix = sys.argv[1:]
if "handler" in how:
    faulthandler.enable()
geno = riata.open_genotypes(prefix)
n = len(geno)
y = np.arange(n) % 7.0

def cut(*told):
    os.truncate(prefix + ".bed", 1000)
    return True

def tried(call):
    try:
        call()
    except OSError as error:
        assert "g.bed" in str(error), error
        print("refused")

if "fit" in how:
    tried(lambda: riata.fit_path(geno, y, progress=cut, alphas=20))
else:
    path = riata.fit_path(geno, y, alphas=5)
    cut()
    tried(lambda: riata.fit_path(geno, y, alphas=5))
    tried(lambda: path.predict(geno, path.alphas[-1]))
    tried(geno.to_numpy)
    tried(geno.identical_to)
    tried(geno.subset(samples=[1, 2]).counts)
"""


@posix
@pytest.mark.parametrize(
    ("how", "refusals"), [("before", 5), ("before, with another handler", 5), ("within a fit", 1)]
)
def test_a_file_that_is_cut_short_is_an_error(tmp_path, how, refusals):
    prefix = fileset(tmp_path, 400, p=2000)
    command = [sys.executable, "-c", textwrap.dedent(CUT), how, str(prefix)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "refused\n" * refusals


PASSED_ON = """
import os, signal, sys
import numpy as np
import riata

how, prefix = sys.argv[1:]
geno = riata.open_genotypes(prefix)
if how == "sent":
    os.kill(os.getpid(), signal.SIGBUS)
else:
    mapped = np.memmap(prefix + ".copy", dtype=np.uint8, mode="r")
    os.truncate(prefix + ".copy", 0)
    print(mapped[5000])
"""


@posix
@pytest.mark.parametrize("how", ["sent", "elsewhere"])
def test_other_bus_errors_end_the_process_as_before(tmp_path, how):
    prefix = fileset(tmp_path, 400, p=200)
    shutil.copy(f"{prefix}.bed", f"{prefix}.copy")
    command = [sys.executable, "-c", textwrap.dedent(PASSED_ON), how, str(prefix)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGBUS, done.stderr
