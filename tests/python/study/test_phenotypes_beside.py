"""Phenotypes that lie beside genotypes, in .psam, .sample and .fam: chosen by name, never by place."""

import numpy as np
import pytest
from genotype_files import random_copies, write_bgen, write_pgen
from numpy.testing import assert_array_equal
from support import write_plink

import riata
from riata._io.tables import read_text_table
from riata.cli.parser import main
from riata.study.loading import load_study
from riata.study.options import StudyOptions

N = 60


@pytest.fixture
def columns():
    rng = np.random.default_rng(4)
    copies = random_copies(N, 8, missing=0.0)
    ldl = [f"{value:.5f}" for value in copies[0] + 0.3 * rng.standard_normal(N)]
    age = [str(30 + k % 9) for k in range(N)]
    part = ["test" if k % 6 == 0 else "train" for k in range(N)]
    status = ["2" if value > 0.8 else "1" for value in map(float, ldl)]
    return copies, {
        "AGE": age,
        "LDL": ldl,
        "part": part,
        "status": status,
        "site": ["a", "b", "-9"] * (N // 3),
    }


@pytest.fixture
def psam(tmp_path, columns):
    pytest.importorskip("pgenlib")
    copies, table = columns
    stem = tmp_path / "t"
    write_pgen(stem, copies)
    rows = zip(*table.values(), strict=True)
    lines = [f"i{k}\t{1 + k % 2}\t{chr(9).join(row)}\n" for k, row in enumerate(rows)]
    (tmp_path / "t.psam").write_text(f"#IID\tSEX\t{chr(9).join(table)}\n" + "".join(lines))
    return str(stem)


def test_several_in_a_psam_ask_which(psam, columns, capsys):
    _, table = columns
    with pytest.raises(
        ValueError, match=r"t\.psam: choose one of its columns with --pheno-name: AGE, LDL, part, "
    ):
        load_study(StudyOptions(pfile=psam))
    study = load_study(StudyOptions(pfile=psam, pheno_name="LDL"))
    assert study.response.name == "LDL"
    assert_array_equal(study.y, [float(cell) for cell in table["LDL"]])
    with pytest.raises(ValueError, match=r"column 'HDL' needs --pheno FILE; .*t\.psam has AGE, LDL, part"):
        load_study(StudyOptions(pfile=psam, pheno_name="HDL"))
    assert main(["info", "--pfile", psam]) == 0
    assert "  phenotypes   AGE, LDL, part, status, site\n" in capsys.readouterr().out
    samples = riata.open_genotypes(psam).samples
    assert list(samples.LDL) == table["LDL"]
    with pytest.raises(AttributeError, match=r"no column 'phenotype'; columns are .* AGE, LDL"):
        _ = samples.phenotype


def test_covariates_split_and_times_of_a_psam(psam, columns):
    _, table = columns
    study = load_study(StudyOptions(pfile=psam, pheno_name="LDL", covar_name=("AGE", "site"), split="part"))
    kept = [k for k in range(N) if table["part"][k] == "train" and table["site"][k] != "-9"]
    assert list(study.samples.iid) == [f"i{k}" for k in kept]
    assert study.covariate_names == ["AGE", "site=a"]
    assert_array_equal(study.covariates[:, 0], [float(table["AGE"][k]) for k in kept])
    assert "covariate site: -9 counts as missing (20 samples)" in study.join.notes
    times = load_study(StudyOptions(pfile=psam, loss="cox", time="AGE", event="status"))
    assert_array_equal(times.y["event"], [cell == "2" for cell in table["status"]])
    with pytest.raises(ValueError, match="no column 'sport'"):
        load_study(StudyOptions(pfile=psam, pheno_name="LDL", covar_name=("sport",)))


def test_from_fit_to_predict(psam, columns, tmp_path, capsys):
    out, new = str(tmp_path / "m"), str(tmp_path / "new")
    fit = ["fit", "--pfile", psam, "--covar-name", "AGE", "--alpha", "0.05", "--quiet"]
    assert main([*fit, "--pheno-name", "LDL", "--out", out]) == 0
    assert "#trait_reported=LDL" in (tmp_path / "m.weights.tsv").read_text()
    predict = ["predict", "--model", f"{out}.path.npz", "--pfile", psam, "--out", new]
    assert main([*predict, "--pheno-name", "LDL"]) == 0
    assert "correlation" in capsys.readouterr().out
    scores = read_text_table(f"{new}.scores.tsv")
    assert len(scores) == N
    assert main([*fit, "--pheno-name", "LDL,status", "--loss", "gaussian", "--out", out]) == 0
    assert (tmp_path / "m.status.hits.tsv").exists()


def test_one_phenotype_needs_no_name(tmp_path, columns):
    copies, table = columns
    pytest.importorskip("pgenlib")
    write_pgen(tmp_path / "t", copies)
    lines = [f"i{k}\t{value}\n" for k, value in enumerate(table["LDL"])]
    (tmp_path / "t.psam").write_text("#IID\tLDL\n" + "".join(lines))
    for name in (None, "LDL"):
        study = load_study(StudyOptions(pfile=str(tmp_path / "t"), pheno_name=name))
        assert study.response.name == "LDL"
        assert_array_equal(study.y, [float(cell) for cell in table["LDL"]])
    assert list(riata.open_genotypes(tmp_path / "t").samples.phenotype) == table["LDL"]
    (tmp_path / "t.psam").write_text("#IID\n" + "".join(f"i{k}\n" for k in range(N)))
    with pytest.raises(ValueError, match="every value is missing"):
        load_study(StudyOptions(pfile=str(tmp_path / "t")))


def test_that_of_a_fam_is_called_as_in_plink(tmp_path, columns, capsys):
    copies, table = columns
    prefix = write_plink(tmp_path / "t", copies.T.astype(float)).removesuffix(".bed")
    lines = [f"f{k} i{k} 0 0 0 {value}\n" for k, value in enumerate(table["LDL"])]
    (tmp_path / "t.fam").write_text("".join(lines))
    assert main(["info", prefix]) == 0
    assert "  phenotypes   PHENO1\n" in capsys.readouterr().out
    for name in (None, "PHENO1"):
        study = load_study(StudyOptions(bfile=prefix, pheno_name=name))
        assert study.response.name == "phenotype (.fam, column 6)"
        assert_array_equal(study.y, [float(cell) for cell in table["LDL"]])
    with pytest.raises(ValueError, match=r"column 'LDL' needs --pheno FILE; .*t\.fam has PHENO1"):
        load_study(StudyOptions(bfile=prefix, pheno_name="LDL"))


def test_columns_of_a_sample_file(tmp_path, columns, plink2):
    """As PLINK 2 reads it: whatever follows the ids, missing and sex is a phenotype."""
    pytest.importorskip("bgen")
    copies, table = columns
    path = write_bgen(tmp_path / "t", copies)
    rows = [f"f{k} i{k} 0 {1 + k % 2} {table['AGE'][k]} {table['LDL'][k]} {k % 2}\n" for k in range(N)]
    (tmp_path / "t.sample").write_text("ID_1 ID_2 missing sex age ldl case\n0 0 0 D C P B\n" + "".join(rows))
    with pytest.raises(
        ValueError, match=r"t\.sample: choose one of its columns with --pheno-name: age, ldl, case"
    ):
        load_study(StudyOptions(bgen=path))
    study = load_study(StudyOptions(bgen=path, pheno_name="ldl", covar_name=("age",)))
    assert_array_equal(study.y, [float(cell) for cell in table["LDL"]])
    assert_array_equal(study.covariates[:, 0], [float(cell) for cell in table["AGE"]])
    study = load_study(StudyOptions(bgen=path, pheno_name="case", loss="binomial"))
    assert_array_equal(study.y, [k % 2 for k in range(N)])
    plink2("--bgen", path, "ref-first", "--sample", tmp_path / "t.sample", "--make-just-psam")
    found = read_text_table(tmp_path / "out.psam")
    assert found.header == ["#FID", "IID", "SEX", "age", "ldl", "case"]
    assert found.column("case") == [str(1 + k % 2) for k in range(N)]
    assert list(riata.open_genotypes(path).samples.sex) == found.column("SEX")


def test_a_phenotype_is_no_covariate_of_its_own_file(psam, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for covar in (f"{psam}.psam", "t.psam", "./t.psam"):
        study = load_study(StudyOptions(pfile=psam, pheno_name="LDL", covar=covar, split="part"))
        names = [name.partition("=")[0] for name in study.covariate_names]
        assert set(names) == {"SEX", "AGE", "status", "site"}
    study = load_study(StudyOptions(pfile=psam, pheno="t.psam", pheno_name="LDL", covar="./t.psam"))
    assert "LDL" not in study.covariate_names
    times = {"loss": "cox", "time": "AGE", "event": "status"}
    study = load_study(StudyOptions(pfile=psam, covar=f"{psam}.psam", **times))
    assert not {"AGE", "status"} & set(study.covariate_names)
    with pytest.raises(ValueError, match="--covar-name: LDL is the phenotype: leave it out"):
        load_study(StudyOptions(pfile=psam, pheno_name="LDL", covar="./t.psam", covar_name=("AGE", "LDL")))


def test_sex_is_a_covariate_beside_genotypes(psam, tmp_path):
    geno = riata.open_genotypes(psam)
    bed = write_plink(tmp_path / "b", geno.to_numpy(), sex=[2, 1, 0] * 20).removesuffix(".bed")
    table = "".join(f"f{i} i{i} {i % 7}\n" for i in range(N))
    (tmp_path / "y.txt").write_text("FID IID y\n" + table)
    one = load_study(StudyOptions(pfile=psam, pheno_name="LDL", covar_name=("SEX", "AGE")))
    assert one.covariate_names == ["SEX", "AGE"]
    assert_array_equal(one.covariates[:, 0], [1 + i % 2 for i in range(N)])
    two = load_study(StudyOptions(bfile=bed, pheno=str(tmp_path / "y.txt"), covar_name=("SEX",)))
    assert_array_equal(two.covariates[:, 0], [2, 1] * 20)
    assert dict(two.join.dropped)["a covariate is missing"] == [f"f{i} i{i}" for i in range(2, N, 3)]
    words = ["--alphas", "3", "--covar-name", "SEX", "--pheno-name", "LDL", "--quiet"]
    assert main(["fit", "--pfile", psam, *words, "--out", str(tmp_path / "m")]) == 0
    model = ["--model", str(tmp_path / "m.path.npz"), "--quiet", "--out", str(tmp_path / "p")]
    assert main(["predict", "--pfile", psam, *model]) == 0
    path = riata.load(str(tmp_path / "m.path.npz"))
    path = getattr(path, "path", path)
    coef, alpha = path.coef(path.alphas[-1]), path.alphas[-1]
    scores = read_text_table(tmp_path / "p.scores.tsv")
    added = np.array(scores.column("PREDICTION"), float) - np.array(scores.column("SCORE"), float)
    expected = path.intercept(alpha) + coef[-1] * (1.0 + np.arange(N) % 2)
    np.testing.assert_allclose(added, expected, atol=1e-12)


def test_a_covariate_that_holds_the_phenotype_is_refused(psam, columns, tmp_path):
    _, table = columns
    cells = {"copy": table["LDL"], "ill": ["yes" if code == "2" else "no" for code in table["status"]]}
    for name, column in cells.items():
        rows = "".join(f"i{k} {cell} {k % 7}\n" for k, cell in enumerate(column))
        (tmp_path / name).write_text(f"IID {name} other\n{rows}")
    one = {"pfile": psam, "pheno_name": "LDL", "covar": str(tmp_path / "copy")}
    with pytest.raises(ValueError, match="--covar: copy is the phenotype LDL itself in all 60 samples"):
        load_study(StudyOptions(**one))
    two = {"pfile": psam, "pheno_name": "status", "loss": "binomial", "covar": str(tmp_path / "ill")}
    with pytest.raises(ValueError, match=r"--covar: ill=(yes|no) is the phenotype status itself in all 60"):
        load_study(StudyOptions(**two))
    for options in (one, two):
        assert load_study(StudyOptions(**options, covar_name=("other",))).covariate_names == ["other"]
