"""The command line end to end: outputs, one-line errors, scoring, interruption."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import read_tsv, run
from numpy.testing import assert_allclose

import riata
from riata._io.output_files import OutputSet
from riata._io.progress import Progress, time_left
from riata.study.loading import load_study
from riata.study.options import StudyOptions

DATA = Path(__file__).parents[2] / "data" / "genotypes"
BFILE, PHENO, COVAR = str(DATA / "tiny"), str(DATA / "tiny.phe"), str(DATA / "tiny.cov")
STUDY = ["--bfile", BFILE, "--pheno", PHENO, "--pheno-name", "height"]


@pytest.fixture
def matrix(tmp_path):
    """A table of 40 samples x 30 genes with a two-class and a numeric response."""
    rng = np.random.default_rng(11)
    X = rng.standard_normal((40, 30))
    score = 2 * X[:, 3] - 2 * X[:, 17] + 0.5 * rng.standard_normal(40)
    header = ["sample", *(f"g{j}" for j in range(30)), "relapse", "size"]
    rows = [
        [f"s{i}", *(repr(float(v)) for v in X[i]), "yes" if score[i] > 0 else "no", f"{score[i]:.4f}"]
        for i in range(40)
    ]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n")
    return path


def test_fit_writes_everything(tmp_path, capsys):
    out = tmp_path / "results" / "height"
    assert run("fit", *STUDY, "--covar", COVAR, "--alphas", 30, "--eps", 0.05, "--out", out) == 0
    suffixes = {
        "hits.tsv",
        "weights.tsv",
        "score",
        "afreq",
        "ld.tsv",
        "excluded.tsv",
        "dropped.tsv",
        "path.npz",
        "html",
        "json",
        "log",
    }
    assert {p.name for p in out.parent.iterdir()} == {f"height.{suffix}" for suffix in suffixes}

    hits = read_tsv(f"{out}.hits.tsv")
    described = ["CHROM", "POS", "ID", "EFFECT_ALLELE", "OTHER_ALLELE", "EAF", "N", "MISSING"]
    assert list(hits) == [*described, "BETA", "BETA_STD", "ENTRY_ALPHA", "RANK"]
    assert {"rs3", "rs15", "rs34"} <= set(hits["ID"][:5])
    beta = dict(zip(hits["ID"], map(float, hits["BETA"]), strict=True))
    assert beta["rs3"] > 0 > beta["rs15"]
    entry = list(map(float, hits["ENTRY_ALPHA"]))
    assert entry == sorted(entry, reverse=True)
    assert hits["RANK"] == [str(k + 1) for k in range(len(entry))]

    fit = riata.load(f"{out}.path.npz")
    study = load_study(StudyOptions(bfile=BFILE, pheno=PHENO, pheno_name="height", covar=COVAR))
    geno = study.main
    for name, value, spread in zip(hits["ID"], hits["BETA"], hits["BETA_STD"], strict=True):
        j = list(geno.variants.id).index(name)
        assert float(value) == pytest.approx(fit.coefs[j, -1], rel=1e-9)
        assert float(spread) == pytest.approx(fit.coefs[j, -1] * fit.scale[j], rel=1e-9)
        k = hits["ID"].index(name)
        assert hits["EFFECT_ALLELE"][k] == geno.variants.a1[j]
        assert float(hits["EAF"][k]) == pytest.approx(geno.sex_aware_frequency()[j])
        assert int(hits["N"][k]) == geno.counts()[j, :3].sum()
    assert fit.coefs[60, :].toarray().all()  # age is never penalised
    assert not fit.coefs[[6, 8], :].toarray().any()

    assert read_tsv(f"{out}.excluded.tsv")["REASON"] == ["monomorphic", "all calls missing"]
    record = json.loads(Path(f"{out}.json").read_text())
    assert record["riata"] == riata.__version__
    assert record["samples"]["analysed"] == 41
    assert record["samples"]["dropped"]["height missing"] == 3
    assert record["fit"]["converged"] is True
    assert record["fit"]["largest_gap"] <= 1e-6
    assert record["features"] == {
        "in_file": 60, "left_out": {}, "set_aside": 2, "covariates": ["age", "sex"], "counted_allele": "A1"
    }  # fmt: skip
    assert {Path(item["path"]).name for item in record["inputs"]} == {
        "tiny.bed", "tiny.bim", "tiny.fam", "tiny.phe", "tiny.cov"
    }  # fmt: skip
    assert all(len(item["sha256"]) == 64 for item in record["inputs"])
    assert record["command"].startswith("riata fit --bfile")

    said = capsys.readouterr()
    assert said.err == ""
    assert "dropped: height missing" in said.out
    assert "\x1b" not in said.out
    log = Path(f"{out}.log").read_text()
    assert said.out.strip() in log
    page = Path(f"{out}.html").read_text()
    assert "rs15" in page
    assert "age" in page


def test_cv_on_a_table(tmp_path, matrix, capsys):
    out = tmp_path / "relapse"
    arguments = ["cv", "--matrix", matrix, "--target", "relapse", "--drop", "size", "--loss", "binomial"]
    assert run(*arguments, "--cv", 4, "--alphas", 25, "--select", "1se", "--out", out) == 0
    hits = read_tsv(f"{out}.hits.tsv")
    assert list(hits) == ["FEATURE", "BETA", "BETA_STD", "ENTRY_ALPHA", "RANK"]
    assert {"g3", "g17"} <= set(hits["FEATURE"])
    record = json.loads(Path(f"{out}.json").read_text())
    assert record["response"] == {
        "name": "relapse",
        "loss": "binomial",
        "classes": ["no", "yes"],
        "models": "probability of yes against no",
    }
    assert record["cross_validation"]["folds"] == 4
    assert record["selected"]["alpha"] == record["cross_validation"]["alpha_1se"]
    cv = riata.load(f"{out}.path.npz")
    assert cv.alpha == record["selected"]["alpha"]
    assert "Cross-validation curve" in Path(f"{out}.html").read_text()
    assert "4-fold cross-validation" in capsys.readouterr().out


def test_max_active_counts_what_is_selected(tmp_path):
    limit = ["--max-active", 3, "--covar", COVAR, "--quiet"]
    assert run("fit", *STUDY, *limit, "--out", tmp_path / "h") == 0
    assert len(read_tsv(tmp_path / "h.hits.tsv")["ID"]) == 3


def test_several_alphas_a_pass(tmp_path):
    rounds = {}
    for verb in ("fit", "cv"):
        for number in (1, 8):
            out = tmp_path / f"{verb}{number}"
            more = ["--alphas", 20, "--quiet", "--alphas-per-pass", number, "--out", out]
            assert run(verb, *STUDY, *more) == 0
            model = riata.load(f"{out}.path.npz")
            rounds[verb, number] = getattr(model, "path", model).counters["rounds"]
        assert rounds[verb, 8] < rounds[verb, 1]


def test_seed_decides_folds(tmp_path, matrix):
    scores = []
    for seed, threads in ((1, 1), (1, 2), (2, 1)):
        out = tmp_path / f"{seed}{threads}"
        arguments = ["cv", "--matrix", matrix, "--target", "size", "--drop", "relapse", "--alphas", 10]
        assert run(*arguments, "--seed", seed, "--threads", threads, "--out", out, "--quiet") == 0
        scores.append(riata.load(f"{out}.path.npz").scores)
    assert np.array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


def test_predict_is_path_predict(tmp_path):
    out, scored = tmp_path / "height", tmp_path / "scored"
    assert run("cv", *STUDY, "--covar", COVAR, "--alphas", 20, "--cv", 3, "--out", out, "--quiet") == 0
    model = f"{out}.path.npz"
    assert run("predict", "--model", model, "--bfile", BFILE, "--covar", COVAR, "--out", scored) == 0
    table = read_tsv(f"{scored}.scores.tsv")
    assert list(table) == ["FID", "IID", "MISSING_CALLS", "SCORE", "PREDICTION"]
    assert len(table["IID"]) == 45  # one covariate is missing
    study = load_study(StudyOptions(bfile=BFILE, pheno=PHENO, pheno_name="height", covar=COVAR))
    cv = riata.load(model)
    mine = dict(zip(table["IID"], map(float, table["PREDICTION"]), strict=True))
    expected = cv.predict(study.X)
    assert_allclose([mine[name] for name in study.samples.iid], expected, rtol=1e-8)


def test_predict_counts_the_models_allele(tmp_path):
    out, scored = tmp_path / "height", tmp_path / "new"
    assert run("fit", *STUDY, "--alphas", 20, "--eps", 0.1, "--out", out, "--quiet") == 0
    assert run("predict", "--model", f"{out}.path.npz", "--bfile", DATA / "new", "--out", scored) == 0
    fit = riata.load(f"{out}.path.npz")
    names = list(riata.open_genotypes(BFILE).variants.id)
    new = riata.open_genotypes(DATA / "new")
    old = riata.open_genotypes(BFILE)
    expected = np.full(17, fit.intercepts[-1])
    missing = np.zeros(17, dtype=int)
    flipped = 0
    for j in np.flatnonzero(fit.coef(fit.alphas[-1])):
        k = list(new.variants.id).index(names[j])
        column = new.to_numpy([k])[:, 0]
        if new.variants.a1[k] != old.variants.a1[j]:
            column, flipped = 2 - column, flipped + 1
        missing += np.isnan(column)
        expected += np.where(np.isnan(column), fit.mean[j], column) * fit.coefs[j, -1]
    assert flipped > 0
    table = read_tsv(f"{scored}.scores.tsv")
    assert_allclose(list(map(float, table["PREDICTION"])), expected, rtol=1e-8)
    assert list(map(int, table["MISSING_CALLS"])) == missing.tolist()
    assert f"{flipped} variants name their alleles the other way round" in Path(f"{scored}.log").read_text()


def test_predict_table_by_name(tmp_path, matrix):
    out = tmp_path / "relapse"
    arguments = ["fit", "--matrix", matrix, "--target", "relapse", "--drop", "size", "--loss", "binomial"]
    assert run(*arguments, "--alphas", 10, "--eps", 0.3, "--out", out, "--quiet") == 0
    rows = [line.split(",") for line in matrix.read_text().splitlines()]
    order = [0, *range(30, 0, -1)]
    other = tmp_path / "other.tsv"
    other.write_text("\n".join("\t".join(row[k] for k in order) for row in rows) + "\n")
    assert (
        run("predict", "--model", f"{out}.path.npz", "--matrix", other, "--out", tmp_path / "p", "--quiet")
        == 0
    )
    table = read_tsv(tmp_path / "p.scores.tsv")
    X = np.array([[float(v) for v in row[1:31]] for row in rows[1:]])
    fit = riata.load(f"{out}.path.npz")
    assert_allclose(list(map(float, table["PROBABILITY"])), fit.predict(X, fit.alphas[-1]), rtol=1e-8)
    narrow = tmp_path / "narrow.csv"
    narrow.write_text("\n".join(",".join(row[:4]) for row in rows) + "\n")
    assert run("predict", "--model", f"{out}.path.npz", "--matrix", narrow, "--out", tmp_path / "q") == 2


def test_info(tmp_path, matrix, capsys):
    assert run("info", "--bfile", BFILE) == 0
    said = capsys.readouterr().out
    assert "46 samples x 60 variants" in said
    assert "monomorphic  2 variants" in said
    assert run("info", "--matrix", matrix) == 0
    said = capsys.readouterr().out
    assert "40 samples x 31 features" in said
    assert "relapse: no, yes" in said
    assert run("fit", *STUDY, "--alphas", 5, "--out", tmp_path / "h", "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert run("info", "--model", tmp_path / "h.path.npz") == 0
    assert "gaussian path of height" in capsys.readouterr().out


def test_info_knows_files_by_their_names(tmp_path, matrix, capsys):
    assert run("fit", *STUDY, "--alphas", 5, "--out", tmp_path / "h", "--quiet") == 0
    for path, said in (
        (f"{BFILE}.bed", "46 samples x 60 variants"),
        (BFILE, "46 samples x 60 variants"),
        (matrix, "40 samples x 31 features"),
        (tmp_path / "h.path.npz", "gaussian path of height"),
    ):
        assert run("info", path) == 0
        assert said in capsys.readouterr().out
    assert run("info", tmp_path / "nowhere") == 2
    assert "nor one with .bed, .pgen or .bgen after it" in capsys.readouterr().err
    assert run("info", BFILE, "--matrix", matrix) == 2
    assert "give one file, or exactly one of" in capsys.readouterr().err


def test_files_of_several_chromosomes(tmp_path):
    rows = [line.split("\t") for line in Path(f"{BFILE}.bim").read_text().splitlines()]
    packed = Path(f"{BFILE}.bed").read_bytes()
    stride = 12  # of 46 samples
    for k, (start, stop) in enumerate(((0, 25), (25, 60)), 1):
        prefix = tmp_path / f"chr{k}"
        body = packed[3 + start * stride : 3 + stop * stride]
        Path(f"{prefix}.bed").write_bytes(packed[:3] + body)
        Path(f"{prefix}.bim").write_text("".join("\t".join(row) + "\n" for row in rows[start:stop]))
        Path(f"{prefix}.fam").write_text(Path(f"{BFILE}.fam").read_text())
    pheno = ["--pheno", PHENO, "--pheno-name", "height", "--alphas", 10, "--quiet", "--out"]
    assert run("fit", "--bfile", BFILE, *pheno, tmp_path / "one") == 0
    assert run("fit", "--bfile", tmp_path / "chr@", *pheno, tmp_path / "two") == 0
    assert run("fit", "--bfile", tmp_path / "chr1", tmp_path / "chr2", *pheno, tmp_path / "three") == 0
    for name in ("two", "three"):
        assert read_tsv(tmp_path / f"{name}.hits.tsv") == read_tsv(tmp_path / "one.hits.tsv")
    inputs = json.loads((tmp_path / "two.json").read_text())["inputs"]
    assert [Path(item["path"]).name for item in inputs] == [
        "chr1.bed", "chr1.bim", "chr1.fam", "chr2.bed", "chr2.bim", "chr2.fam", "tiny.phe"
    ]  # fmt: skip


def test_verbose_tells_of_every_alpha(tmp_path, capsys):
    assert run("fit", *STUDY, "--alphas", 6, "--verbose", "--memory", "1G", "--out", tmp_path / "h") == 0
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert [line.split()[0] for line in lines] == [f"{k}/6" for k in range(1, 7)]
    assert "alpha" not in "".join(line for line in said.out.splitlines() if "1/6" in line)
    log = (tmp_path / "h.log").read_text()
    assert all(line in log for line in lines)


def test_files_are_written_when_nobody_reads_on(tmp_path):
    arguments = [sys.executable, "-m", "riata", "fit", *STUDY, "--alphas", "5", "--out", str(tmp_path / "h")]
    running = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    running.stdout.close()
    assert running.wait() == 0
    assert running.stderr.read() == b""
    running.stderr.close()
    assert (tmp_path / "h.path.npz").exists()


def test_python_m_riata():
    done = subprocess.run(
        [sys.executable, "-m", "riata", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"riata {riata.__version__}\n"
    done = subprocess.run(
        [sys.executable, "-m", "riata", "fit", "--bfile", "nowhere", "--out", "x"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "riata: error: nowhere.bed: no such file (a PLINK fileset is .bed, .bim and .fam together)\n"
    )


def test_help(capsys):
    assert run() == 0
    assert "riata demo" in capsys.readouterr().out
    for verb in ("demo", "info", "fit", "cv", "select", "predict", "report", "simulate"):
        with pytest.raises(SystemExit) as left:
            run(verb, "--help")
        assert left.value.code == 0
        assert f"usage: riata {verb}" in capsys.readouterr().out


BAD = {
    "unknown verb": (["frobnicate"], "invalid choice"),
    "mistyped option": (["cv", *STUDY, "--l1-ratoi", "1"], "did you mean --l1-ratio? (see riata cv --help)"),
    "unknown option": (["fit", *STUDY, "--lambda", "3"], "unknown option --lambda"),
    "option of another verb": (
        ["fit", *STUDY, "--time-order", "day"],
        "riata fit has no option --time-order, which is one of riata cv",
    ),
    "abbreviated option": (["fit", "--bf", BFILE], "the following arguments are required: --out"),
    "sample file of a bed": (["fit", *STUDY, "--sample", "s"], "--sample is for --bgen"),
    "size of memory": (["fit", *STUDY, "--memory", "lots"], "expected a size such as 800M or 4G, got 'lots'"),
    "no alpha a pass": (["cv", *STUDY, "--alphas-per-pass", "0"], "expected a whole number of at least 1"),
    "score without validation": (["fit", *STUDY, "--scoring", "mae"], "--scoring needs a validation part"),
    "score of another loss": (["cv", *STUDY, "--scoring", "auc"], "scoring"),
    "no data": (["fit"], "give exactly one of --bfile, --pfile, --bgen and --matrix"),
    "two kinds of data": (["fit", *STUDY, "--matrix", "x.csv"], "got --bfile and --matrix"),
    "missing fileset": (["fit", "--bfile", "nowhere"], "nowhere.bed: no such file"),
    "missing phenotypes": (["fit", "--bfile", BFILE, "--pheno", "nowhere.txt"], "nowhere.txt: no such file"),
    "no phenotype chosen": (["fit", "--bfile", BFILE, "--pheno", PHENO], "choose one of its columns"),
    "unknown phenotype": (["fit", *STUDY[:-1], "weight"], "no column 'weight'; columns are FID, IID, height"),
    "unknown covariate": (["fit", *STUDY, "--covar", COVAR, "--covar-name", "bmi"], "no column 'bmi'"),
    "two-valued response": (["fit", *STUDY[:-1], "disease"], "say --loss binomial"),
    "measured response as classes": (["fit", *STUDY, "--loss", "binomial"], "codes must be 0/1, 1/2 or -1/1"),
    "unknown loss": (["fit", *STUDY, "--loss", "ordinal"], "invalid choice 'ordinal' (choose from gaussian"),
    "survival by another name": (["fit", *STUDY, "--loss", "coxph"], "'coxph'; did you mean cox?"),
    "other name of a loss": (["fit", *STUDY, "--loss", "logistic"], "'logistic'; did you mean binomial?"),
    "mistyped solver": (["fit", *STUDY, "--solver", "activeset"], "'activeset'; did you mean active-set?"),
    "mistyped verb": (["fti"], "invalid choice 'fti'; did you mean fit?"),
    "negative tol": (["fit", *STUDY, "--tol", "-1"], "tol must be >= 0"),
    "zero alphas": (["fit", *STUDY, "--alphas", "0"], "--alphas: expected a whole number of at least 1"),
    "negative alphas": (["fit", *STUDY, "--alphas", "0.1,-2"], "--alphas: expected a number of at least 0"),
    "l1_ratio above one": (["fit", *STUDY, "--l1-ratio", "1.5"], "--l1-ratio: must lie in [0, 1], got 1.5"),
    "alpha outside the path": (
        ["fit", *STUDY, "--alpha", "1e-9"],
        "--alpha 1e-09 lies outside the fitted path",
    ),
    "alpha outside the alphas": (["fit", *STUDY, "--alphas", "0.5,0.1", "--alpha", "0.01"], "ends at 0.1"),
    "one fold": (["cv", *STUDY, "--cv", "1"], "cv must be"),
    "too many folds": (["cv", *STUDY, "--cv", "1000"], "--cv 1000 is more than there are samples, 42"),
    "maf above a half": (["fit", *STUDY, "--maf", "0.7"], "--maf must lie in [0, 0.5], got 0.7"),
    "target with genotypes": (["fit", *STUDY, "--target", "height"], "--target is for --matrix"),
    "wrong kind of table": (["fit", "--matrix", PHENO, "--target", "height"], "must end in .csv"),
    "predict without covariates": (
        ["predict", "--model", "MODEL", "--bfile", BFILE],
        "give them with --covar",
    ),
    "predict the wrong kind": (
        ["predict", "--model", "MODEL", "--matrix", "TABLE", "--covar", COVAR],
        "--bfile",
    ),
    "predict with no model": (["predict", "--model", PHENO, "--bfile", BFILE], "not a path saved by riata"),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    out = tmp_path_factory.mktemp("model") / "m"
    assert run("fit", *STUDY, "--covar", COVAR, "--alphas", 5, "--out", out, "--quiet") == 0
    table = out.parent / "t.csv"
    table.write_text("IID,a,b\nS1,1,2\nS2,3,4\n")
    fit = riata.load(f"{out}.path.npz")
    return {"MODEL": f"{out}.path.npz", "TABLE": str(table), "ALPHA": str(fit.alphas[1])}


@pytest.mark.parametrize("case", BAD)
def test_errors_are_one_line(tmp_path, capsys, saved, case):
    arguments, message = BAD[case]
    arguments = [saved.get(argument, argument) for argument in arguments]
    if case not in ("unknown verb", "mistyped verb", "abbreviated option"):
        arguments = [*arguments, "--out", str(tmp_path / "new" / "x"), "--quiet"]
    assert run(*arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(r"riata: error: [^\n]+\n", said.err)
    assert message in said.err
    fitted = case == "alpha outside the path"  # so that --resume need not fit again
    left = {"new", "x.checkpoint", "x.checkpoint.json"} if fitted else set()
    assert {file.name for file in tmp_path.rglob("*")} == left


def test_other_alleles_are_refused(tmp_path, capsys, saved):
    for suffix in ("bed", "bim", "fam"):
        (tmp_path / f"g.{suffix}").write_bytes((DATA / f"tiny.{suffix}").read_bytes())
    bim = tmp_path / "g.bim"
    good = bim.read_text()
    bim.write_text(re.sub(r"(rs3\t0\t\d+\t)\w+\t\w+", r"\1A\tG", good))
    predict = ["predict", "--model", saved["MODEL"], "--bfile", tmp_path / "g", "--covar", COVAR]
    assert run(*predict, "--out", tmp_path / "s") == 2
    assert "variant rs3 has alleles A and G, but the model counts T against C" in capsys.readouterr().err
    bim.write_text(re.sub(r"rs3\t0\t\d+", "rs1003\t0\t7", good))
    assert run(*predict, "--out", tmp_path / "s") == 2
    assert (
        "variants of the model are not in it, neither by id nor by place and alleles: rs3"
        in capsys.readouterr().err
    )
    assert not list(tmp_path.glob("s.*"))


def test_same_id_twice_is_told_apart_by_position(tmp_path, capsys, saved):
    for suffix in ("bed", "bim", "fam"):
        (tmp_path / f"g.{suffix}").write_bytes((DATA / f"tiny.{suffix}").read_bytes())
    bim = tmp_path / "g.bim"
    rows = [line.split("\t") for line in bim.read_text().splitlines()]
    rows[20] = [*rows[2][:3], "999", *rows[2][4:]]  # another rs3 elsewhere, in place of rs21
    bim.write_text("\n".join("\t".join(row) for row in rows) + "\n")
    predict = ["predict", "--model", saved["MODEL"], "--covar", COVAR, "--alpha", saved["ALPHA"], "--quiet"]
    assert run(*predict, "--bfile", tmp_path / "g", "--out", tmp_path / "twice") == 0
    assert run(*predict, "--bfile", BFILE, "--out", tmp_path / "once") == 0
    assert read_tsv(tmp_path / "twice.scores.tsv") == read_tsv(tmp_path / "once.scores.tsv")
    rows[20] = rows[2]
    bim.write_text("\n".join("\t".join(row) for row in rows) + "\n")
    assert run(*predict, "--bfile", tmp_path / "g", "--out", tmp_path / "s") == 2
    assert "variant rs3 with alleles T and C appears more than once" in capsys.readouterr().err


def test_debug_shows_where():
    with pytest.raises(FileNotFoundError):
        run("fit", "--bfile", "nowhere", "--out", "x", "--debug")


@pytest.mark.parametrize("verb", ["fit", "cv"])
def test_interrupt_keeps_the_path(tmp_path, monkeypatch, capsys, verb):
    calls = []
    draw = Progress.__call__

    def interrupt(self, *state):
        calls.append(state)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return draw(self, *state)

    monkeypatch.setattr(Progress, "__call__", interrupt)
    before = signal.getsignal(signal.SIGINT)
    alphas = ",".join(str(1.0 / 1.02**k) for k in range(400))
    assert run(verb, *STUDY, "--alphas", alphas, "--out", tmp_path / "h", "--quiet") == 130
    assert signal.getsignal(signal.SIGINT) is before
    kept = "riata: interrupted; the path so far was kept, --resume goes on with it\n"
    assert capsys.readouterr().err == kept
    fit = riata.load(tmp_path / "h.path.npz")
    assert 0 < len(fit.alphas) < 400
    record = json.loads((tmp_path / "h.json").read_text())
    assert record["fit"]["interrupted"] is True
    assert "was interrupted" in (tmp_path / "h.html").read_text()


def test_second_interrupt_gives_up(tmp_path, monkeypatch, capsys):
    def interrupt(self, *state):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Progress, "__call__", interrupt)
    assert run("fit", *STUDY, "--out", tmp_path / "h", "--quiet") == 130
    assert f"--resume goes on from {tmp_path / 'h.checkpoint'}\n" in capsys.readouterr().err
    assert {file.name for file in tmp_path.iterdir()} == {"h.checkpoint", "h.checkpoint.json"}


def test_full_disk_leaves_the_checkpoint_only(tmp_path, monkeypatch, capsys):
    def full(self, record):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path("json")))

    (tmp_path / "h.log").write_text("of an earlier run")
    monkeypatch.setattr(OutputSet, "write_manifest", full)
    assert run("fit", *STUDY, "--alphas", 5, "--out", tmp_path / "h", "--quiet") == 2
    assert "No space left on device" in capsys.readouterr().err
    assert {p.name for p in tmp_path.iterdir()} == {"h.log", "h.checkpoint", "h.checkpoint.json"}


def test_outputs_move_together_or_not_at_all(tmp_path, monkeypatch):
    prefix = tmp_path / "deep" / "er" / "x"
    with OutputSet(str(prefix)) as outputs:
        outputs.path("a").write_text("1")
        outputs.path("b").write_text("1")
        assert not Path(f"{prefix}.a").exists()
    assert {p.name for p in prefix.parent.iterdir()} == {"x.a", "x.b"}

    move = os.replace

    def fail_on_b(source, target):
        if Path(source).name == "_b":
            raise OSError("no")
        move(source, target)

    monkeypatch.setattr(os, "replace", fail_on_b)

    def write_again():
        with OutputSet(str(prefix)) as outputs:
            for suffix in "acb":
                outputs.path(suffix).write_text("2")

    with pytest.raises(OSError, match="no"):
        write_again()
    monkeypatch.undo()
    assert {p.name for p in prefix.parent.iterdir()} == {"x.a", "x.b"}
    assert Path(f"{prefix}.a").read_text() == Path(f"{prefix}.b").read_text() == "1"
    with pytest.raises(ValueError, match="file prefix"):
        OutputSet(f"{tmp_path}/")


class Terminal:
    """Text that says it is a terminal."""

    def __init__(self):
        self.text = ""

    def isatty(self):
        return True

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_progress_line():
    stream = Terminal()
    with Progress(stream) as progress:
        assert progress(10, 10, 0.0123, 42, 3e-9, 5.5) is True
    assert "10/10 alphas  passes 5.5  gap 3e-09  alpha 0.0123  active 42" in stream.text
    assert stream.text.endswith("\r\x1b[2K")
    stream = Terminal()
    with Progress(stream, quiet=True) as progress:
        progress(1, 1, 1.0, 0, 0.0, 1.0)
    assert stream.text == ""
    assert time_left([(0.1, 1)], 100) == ""
    assert time_left([(6.0, 10)], 60) == "30 s left"
    assert time_left([(100.0, 1)], 100) == "2.8 h left"
    dearer = [(1.0, 10), (2.0, 20), (12.0, 30)]  # a second each at last
    assert time_left(dearer, 80) == "50 s left"
    notes = []
    with Progress(stream, note=notes.append) as progress:
        progress(3, 10, 0.5, 2, 1e-7, 1.0)
    assert stream.text == ""
    assert notes[0].startswith("  3/10  passes 1.0  gap 1e-07  alpha 0.5  active 2  ")


def test_progress_line_leaves_out_what_has_no_room(monkeypatch):
    size = os.terminal_size((52, 20))
    monkeypatch.setattr("riata._io.progress.shutil.get_terminal_size", lambda default: size)
    stream = Terminal()
    with Progress(stream) as progress:
        progress.watch_scores("auc", np.array([0.7, 0.8]))
        progress(10, 10, 0.0123, 42, 3e-9, 5.5)
    assert " 10/10 alphas  alpha 0.0123  active 42  auc 0.75\r" in stream.text


def test_a_penalty_between_two_that_were_fitted_is_said_to_be_interpolated(tmp_path, capsys):
    given = ["--matrix", matrix_of(tmp_path), "--target", "y", "--alphas", "0.2,0.1", "--out", tmp_path / "x"]
    assert run("fit", *given, "--alpha", "0.15") == 0
    assert "as asked with --alpha, interpolated between two that were fitted" in capsys.readouterr().out
    assert run("fit", *given, "--alpha", "0.1") == 0
    assert "interpolated" not in capsys.readouterr().out


def matrix_of(folder):
    """A small table, y and four features."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 4))
    y = X[:, 0] + 0.5 * rng.standard_normal(40)
    file = folder / "table.csv"
    np.savetxt(
        file, np.column_stack([np.arange(40), y, X]), delimiter=",", header="id,y,a,b,c,d", comments=""
    )
    return file
