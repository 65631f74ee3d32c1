"""Cox regression from the command line: columns of times and events, folds and parts, scores, refusals."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from commands import read_tsv, run
from numpy.testing import assert_allclose, assert_array_equal
from support import SHARED

import riata
from riata.report.charts.survival import kaplan_meier, thirds
from riata.study.loading import load_study
from riata.study.options import StudyOptions
from riata.study.survival_times import TIMES, code_events, code_times

PARTS = ("train", "train", "validation", "test")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Simulated genotypes, and a table of times, events in three codings, entries, centres and parts."""
    prefix = tmp_path_factory.mktemp("survival") / "s"
    riata.simulate_genotypes(prefix, 160, 250, n_chromosomes=2, missing=0.02, h2=0.7, n_causal=4, seed=5)
    rows = [line.split() for line in Path(f"{prefix}.pheno.txt").read_text().splitlines()[1:]]
    rng = np.random.default_rng(1)
    lines = ["FID IID months died plink status since centre part age"]
    for i, (fid, iid, value) in enumerate(rows):
        age = rng.integers(40, 80)
        time = np.ceil(20 * rng.exponential(np.exp(-1.2 * float(value) - 0.03 * (age - 60))) + 1)
        end = np.ceil(60 * rng.random()) + 1
        died = int(time <= end)
        months = "NA" if i == 3 else f"{min(time, end):g}"
        code = "-9" if i == 4 else str(died + 1)
        since = f"{max(min(time, end) - 1 - rng.integers(0, 20), 0):g}" if i != 5 else "500"
        status = "deceased" if died else "alive"
        where = "NA" if i == 6 else "north" if i % 3 else "south"
        lines.append(f"{fid} {iid} {months} {died} {code} {status} {since} {where} {PARTS[i % 4]} {age}")
    table = prefix.parent / "table.txt"
    table.write_text("\n".join(lines) + "\n")
    return str(prefix), str(table)


def flags(files, event="died"):
    prefix, table = files
    return ["--bfile", prefix, "--pheno", table, "--loss", "cox", "--time", "months", "--event", event]


def options(files, **given):
    prefix, table = files
    return StudyOptions(**{"bfile": prefix, "pheno": table, "loss": "cox", "time": "months", **given})


def test_codings_of_events_agree(files):
    plain = load_study(options(files, event="died"))
    assert plain.y.dtype == TIMES
    assert plain.join.dropped == [("months missing", ["s4"])] or plain.join.dropped[0][0] == "months missing"
    for given in ({"event": "status"}, {"event": "status", "positive": "deceased"}):
        assert_array_equal(load_study(options(files, **given)).y, plain.y)
    by_plink = load_study(options(files, event="plink"))
    assert [why for why, _ in by_plink.join.dropped] == ["months missing", "plink missing"]
    kept = np.isin(plain.samples.iid, by_plink.samples.iid)
    assert_array_equal(by_plink.y, plain.y[kept])
    other = load_study(options(files, event="status", positive="alive"))
    assert_array_equal(other.y["event"], ~plain.y["event"])


def test_entry_and_strata(files):
    study = load_study(options(files, event="died", entry="since", strata="centre"))
    assert [why for why, _ in study.join.dropped] == [
        "months missing", "never at risk: since is not before months", "stratum missing"
    ]  # fmt: skip
    target = study.target
    assert np.all(target["start"] < target["y"][:, 0])
    assert len(np.unique(target["strata"])) == 2
    assert target["ties"] == "breslow"
    assert study.join.notes[0] == "died: 1 = event, 0 = censored; late entry; 2 strata"


def test_fit_is_that_of_the_library(files, tmp_path):
    out = tmp_path / "fit"
    more = ["--entry", "since", "--strata", "centre", "--ties", "efron", "--covar", files[1]]
    assert (
        run("fit", *flags(files), *more, "--covar-name", "age", "--alphas", 20, "--out", out, "--quiet") == 0
    )
    study = load_study(
        options(
            files, event="died", entry="since", strata="centre", ties="efron", covar=files[1],
            covar_name=("age",),
        )
    )  # fmt: skip
    direct = riata.fit_path(
        study.X,
        np.column_stack([study.y["time"], study.y["event"]]),
        loss="cox",
        start=study.y["start"],
        strata=study.y["stratum"],
        ties="efron",
        penalty_factor=study.penalty_factor,
        alphas=20,
    )
    assert_array_equal(riata.load(f"{out}.path.npz").coefs.toarray(), direct.coefs.toarray())
    hits = read_tsv(f"{out}.hits.tsv")
    assert_allclose(np.exp(np.array(hits["BETA"], float)), np.array(hits["HR"], float), rtol=1e-8)
    header = Path(f"{out}.weights.tsv").read_text().splitlines()
    assert "#weight_type=log(HR)" in header
    assert "#trait_reported=died" in header
    record = json.loads(Path(f"{out}.json").read_text())
    assert record["response"] == {
        "name": "died", "loss": "cox", "classes": [], "time": "months", "event": "died", "entry": "since",
        "strata": "centre", "ties": "efron", "events": int(study.y["event"].sum()),
    }  # fmt: skip


@pytest.mark.parametrize("scoring", ["deviance", "concordance"])
def test_parts_choose_and_judge(files, tmp_path, capsys, scoring):
    out = tmp_path / "fit"
    parts = ["--split", "part", "--scoring", scoring, "--eps", 0.1, "--alphas", 15, "--covar", files[1]]
    assert run("fit", *flags(files), *parts, "--covar-name", "age", "--out", out) == 0
    study = load_study(options(files, event="died", split="part", covar=files[1], covar_name=("age",)))
    path, held = riata.load(f"{out}.path.npz"), study.part("validation")
    record = json.loads(Path(f"{out}.json").read_text())

    def links(part):
        X = part.main.to_numpy()
        X = np.hstack([np.where(np.isnan(X), path.mean[: X.shape[1]], X), part.covariates])
        return X @ path.coefs.toarray()

    y = np.concatenate([study.y, held.y])
    eta = np.vstack([path.predict(study.X, kind="link"), links(held)])
    scores = []
    for k in range(len(path)):
        if scoring == "concordance":
            scores.append(riata.evaluate(
                np.column_stack([held.y["time"], held.y["event"]]), links(held)[:, k], loss="cox"
            ).measures["concordance"].value)  # fmt: skip
            continue
        value = []
        for rows in (np.arange(len(y)), np.arange(study.n_samples)):  # minus the log partial likelihood
            total = 0.0
            for i in rows[y["event"][rows]]:
                at_risk = rows[y["time"][rows] >= y["time"][i]]
                total += np.log(np.exp(eta[at_risk, k]).sum()) - eta[i, k]
            value.append(total)
        scores.append(2.0 * (value[0] - value[1]) / len(held.y))
    assert_allclose(record["validation"]["scores"], scores, rtol=1e-8)
    best = np.argmax(scores) if scoring == "concordance" else np.argmin(scores)
    assert record["selected"]["alpha"] == pytest.approx(path.alphas[best])
    test, chosen = study.part("test"), links(study.part("test")) @ np.eye(len(path))[best]
    found = riata.evaluate(np.column_stack([test.y["time"], test.y["event"]]), chosen, loss="cox")
    assert record["evaluation"]["concordance"]["value"] == pytest.approx(found.measures["concordance"].value)
    assert record["evaluation"]["n_cases"] == int(test.y["event"].sum())
    assert "concordance added to the covariates" in capsys.readouterr().out
    assert "Kaplan-Meier curves by thirds" in Path(f"{out}.html").read_text()


def test_predict_and_report(files, tmp_path, capsys):
    prefix, table = files
    out, new = tmp_path / "cv", tmp_path / "new"
    assert run("cv", *flags(files, "plink"), "--cv", 4, "--alphas", 15, "--eps", 0.1, "--out", out) == 0
    assert "concordance" in capsys.readouterr().out
    page = Path(f"{out}.html").read_text()
    for text in (
        "the hazard of plink",
        "lowest third",
        "at risk",
        "share still without the event (plink)",
        "share without the event",
        "sparse Cox regression",
    ):
        assert text in page
    model = ["--model", f"{out}.path.npz", "--bfile", prefix]
    assert run("predict", *model, "--pheno", table, "--out", new) == 0
    said = capsys.readouterr().out
    scores = read_tsv(f"{new}.scores.tsv")
    link, ratio = np.array(scores["LINEAR_PREDICTOR"], float), np.array(scores["HAZARD_RATIO"], float)
    assert len(link) == 160  # those without a time as well
    assert_allclose(np.log(ratio) - link, (np.log(ratio) - link)[0], rtol=1e-7)
    path = riata.load(f"{out}.path.npz").path
    alpha = json.loads(Path(f"{out}.json").read_text())["selected"]["alpha"]
    geno = riata.open_genotypes(prefix)
    X = geno.to_numpy()
    assert_allclose(link, np.where(np.isnan(X), path.mean, X) @ path.coef(alpha), atol=1e-7)
    study = load_study(options(files, event="plink"))
    kept = np.isin(geno.samples.iid, study.samples.iid)
    expected = riata.evaluate(study.target["y"], link[kept], loss="cox").measures["concordance"].value
    assert f"concordance  {expected:.4f}" in said

    assert run("report", "--model", f"{out}.path.npz", "--out", tmp_path / "again", "--quiet") == 0
    again = Path(tmp_path / "again.html").read_text()
    assert "lowest third" in again
    weights = ["--weights", f"{out}.weights.tsv", "--bfile", prefix, "--loss", "cox", "--pheno", table]
    assert run("predict", *weights, "--time", "months", "--event", "plink", "--out", new) == 0
    assert f"concordance  {expected:.4f}" in capsys.readouterr().out
    assert run("info", f"{out}.path.npz") == 0
    assert "time = months, event = plink" in capsys.readouterr().out


def test_resume_keeps_the_bits(files, tmp_path, monkeypatch):
    from riata._io.progress import Progress
    from riata.path import fit as fitting

    def stop(self, done, *rest):
        self.interrupted = done >= 7
        return not self.interrupted

    monkeypatch.setattr(fitting, "CHECKPOINT_SECONDS", 0.0)
    arguments = ["cv", *flags(files), "--entry", "since", "--cv", 3, "--alphas", 20, "--quiet", "--out"]
    assert run(*arguments, tmp_path / "whole") == 0
    with monkeypatch.context() as patch:
        patch.setattr(Progress, "__call__", stop)
        assert run(*arguments, tmp_path / "cut") == 130
    assert run(*arguments, tmp_path / "cut", "--resume") == 0
    whole, cut = (riata.load(tmp_path / f"{name}.path.npz") for name in ("whole", "cut"))
    assert_array_equal(whole.path.coefs.toarray(), cut.path.coefs.toarray())
    assert_array_equal(whole.scores, cut.scores)


@pytest.mark.parametrize(
    ("cells", "positive", "events"),
    [
        (["1", "0", "NA", "1.0"], None, [1, 0, np.nan, 1]),
        (["2", "1", "-9"], None, [1, 0, np.nan]),
        (["1", "1"], None, [1, 1]),
        (["1:DECEASED", "0:LIVING"], None, [1, 0]),
        (["a", "b", "c"], "b", [0, 1, 0]),
        (["0.0", "1.0", "2.0"], "2", [0, 0, 1]),  # a competing event counts as censoring
    ],
)
def test_events(cells, positive, events):
    assert_array_equal(code_events(cells, "e", positive=positive)[0], events)


@pytest.mark.parametrize(
    ("cells", "positive", "message"),
    [
        (["0", "1", "2"], None, r"0, 1 and 2: .* --missing-code 0,-9, .* --case"),
        (["3", "4"], None, r"must hold 0/1 .* got 3, 4"),
        (["0", "0", "NA"], None, "no sample has an event, all 2 are censored"),
        (["a", "b"], None, "which of a and b is to be modelled. Say --case a or --case b"),
        (["a", "b", "c"], None, "needs two labels, or --case"),
        (["a", "b"], "z", "'z' is none of its labels a, b"),
        (["NA", "-9"], None, "every value is missing"),
    ],
)
def test_events_that_could_mean_two_things_are_refused(cells, positive, message):
    with pytest.raises(ValueError, match=message):
        code_events(cells, "e", positive=positive)


def test_times_of_zero_and_below_are_times():
    response, reasons = code_times(
        ["0", "-2", "3"], ["1", "0", "1"], None, None, names=("t", "e", ""), missing_code="NA"
    )
    assert_array_equal(response.values["time"], [0.0, -2.0, 3.0])
    assert not any(bad.any() for _, bad in reasons)
    response, reasons = code_times(["-9", "-2", "3"], ["1", "0", "1"], None, None, names=("t", "e", ""))
    assert_array_equal(response.values["time"], [np.nan, -2.0, 3.0])
    told = "t: -9 counts as missing (1 sample) though others are negative (-2): --missing-code NA keeps -9"
    assert f"; {told}" in response.note


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            ["--pheno-name", "died"],
            "--pheno-name: --loss cox takes its response from --time NAME and --event",
        ),
        (["--time", "when"], "no column 'when'"),
        (["--scoring", "auc", "--split", "part"], "scoring must be one of ['deviance', 'concordance']"),
        (["--loss", "gaussian"], "--time needs --loss cox"),
        (["--entry", "months"], "no sample is left"),
        (["--ties", "exact"], "invalid choice 'exact'"),
    ],
)
def test_refusals(files, tmp_path, capsys, more, message):
    assert run("fit", *flags(files), *more, "--out", tmp_path / "x", "--quiet") == 2
    said = capsys.readouterr().err
    assert re.fullmatch(r"riata: error: [^\n]+\n", said)
    assert message in said
    assert not list(tmp_path.iterdir())


def test_kaplan_meier_by_hand():
    y = np.zeros(6, dtype=TIMES)
    y["time"], y["event"] = [1, 2, 2, 3, 4, 5], [True, True, False, False, True, False]
    y["start"] = [-np.inf, -np.inf, 0, 2, 2, -np.inf]  # those that enter at 2 are not at risk then
    times, share = kaplan_meier(y)
    assert_array_equal(times, [1, 2, 4])
    assert_allclose(share, np.cumprod([1 - 1 / 4, 1 - 1 / 3, 1 - 1 / 2]))
    groups = thirds(y, np.array([3, 3, 1, 2, 1, 2.0]))
    assert [(group.name, len(group.y)) for group in groups] == [
        ("highest third", 2), ("middle third", 2), ("lowest third", 2)
    ]  # fmt: skip
    assert len(thirds(y, np.ones(6))) == 1


@pytest.mark.skipif(not (SHARED / "nki70.npz").exists(), reason="the data set is not here")
def test_nki70(tmp_path, capsys):
    kept = np.load(SHARED / "nki70.npz")
    names = [f"g{j}" for j in range(kept["X"].shape[1])]
    lines = [",".join(["sample", *names, "months", "died"])]
    for i, row in enumerate(kept["X"]):
        values = [*map(float, row), float(kept["time"][i]), int(kept["event"][i])]
        lines.append(",".join([f"p{i}", *map(repr, values)]))
    (tmp_path / "nki70.csv").write_text("\n".join(lines) + "\n")
    arguments = ["--matrix", tmp_path / "nki70.csv", "--loss", "cox", "--time", "months", "--event", "died"]
    assert run("cv", *arguments, "--scoring", "concordance", "--out", tmp_path / "nki") == 0
    said = capsys.readouterr().out
    assert "144 samples, 48 of them with an event" in said
    record = json.loads((tmp_path / "nki.json").read_text())
    assert record["fit"]["largest_gap"] <= 1e-6
    assert 0.65 < record["evaluation"]["concordance"]["value"] < 0.85
    direct = riata.cv_path(
        kept["X"].astype(float), np.column_stack([kept["time"], kept["event"]]), loss="cox",
        scoring="concordance",
    )  # fmt: skip
    assert record["cross_validation"]["alpha_min"] == pytest.approx(direct.alpha_min)


def test_times_that_a_program_computed_are_tied():
    """A column of 17 digits holds 0.1 + 0.2 and 0.3: one time, in curves too; entry there is too late."""
    cells = ["0.30000000000000004", "0.3", "0.5", "NA", "0.3", "0.7"]
    entry = ["0", "0", "0.1", "0", "0.29999999999999999", "0.30000000000000004"]
    response, reasons = code_times(
        cells, ["1", "1", "1", "1", "1", "0"], entry, None, names=("t", "e", "s"), missing_code=None
    )
    y = response.values
    assert y["time"][0] == y["time"][1] == 0.3
    assert [why for why, bad in reasons if bad[4]] == ["never at risk: s is not before t"]
    assert y["start"][5] == 0.3
    times, survival = kaplan_meier(y[[0, 1, 2, 5]])
    assert times.tolist() == [0.3, 0.5]
    assert_allclose(survival, [1 / 3, 1 / 6])  # three at risk at 0.3: who enters then is not
    group = thirds(y[[0, 1, 2, 5]], np.zeros(4))[0]
    assert group.at_risk(3 * 0.1) == group.at_risk(0.3) == 3
    assert group.at_risk(0.31) == 2


def test_new_samples_without_events_are_not_taken_for_events(files, tmp_path, capsys):
    """1 of 1/2 means censored in the fit: alone among new samples it does not mean an event."""
    prefix, table = files
    out = tmp_path / "m"
    assert run("fit", *flags(files, "plink"), "--alpha", 0.1, "--quiet", "--out", out) == 0
    rows = [line.split() for line in Path(table).read_text().splitlines()]
    event = rows[0].index("plink")
    few = tmp_path / "few.txt"
    model = [
        "predict",
        "--model",
        f"{out}.path.npz",
        "--bfile",
        prefix,
        "--pheno",
        few,
        "--out",
        tmp_path / "new",
    ]
    for kept, message in (
        ({"1"}, "plink: no sample has an event: 1 meant censored in the fit"),
        ({"1", "2"}, ""),
        ({"2"}, ""),
    ):
        few.write_text("\n".join(" ".join(row) for row in rows if row[event] in {"plink", *kept}) + "\n")
        assert run(*model) == (2 if message else 0)
        assert message in capsys.readouterr().err
