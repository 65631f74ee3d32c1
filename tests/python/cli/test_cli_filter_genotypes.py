"""``riata select --fdr`` of genotypes: resolutions with knockoffs of their own, nested, and a record."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import read_tsv, run
from genotype_files import write_phased_bgen

import riata
from riata.knockoffs import Haplotypes

VARIANT = ["CHROM", "POS", "ID", "EFFECT_ALLELE", "OTHER_ALLELE", "EAF"]
GROUP = ["GROUP", "FROM", "TO", "N_VARIANTS"]
SCORES = ["BETA", "W", "Q_VALUE"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run at two resolutions that keeps its knockoffs."""
    folder = tmp_path_factory.mktemp("filter")
    riata.simulate_genotypes(folder / "g", 400, 300, n_chromosomes=2, n_causal=12, h2=0.9, seed=2)
    asked = ["select", "--bfile", folder / "g", "--fdr", 0.3, "--ld-groups", "0.5,0.1", "--seed", 4]
    assert run(*asked, "--keep-knockoffs", "--quiet", "--out", folder / "o") == 0
    return folder


@pytest.mark.filterwarnings("ignore::riata.knockoffs.KnockoffWarning")  # simulated ones are no mosaics
def test_each_resolution_is_that_of_python(finished):
    study = riata.open_genotypes(finished / "g")
    y = np.array([float(v) for v in study.samples["phenotype"]])
    sampler = Haplotypes(random_state=4).fit(study)
    for r2 in (0.1, 0.5):
        groups = riata.ld_groups(study, r2=r2)
        made = sampler.draw(study, groups=groups, random_state=4)
        kept = riata.open_genotypes(finished / f"o.r2_{r2}.knockoffs")
        np.testing.assert_array_equal(kept.to_numpy(), made.X.to_numpy())
        found = riata.knockoff_selection(study, y, groups=groups, knockoffs=made, fdr=0.3, random_state=4)
        written = read_tsv(finished / f"o.r2_{r2}.selected.tsv")
        nested = [] if r2 == 0.1 else ["WITHIN", "WITHIN_SELECTED"]
        assert list(written) == [*GROUP, *VARIANT, *SCORES, *nested]
        assert written["GROUP"] == [groups.names[k] for k in found.selected]
        assert len(written["GROUP"]) > 0
        assert np.allclose([float(w) for w in written["W"]], found.W[found.selected])
        every = read_tsv(finished / f"o.r2_{r2}.statistics.tsv")
        assert every["GROUP"] == [groups.names[k] for k in found.ranked]
        assert riata.load(finished / f"o.r2_{r2}.selection.npz").selected.tolist() == found.selected.tolist()


def test_lists_are_nested(finished):
    study = riata.open_genotypes(finished / "g")
    coarse, fine = (read_tsv(finished / f"o.r2_{r2}.selected.tsv") for r2 in (0.1, 0.5))
    groups = riata.ld_groups(study, r2=0.1)
    names = list(study.variants.id)
    for lead, within, too in zip(fine["ID"], fine["WITHIN"], fine["WITHIN_SELECTED"], strict=True):
        assert names.index(lead) in groups[within]
        assert too == ("yes" if within in coarse["GROUP"] else "no")


def test_page_and_record(finished):
    page = (finished / "o.html").read_text()
    assert "All lists taken together do not have it" in page
    assert "at 2 resolutions" in page
    assert "Along the genome" in page
    assert page.index("What was selected at r\u00b2 \u2265 0.1") < page.index(
        "What was selected at r\u00b2 \u2265 0.5"
    )
    record = json.loads((finished / "o.json").read_text())["knockoffs"]
    assert [one["ld_groups"] for one in record["lists"]] == [0.1, 0.5]
    assert record["seed"] == 4
    assert len(record["kept"]) == 2
    assert all(Path(file).exists() for file in record["kept"])
    assert not list(finished.glob("*checkpoint*"))


def test_kept_knockoffs_serve_again(finished, tmp_path):
    asked = ["select", "--bfile", finished / "g", "--fdr", 0.3, "--ld-groups", 0.5, "--seed", 4, "--quiet"]
    assert run(*asked, "--knockoffs", finished / "o.r2_0.5.knockoffs", "--out", tmp_path / "o") == 0
    first, second = read_tsv(finished / "o.r2_0.5.statistics.tsv"), read_tsv(tmp_path / "o.statistics.tsv")
    assert first == second


def test_kept_knockoffs_are_for_the_groups_they_were_made_for(finished, tmp_path, capsys):
    """Groups at r2 0.1 are coarser than those at 0.5, which are coarser than single variants."""
    asked = ["select", "--bfile", finished / "g", "--fdr", 0.3, "--quiet", "--out", tmp_path / "o"]
    coarse, fine = (finished / f"o.r2_{r2}.knockoffs.bed" for r2 in (0.1, 0.5))
    study = riata.open_genotypes(finished / "g")
    for r2, file in ((0.1, coarse), (0.5, fine)):
        back = riata.knockoffs.Knockoffs.load(file)
        assert np.array_equal(back.labels, riata.ld_groups(study, r2=r2).labels)
        assert np.array_equal(back.fixed, study.monomorphic())
    for file, r2 in ((coarse, "none"), (coarse, 0.5), (fine, "none")):
        assert run(*asked, "--knockoffs", file, "--ld-groups", r2) == 2
        told = capsys.readouterr().err
        assert f"--knockoffs {file} was made for groups that are parted here: " in told
        first, second = told.split("parted here: ")[1].split(" change places")[0].split(" and ")
        ids = list(study.feature_names)
        labels = riata.knockoffs.Knockoffs.load(file).labels
        assert labels[ids.index(first)] == labels[ids.index(second)]
        assert "give --ld-groups as when it was made, or coarser groups" in told
    for file, r2 in ((coarse, 0.1), (fine, 0.1)):
        assert run(*asked, "--knockoffs", file, "--ld-groups", r2) == 0


def test_populations_have_models_of_their_own(finished, tmp_path, monkeypatch):
    """The column becomes labels of the samples in use, whatever the order of its file."""
    seen = []

    class Watched(Haplotypes):
        def fit(self, X, **given):
            seen.append(dict(zip(X.samples.iid, self.strata, strict=True)))
            assert (self.related, self.n_clusters) == ("ok", 4)
            return super().fit(X, **given)

    monkeypatch.setattr(riata.knockoffs, "Haplotypes", Watched)
    study = riata.open_genotypes(finished / "g")
    ids = [f"{fid}\t{iid}" for fid, iid in zip(study.samples.fid, study.samples.iid, strict=True)]
    lines = [f"{name}\t{'NA' if i % 50 == 0 else 'AB'[i % 2]}" for i, name in enumerate(ids)]
    (tmp_path / "pop.tsv").write_text("\n".join(["FID\tIID\tpop", *lines[::-1]]) + "\n")
    (tmp_path / "y.tsv").write_text(
        "\n".join(["FID\tIID\ty", *(f"{n}\t{i % 7}" for i, n in enumerate(ids))]) + "\n"
    )
    asked = [
        "select",
        "--bfile",
        finished / "g",
        "--pheno",
        tmp_path / "y.tsv",
        "--pheno-name",
        "y",
        "--fdr",
        0.3,
    ]
    asked += ["--covar", tmp_path / "pop.tsv", "--populations", "pop", "--ld-groups", 0.1, "--quiet"]
    asked += ["--related", "ok", "--clusters", 4]
    assert run(*asked, "--out", tmp_path / "o") == 0
    assert len(seen[0]) == 392
    wanted = {str(iid): "AB"[i % 2] for i, iid in enumerate(study.samples.iid) if i % 50}
    assert {str(iid): label for iid, label in seen[0].items()} == wanted


def test_phased_genotypes(tmp_path, capsys):
    pytest.importorskip("bgen")
    rng = np.random.default_rng(5)
    haplotypes = (rng.random((2, 40, 300)) < rng.uniform(0.2, 0.8, (40, 1))).astype(float)
    file = write_phased_bgen(tmp_path / "g", haplotypes)
    y = haplotypes.sum(axis=0)[::4].sum(axis=0) + rng.standard_normal(300)
    lines = [f"0\ti{i}\t{value}" for i, value in enumerate(y)]
    (tmp_path / "y.tsv").write_text("\n".join(["FID\tIID\ty", *lines]) + "\n")
    asked = ["select", "--bgen", file, "--pheno", tmp_path / "y.tsv", "--pheno-name", "y", "--fdr", 0.3]
    asked += ["--ld-groups", 0.5, "--phased", "--quiet"]
    assert run(*asked, "--clusters", 12, "--keep-knockoffs", "--out", tmp_path / "o") == 0
    study = riata.open_genotypes(file)
    sampler = Haplotypes(n_clusters=12, random_state=0, phased=True).fit(study)
    made = sampler.draw(study, groups=riata.ld_groups(study, r2=0.5))
    kept = riata.open_genotypes(tmp_path / "o.knockoffs.bed")
    np.testing.assert_array_equal(kept.to_numpy(), made.X.to_numpy())
    ready = tmp_path / "o.knockoffs.bed"
    for kind, why in (
        ("gaussian", "--phased is for knockoffs of genotypes by haplotypes"),
        (ready, "--phased is for knockoffs that are drawn here"),
    ):
        assert run(*asked, "--knockoffs", kind, "--out", tmp_path / "p") == 2
        assert why in capsys.readouterr().err
    asked[2] = write_phased_bgen(tmp_path / "unsure", 0.2 + haplotypes / 2.0)
    assert run(*asked, "--out", tmp_path / "p") == 2
    assert "--phased is for knockoffs by haplotypes, which dosages do not have" in capsys.readouterr().err
