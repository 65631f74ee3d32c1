"""Damaged files: one clear line from the command line, nothing written. Awkward files: the same answer."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import riata
from riata.cli.parser import main

DATA = Path(__file__).parents[2] / "data" / "genotypes"
BOM = b"\xef\xbb\xbf"


@pytest.fixture
def study(tmp_path):
    """A copy of the tiny study, to be damaged: the folder it lies in."""
    folder = tmp_path / "in"
    folder.mkdir()
    for suffix in ("bed", "bim", "fam", "phe", "cov"):
        shutil.copy(DATA / f"tiny.{suffix}", folder / f"t.{suffix}")
    return folder


def fit(folder, *more):
    files = ["--bfile", folder / "t", "--pheno", folder / "t.phe", "--pheno-name", "height"]
    files += ["--covar", folder / "t.cov", "--out", folder.parent / "out" / "h", "--alphas", "5", "--quiet"]
    return main([str(word) for word in ("fit", *files, *more)])


def lines(change):
    """Change a text file given as a list of lines."""
    return lambda raw: b"".join(change(raw.splitlines(keepends=True)))


def words(number, change):
    """Change the fields of one line, counted from 1."""
    return lines(lambda rows: [*rows[: number - 1], change(rows[number - 1]), *rows[number:]])


FAULTS = {
    "bed truncated": ("bed", lambda raw: raw[:-5], OSError, r"t\.bed: 718 bytes, but 46 samples .* need 723"),
    "bed overlong": ("bed", lambda raw: raw + b"\0", OSError, r"t\.bed: 724 bytes, but 46 samples"),
    "bed empty": ("bed", lambda raw: b"", OSError, r"t\.bed: not a PLINK 1 \.bed file"),
    "bed of three bytes": ("bed", lambda raw: raw[:3], OSError, r"t\.bed: 3 bytes, but 46 samples"),
    "bed with other magic": (
        "bed",
        lambda raw: b"PK" + raw[2:],
        OSError,
        r"t\.bed: not a PLINK 1 \.bed file",
    ),
    "bed sample-major": ("bed", lambda raw: raw[:2] + b"\0" + raw[3:], OSError, r"t\.bed: sample-major"),
    "bim too short": ("bim", lines(lambda rows: rows[:-1]), OSError, r"59 variants \(\.bim\)"),
    "bim too long": ("bim", lines(lambda rows: rows + rows[-1:]), OSError, r"61 variants \(\.bim\)"),
    "bim empty": ("bim", lambda raw: b"", ValueError, r"t\.bim: the file is empty"),
    "bim lacks a field": (
        "bim",
        words(7, lambda row: b"1 rs7 0 A G\n"),
        ValueError,
        r"t\.bim, line 7: expected 6",
    ),
    "bim position": (
        "bim",
        words(9, lambda row: b"1 rs9 0 here A G\n"),
        ValueError,
        r"t\.bim, line 9: .*'here'",
    ),
    "fam too short": ("fam", lines(lambda rows: rows[4:]), OSError, r"42 samples \(\.fam\)"),
    "fam empty": ("fam", lambda raw: b"", ValueError, r"t\.fam: the file is empty"),
    "fam lacks a field": (
        "fam",
        words(3, lambda row: b"F2 S3 0 0 1\n"),
        ValueError,
        r"t\.fam, line 3: expected 6",
    ),
    "fam repeats a sample": (
        "fam",
        words(3, lambda row: b"F1 S1 0 0 1 -9\n"),
        ValueError,
        r"repeated: F1 S1",
    ),
    "phenotypes empty": ("phe", lambda raw: b"", ValueError, r"t\.phe: the file is empty"),
    "phenotypes of others": (
        "phe",
        lambda raw: b"FID IID height\nX1 Y1 1.5\nX2 Y2 2.5\n",
        ValueError,
        r"t\.phe: no sample of .*t\.fam is in it; ids look like X1 Y1, X2 Y2 there, F1 S1, F1 S2",
    ),
    "phenotypes without header": (
        "phe",
        lines(lambda rows: rows[1:]),
        ValueError,
        r"t\.phe: the first line must name the columns",
    ),
    "phenotypes twice": (
        "phe",
        lines(lambda rows: rows + rows[1:2]),
        ValueError,
        r"t\.phe, line \d+: sample .* more than once",
    ),
    "phenotype is a word": (
        "phe",
        lambda raw: b"FID IID height\nF1 S1 1.5\nF1 S2 tall\nF2 S3 2.5\n",
        ValueError,
        r"height: 'tall' is not a number",
    ),
    "covariates empty": ("cov", lambda raw: b"", ValueError, r"t\.cov: the file is empty"),
    "covariates ragged": (
        "cov",
        words(5, lambda row: b"F2 S4\n"),
        ValueError,
        r"t\.cov, line 5: expected \d+ cells",
    ),
    "covariates of others": (
        "cov",
        lambda raw: b"FID IID age\nX1 Y1 50\n",
        ValueError,
        r"t\.cov: no sample of",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_line_and_nothing_written(study, capsys, fault):
    suffix, damage, kind, message = FAULTS[fault]
    file = study / f"t.{suffix}"
    file.write_bytes(damage(file.read_bytes()))
    assert fit(study) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(rf"riata: error: [^\n]*{message}[^\n]*\n", said.err)
    assert not (study.parent / "out").exists()
    with pytest.raises(kind, match=message):
        fit(study, "--debug")


@pytest.mark.parametrize("suffix", ["bed", "bim", "fam", "phe", "cov"])
def test_a_file_that_is_not_there(study, capsys, suffix):
    (study / f"t.{suffix}").unlink()
    assert fit(study) == 2
    assert re.fullmatch(rf"riata: error: [^\n]*t\.{suffix}: no such file[^\n]*\n", capsys.readouterr().err)
    assert not (study.parent / "out").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every file")
@pytest.mark.parametrize("suffix", ["bed", "bim", "fam", "phe"])
def test_a_file_that_may_not_be_read(study, capsys, suffix):
    (study / f"t.{suffix}").chmod(0)
    assert fit(study) == 2
    assert re.fullmatch(rf"riata: error: [^\n]*t\.{suffix}: Permission denied\n", capsys.readouterr().err)
    assert not (study.parent / "out").exists()


def test_output_where_nothing_can_be_written(study, capsys):
    blocked = study / "file"
    blocked.write_text("not a folder")
    assert fit(study, "--out", blocked / "h") == 2
    assert re.fullmatch(r"riata: error: [^\n]*file[^\n]*\n", capsys.readouterr().err)
    assert blocked.read_text() == "not a folder"


def test_a_bed_that_shrinks_before_it_is_mapped(study):
    geno = riata.open_genotypes(study / "t")
    bed = study / "t.bed"
    bed.write_bytes(bed.read_bytes()[:-20])
    with pytest.raises(OSError, match=r"t\.bed"):
        geno.counts()


def test_a_bed_that_is_replaced_while_mapped(study):
    """Programs that write aside and rename leave the mapped file as it was."""
    geno, y = riata.open_genotypes(study / "t"), np.arange(46.0)
    before = riata.fit_path(geno, y, alphas=5)
    (study / "new.bed").write_bytes(b"")
    os.replace(study / "new.bed", study / "t.bed")
    after = riata.fit_path(geno, y, alphas=5)
    assert_array_equal(after.coefs.toarray(), before.coefs.toarray())


ALLELE = b"ACGT" * 5_000
AWKWARD = {
    "crlf": (("bim", "fam", "phe", "cov"), lambda raw: raw.replace(b"\n", b"\r\n")),
    "byte-order mark": (("bim", "fam", "phe", "cov"), lambda raw: BOM + raw),
    "tabs": (("bim", "fam", "phe", "cov"), lambda raw: re.sub(rb"[ \t]+", b"\t", raw)),
    "spaces": (("bim", "fam", "phe", "cov"), lambda raw: re.sub(rb"[ \t]+", b"  ", raw)),
    "no last line end": (("bim", "fam", "phe", "cov"), lambda raw: raw.rstrip(b"\n")),
    "blank last line": (("bim", "fam", "phe", "cov"), lambda raw: raw + b"\n"),
    "very long allele": (("bim",), words(12, lambda row: row.rstrip()[:-1] + ALLELE + b"\n")),
}


def scores(folder):
    path = riata.load(folder.parent / "out" / "h.path.npz")
    return np.vstack([path.alphas, path.intercepts, path.coefs.toarray()])


@pytest.mark.parametrize("kind", AWKWARD)
def test_the_same_answer_from_awkward_text(study, kind):
    assert fit(study) == 0
    want = scores(study)
    suffixes, change = AWKWARD[kind]
    for suffix in suffixes:
        file = study / f"t.{suffix}"
        file.write_bytes(change(file.read_bytes()))
    assert fit(study) == 0
    assert_array_equal(scores(study), want)
    geno = riata.open_genotypes(study / "t")
    assert str(geno.variants.chrom[0]) == "1"
    assert str(geno.samples.fid[0]) == "F1"
    assert len(str(geno.variants.a2[11])) == (len(ALLELE) if kind == "very long allele" else 1)


@pytest.mark.parametrize("value", [3.0, 0.1, 1e8])
def test_path_functions_tell_of_a_constant_response(value):
    """The command line refuses it, and estimators are silent, as scikit-learn's are."""
    X, y = np.random.default_rng(0).standard_normal((30, 5)), np.full(30, value)
    doors = [
        lambda y, **given: riata.fit_path(X, y, **given),
        lambda y, **given: riata.fit_path(X, y, loss="poisson", **given),
        lambda y, **given: riata.cv_path(X, y, cv=3, **given),
        lambda y, **given: riata.fit_multi_path(X, [y, X[:, 0]], **given),
        lambda y, **given: riata.cv_multi_path(X, [y], cv=3, **given),
        lambda y, **given: riata.cv_path(X, y, loss="huber", cv=3, **given),
        lambda y, **given: riata.constrained_lasso(X, y, radius=1.0, **given),
    ]
    for fit in doors:
        with pytest.warns(UserWarning, match="y has the value .* nothing is left"):
            fit(y)
    uneven = np.where(np.arange(30) < 29, y, value + 1.0)
    with pytest.warns(UserWarning, match="nothing is left"):
        riata.fit_path(X, uneven, sample_weight=np.r_[np.ones(29), 0.0])
    riata.fit_path(X, uneven)  # warnings are errors
    assert not riata.LassoCV(cv=3).fit(X, y).coef_.any()
    riata.fit_path(X, y, fit_intercept=False)
    riata.fit_path(X, y, loss="poisson", offset=X[:, 0])
