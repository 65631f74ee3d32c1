"""Which of two classes is modelled: by words, by name, never by the alphabet; and every output says which."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support import write_plink

from riata._io.case_words import case_of
from riata._io.tables import read_text_table
from riata.cli.parser import main
from riata.study.response import code_response
from riata.study.survival_times import code_events

N = 90
DECIDED = [
    ("case", "control"),
    ("T2D", "control"),
    ("AD", "ctrl"),
    ("AD", "Healthy Control"),
    ("disease", "healthy"),
    ("Tumor", "Normal"),
    ("malignant", "benign"),
    ("present", "absent"),
    ("affected", "unaffected"),
    ("affected", "not affected"),
    ("yes", "no"),
    ("Y", "N"),
    ("T", "F"),
    ("TRUE", "FALSE"),
    ("+", "-"),
    ("HPV positive", "HPV_negative"),
    ("V600E", "wild-type"),
    ("mutant", "WT"),
    ("smoker", "Non-smoker"),
    ("responder", "nonresponder"),
    ("treated", "untreated"),
    ("T2D", "no diabetes"),
    ("relapse", "relapse-free"),
    ("mild", "none"),
    ("1:DECEASED", "0:LIVING"),
    ("dead", "censored"),
    ("ever", "never"),
]
OPEN = [
    ("AML", "ALL"),
    ("F", "M"),
    ("case", "cases"),
    ("healthy", "normal"),
    ("CN", "AD"),
    ("n", "s"),
    ("a", "b"),
    ("tumor", "metastasis"),
    ("Crohn's disease", "colitis"),
    ("success", "failure"),
    ("cardiac death", "other death"),
    ("present", "past"),
]


@pytest.mark.parametrize("pair", DECIDED)
def test_words_decide(pair):
    case, control = pair
    for labels in (pair, pair[::-1]):
        assert case_of(labels) == case
        response = code_response([*labels, case], "y", loss="binomial")
        assert response.classes == (control, case)
        assert response.values[-1] == 1.0
        assert response.note == f"probability of {case} against {control}"
        events, note = code_events([*labels, case], "e")
        assert events[-1] == 1.0
        assert note.startswith(f"{case} = event, {control} = censored")


@pytest.mark.parametrize("pair", OPEN)
def test_what_words_leave_open_is_asked(pair):
    for labels in (pair, pair[::-1]):
        assert case_of(labels) is None
        for code in (
            lambda cells: code_response(cells, "y", loss="binomial"),
            lambda cells: code_events(cells, "y"),
        ):
            with pytest.raises(
                ValueError, match=r"y: which of .* is to be modelled\? Say --case .* or --case "
            ):
                code([*labels])
        for case in labels:
            response = code_response([*labels], "y", loss="binomial", positive=case)
            assert response.classes[1] == case


@pytest.fixture
def files(tmp_path):
    """Genotypes whose first variant makes cases, and a function that writes the classes under other names."""
    rng = np.random.default_rng(2)
    dosage = rng.binomial(2, 0.4, (N, 3)).astype(float)
    prefix = write_plink(tmp_path / "t", dosage).removesuffix(".bed")
    score = dosage[:, 0] + 0.3 * rng.standard_normal(N)
    case = score > np.median(score)

    def write(name, of_cases, of_controls):
        path = tmp_path / name
        labels = [of_cases if one else of_controls for one in case]
        path.write_text("FID\tIID\td\n" + "".join(f"f{i}\ti{i}\t{label}\n" for i, label in enumerate(labels)))
        return str(path)

    return prefix, write


def effect(out):
    hits = read_text_table(f"{out}.hits.tsv")
    return dict(zip(hits.column("ID"), map(float, hits.column("BETA")), strict=True))["rs0"]


def test_effects_have_one_sign_whatever_classes_are_called(files, tmp_path, capsys):
    prefix, write = files
    fit = ["fit", "--bfile", prefix, "--loss", "binomial", "--alpha", "0.05", "--out"]
    effects = []
    for k, (case, control, more) in enumerate(
        [
            ("2", "1", []),
            ("1", "0", []),
            ("T2D", "control", []),
            ("disease", "healthy", []),
            ("Alpha", "beta", ["--case", "Alpha"]),
            ("zeta", "beta", ["--positive", "zeta"]),
            ("7", "5", ["--case", "7"]),
        ]
    ):
        out = str(tmp_path / f"m{k}")
        pheno = write(f"p{k}.txt", case, control)
        assert main([*fit, out, "--pheno", pheno, *more]) == 0
        effects.append(effect(out))
        said = capsys.readouterr().out
        models = f"probability of {case} against {control}"
        assert models in said or f"coded {control}/{case}, {case} = case" in said
        record = json.loads((tmp_path / f"m{k}.json").read_text())
        assert record["response"]["models"] == models
        assert f"#trait_reported=d ({models})" in (tmp_path / f"m{k}.weights.tsv").read_text()
        assert f"log odds of {case}" in (tmp_path / f"m{k}.html").read_text()
        assert main(["info", f"{out}.path.npz"]) == 0
        assert f"models the {models}" in capsys.readouterr().out

        new = str(tmp_path / "new")
        predict = ["predict", "--bfile", prefix, "--out", new, "--pheno", pheno]
        assert main([*predict, "--model", f"{out}.path.npz"]) == 0
        said = capsys.readouterr().out
        assert f"Scored {N} samples for d ({models})" in said
        auc = [line.split()[1] for line in said.splitlines() if line.strip().startswith("AUC")]
        assert (
            main([*predict, "--weights", f"{tmp_path / 'm0'}.weights.tsv", "--loss", "binomial", *more]) == 0
        )
        said = capsys.readouterr().out
        assert case in said
        assert [line.split()[1] for line in said.splitlines() if line.strip().startswith("AUC")] == auc
        assert float(auc[0]) > 0.8
        assert json.loads((tmp_path / "new.json").read_text())["models"] == ""
    assert_allclose(effects, effects[0], rtol=1e-9)
    assert main([*fit, str(tmp_path / "m"), "--pheno", write("p.txt", "Alpha", "beta")]) == 2
    assert (
        "d: which of Alpha and beta is to be modelled? Say --case Alpha or --case beta"
        in capsys.readouterr().err
    )


def test_a_model_of_the_other_class_is_compared_with_it(files, tmp_path, capsys):
    """Also when the classes are codes: what was named in the fit is modelled in predict."""
    prefix, write = files
    for k, (case, control) in enumerate([("1", "0"), ("2", "1"), ("T2D", "control")]):
        out, pheno = str(tmp_path / f"m{k}"), write(f"p{k}.txt", case, control)
        fit = ["fit", "--bfile", prefix, "--loss", "binomial", "--alpha", "0.05", "--out", out]
        assert main([*fit, "--pheno", pheno, "--case", control, "--quiet"]) == 0
        assert effect(out) < 0.0
        predict = ["predict", "--bfile", prefix, "--model", f"{out}.path.npz", "--out", str(tmp_path / "new")]
        capsys.readouterr()
        assert main([*predict, "--pheno", pheno]) == 0
        said = capsys.readouterr().out
        (auc,) = [float(line.split()[1]) for line in said.splitlines() if line.strip().startswith("AUC")]
        assert auc > 0.8
        assert f"probability of {control} against {case}" in said


def test_phenotypes_in_other_words_than_those_of_the_fit(files, tmp_path, capsys):
    """A model of words is compared with codes and with other words, and it is told which are the cases."""
    prefix, write = files
    out = str(tmp_path / "m")
    fit = ["fit", "--bfile", prefix, "--loss", "binomial", "--alpha", "0.05", "--out", out, "--quiet"]
    assert main([*fit, "--pheno", write("p.txt", "T2D", "control")]) == 0
    for case, control, told in (
        ("2", "1", "d: coded 1/2, 2 = case"),
        ("yes", "no", "d: probability of yes against no"),
    ):
        predict = ["predict", "--bfile", prefix, "--model", f"{out}.path.npz", "--out", str(tmp_path / "new")]
        assert main([*predict, "--pheno", write("q.txt", case, control)]) == 0
        said = capsys.readouterr().out
        assert told in said
        (auc,) = [float(line.split()[1]) for line in said.splitlines() if line.strip().startswith("AUC")]
        assert auc > 0.8
