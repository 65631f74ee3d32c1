"""What a fit writes for other programs, reports made again, and disks that fill up."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import riata
from riata._io.output_files import OutputSet
from riata.cli.parser import main
from riata.path import result as path_module

DATA = Path(__file__).parents[2] / "data" / "genotypes"
BFILE = str(DATA / "tiny")
STUDY = ["--bfile", BFILE, "--pheno", DATA / "tiny.phe", "--pheno-name", "height", "--ld-r2", "0.05"]


def run(*arguments):
    return main([str(argument) for argument in arguments])


def read_tsv(path):
    lines = [line.split("\t") for line in Path(path).read_text().splitlines() if not line.startswith("#")]
    return {name: [row[k] for row in lines[1:]] for k, name in enumerate(lines[0])}


@pytest.fixture(scope="module")
def height(tmp_path_factory):
    """A cross-validated fit with a covariate, and its prefix."""
    out = tmp_path_factory.mktemp("height") / "height"
    arguments = ["--covar", DATA / "tiny.cov", "--alphas", 20, "--eps", 0.05, "--cv", 4, "--maf", 0.2]
    arguments += ["--genome-build", "grch38"]
    assert run("cv", *STUDY, *arguments, "--out", out, "--quiet") == 0
    return out


def test_weights_are_a_pgs_catalog_file(height):
    lines = Path(f"{height}.weights.tsv").read_text().splitlines()
    header = dict(line[1:].split("=") for line in lines if re.match("#[a-z_]+=", line))
    hits = read_tsv(f"{height}.hits.tsv")
    assert header == {
        "format_version": "2.0",
        "pgs_id": "height",
        "pgs_name": "height",
        "trait_reported": "height",
        "genome_build": "GRCh38",
        "variants_number": str(len(hits["ID"])),
        "weight_type": "beta",
    }
    table = read_tsv(f"{height}.weights.tsv")
    same = {
        "rsID": "ID", "chr_name": "CHROM", "chr_position": "POS", "effect_allele": "EFFECT_ALLELE",
        "other_allele": "OTHER_ALLELE",
    }  # fmt: skip
    assert list(table) == [*same, "effect_weight", "allelefrequency_effect"]
    for theirs, mine in same.items():
        assert table[theirs] == hits[mine]
    assert_allclose(np.array(table["allelefrequency_effect"], float), np.array(hits["EAF"], float), rtol=1e-9)
    fit = riata.load(f"{height}.path.npz")
    coef = fit.coef()[:60]
    assert sorted(map(float, table["effect_weight"])) == sorted(coef[coef != 0].tolist())


def sums(prefix):
    """What an allele-counting program makes of PREFIX.score, missing calls at the mean."""
    geno = riata.open_genotypes(BFILE)
    table = read_tsv(f"{prefix}.score")
    total = np.zeros(len(geno))
    for name, allele, weight in zip(table["ID"], table["A1"], map(float, table["BETA"]), strict=True):
        j = list(geno.variants.id).index(name)
        assert allele in (geno.variants.a1[j], geno.variants.a2[j])
        copies = geno.to_numpy([j])[:, 0]
        copies = copies if allele == geno.variants.a1[j] else 2 - copies
        total += weight * np.where(np.isnan(copies), np.nanmean(copies), copies)
    return total


def test_score_is_the_genetic_part(height):
    """Over the same samples, sums of the score file and the fit's predictors differ by a constant."""
    out = height.parent / "plain"
    study = ["--bfile", BFILE, "--pheno", height.parent / "all.phe", "--pheno-name", "y", "--quiet"]
    geno = riata.open_genotypes(BFILE)
    rng = np.random.default_rng(0)
    y = np.nan_to_num(geno.to_numpy(), nan=0.5)[:, [2, 11, 40]].sum(axis=1) + 0.1 * rng.standard_normal(
        len(geno)
    )
    rows = [f"{f} {i} {v}" for f, i, v in zip(geno.samples.fid, geno.samples.iid, y, strict=True)]
    (height.parent / "all.phe").write_text("\n".join(["FID IID y", *rows]) + "\n")
    assert run("fit", *study, "--alphas", 10, "--out", out) == 0
    fit = riata.load(f"{out}.path.npz")
    assert_allclose(fit.predict(geno, fit.alphas[-1]), sums(out) + fit.intercepts[-1], rtol=1e-9)


def test_partners_are_listed_and_shown(height):
    table = read_tsv(f"{height}.ld.tsv")
    assert list(table) == ["HIT", "HIT_RANK", "CHROM", "POS", "ID", "R2", "BETA"]
    hits = read_tsv(f"{height}.hits.tsv")
    beta = dict(zip(hits["ID"], hits["BETA"], strict=True))
    assert len(table["HIT"]) > 0
    for hit, rank, other, effect in zip(
        table["HIT"], table["HIT_RANK"], table["ID"], table["BETA"], strict=True
    ):
        assert hits["ID"][int(rank) - 1] == hit
        assert effect == beta.get(other, "0")
    assert min(map(float, table["R2"])) >= 0.05
    assert "In LD with" in Path(f"{height}.html").read_text()
    record = json.loads(Path(f"{height}.json").read_text())
    counts = {name: len(hits["ID"]) for name in ("hits.tsv", "weights.tsv", "score")}
    aside = len(read_tsv(f"{height}.excluded.tsv")["ID"])
    dropped = len(read_tsv(f"{height}.dropped.tsv")["IID"])
    assert record["rows"] == counts | {
        "ld.tsv": len(table["HIT"]),
        "excluded.tsv": aside,
        "dropped.tsv": dropped,
    }


def test_report_of_the_same_alpha_is_the_same(height, tmp_path):
    again = tmp_path / "height"
    arguments = [
        "--model",
        f"{height}.path.npz",
        "--bfile",
        BFILE,
        "--ld-r2",
        0.05,
        "--out",
        again,
        "--quiet",
    ]
    assert run("report", *arguments) == 0
    for suffix in ("hits.tsv", "weights.tsv", "score", "ld.tsv"):
        assert Path(f"{again}.{suffix}").read_bytes() == Path(f"{height}.{suffix}").read_bytes()
    before, after = (Path(f"{prefix}.html").read_text() for prefix in (height, again))
    assert after.replace(str(again), str(height)) == before


def test_report_of_a_model_saved_before_ids_were_counted(tmp_path):
    """Ids that are shared are then looked for among the variants of the model itself."""
    for suffix in ("bed", "bim", "fam"):
        (tmp_path / f"g.{suffix}").write_bytes((DATA / f"tiny.{suffix}").read_bytes())
    bim = tmp_path / "g.bim"
    bim.write_text(re.sub(r"\trs(3|15)\t", "\t.\t", bim.read_text()))
    study = ["--bfile", tmp_path / "g", *STUDY[2:], "--alphas", 10]
    assert run("fit", *study, "--out", tmp_path / "o", "--quiet") == 0
    with np.load(tmp_path / "o.path.npz") as archive:
        arrays = {name: archive[name] for name in archive.files if name != "report_shared"}
        assert len(arrays) == len(archive.files) - 1
    np.savez(tmp_path / "old.path.npz", **arrays)
    assert run("report", "--model", tmp_path / "old.path.npz", "--out", tmp_path / "r", "--quiet") == 0
    told = [json.loads((tmp_path / name).read_text())["scoring"] for name in ("o.json", "r.json")]
    assert "--set-missing-var-ids" in told[0]["command"]
    assert told[0]["notes"] == told[1]["notes"]
    assert (tmp_path / "o.score").read_text() == (tmp_path / "r.score").read_text()


def test_report_at_another_alpha_is_that_of_a_fit(height, tmp_path, capsys):
    alpha = repr(float(riata.load(f"{height}.path.npz").alphas[6]))
    arguments = ["--covar", DATA / "tiny.cov", "--alphas", 20, "--eps", 0.05, "--cv", 4, "--maf", 0.2]
    assert run("cv", *STUDY, *arguments, "--alpha", alpha, "--out", tmp_path / "fit", "--quiet") == 0
    assert run("report", "--model", f"{height}.path.npz", "--alpha", alpha, "--out", tmp_path / "again") == 0
    for suffix in ("hits.tsv", "score"):
        assert (tmp_path / f"again.{suffix}").read_bytes() == (tmp_path / f"fit.{suffix}").read_bytes()
    assert not (tmp_path / "again.ld.tsv").exists()
    assert "Score with PLINK" in capsys.readouterr().out
    record = json.loads((tmp_path / "again.json").read_text())
    assert record["selected"]["alpha"] == float(alpha)
    assert record["fit"].startswith("riata cv")


def test_report_of_a_table(tmp_path):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((30, 12))
    y = ["ill" if v > 0 else "well" for v in X[:, 2] + 0.3 * rng.standard_normal(30)]
    rows = [",".join([f"s{i}", *map(repr, X[i].tolist()), y[i]]) for i in range(30)]
    header = ",".join(["id", *(f"g{j}" for j in range(12)), "state"])
    (tmp_path / "t.csv").write_text("\n".join([header, *rows]) + "\n")
    study = ["--matrix", tmp_path / "t.csv", "--target", "state", "--loss", "binomial", "--positive", "ill"]
    assert run("fit", *study, "--alphas", 10, "--eps", 0.2, "--out", tmp_path / "a", "--quiet") == 0
    assert not (tmp_path / "a.weights.tsv").exists()
    assert run("report", "--model", tmp_path / "a.path.npz", "--out", tmp_path / "b", "--quiet") == 0
    assert (tmp_path / "a.hits.tsv").read_text() == (tmp_path / "b.hits.tsv").read_text()
    model = ["report", "--model", tmp_path / "a.path.npz", "--out", tmp_path / "c"]
    assert run(*model, "--bfile", BFILE) == 2


def test_report_refuses_other_models_and_genotypes(height, tmp_path, capsys):
    bare = replace(riata.load(f"{height}.path.npz").path, kept={})  # as if it were fitted in Python
    bare.save(tmp_path / "bare.npz")
    model = ["report", "--model", tmp_path / "bare.npz", "--out", tmp_path / "r"]
    assert run(*model, "--bfile", BFILE) == 2
    assert "keeps no ids of its samples" in capsys.readouterr().err
    model = ["report", "--model", f"{height}.path.npz", "--out", tmp_path / "r"]
    assert run(*model, "--bfile", DATA / "new") == 2
    assert "samples analysed are not in it" in capsys.readouterr().err
    assert run(*model, "--alpha", "1e-9") == 2
    assert "alpha must lie within" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["bare.npz"]


def beside(height):
    """The files of a run and whatever lies next to them, but not what --resume would go on from."""
    files = {p.name: p for p in height.parent.glob("*height.*")}
    return {name: p.read_bytes() for name, p in files.items() if not name.startswith("height.checkpoint")}


@pytest.fixture
def unfinished(height):
    """Take away what a run that failed before has left to go on from."""
    for path in height.parent.glob("*height.checkpoint*"):
        path.unlink()


FILES = ("hits.tsv", "weights.tsv", "score", "ld.tsv", "excluded.tsv", "html", "json", "log")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("suffix", FILES)
@pytest.mark.usefixtures("unfinished")
def test_full_disk_at_any_file(height, monkeypatch, capsys, suffix):
    before = beside(height)
    assert {f"height.{name}" for name in FILES} <= set(before)
    where = OutputSet.path

    def full(self, name):
        path = where(self, name)
        if name == suffix and not path.exists():
            path.symlink_to("/dev/full")
        return path

    monkeypatch.setattr(OutputSet, "path", full)
    arguments = ["--alphas", 5, "--maf", 0.2, "--out", height, "--quiet"]
    assert run("fit", *STUDY, *arguments) == 2
    assert capsys.readouterr().err == f"riata: error: {height}: No space left on device\n"
    assert beside(height) == before
    assert Path(f"{height}.checkpoint").exists()  # of the fit, which is not lost


@pytest.mark.usefixtures("unfinished")
def test_full_disk_at_the_model(height, monkeypatch, capsys):
    before = beside(height)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(path_module.np, "savez_compressed", full)
    monkeypatch.setattr(path_module.np, "savez", full)
    assert run("fit", *STUDY, "--alphas", 5, "--out", height, "--quiet") == 2
    assert capsys.readouterr().err == f"riata: error: {height}: No space left on device\n"
    assert beside(height) == before
    assert Path(f"{height}.checkpoint").exists()  # of the fit, which is not lost


def test_errors_name_the_output_not_the_folder_beside_it(tmp_path):
    def fail():
        with OutputSet(str(tmp_path / "x")) as outputs:
            outputs.path("score").mkdir()
            outputs.path("score").write_text("")

    with pytest.raises(IsADirectoryError) as caught:
        fail()
    assert caught.value.filename == str(tmp_path / "x.score")
    assert list(tmp_path.iterdir()) == []
