"""``riata demo``: two kinds of leukemia told apart by a handful of genes, on data that ships with riata."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io import stopping, streams
from riata._io.output_files import OutputSet
from riata._io.tables import Table, text_array
from riata.cli.choosing import choose_alpha
from riata.cli.fit import fit_study
from riata.cli.log import Log
from riata.cli.manifest import manifest, today, version
from riata.cli.options import DemoOptions, FitOptions, LimitOptions, ModelOptions, OutputOptions
from riata.cli.outputs import FIT_OUTPUTS, write_fit
from riata.path.certificates import certificate_text
from riata.path.path_values import nearest
from riata.report.fit_page import fit_facts, hits_lines
from riata.report.page import Fact, Page, Section, code, table
from riata.report.sections import certificate_section, cv_section, hits_section, path_section
from riata.study.account import account_of, describe_active
from riata.study.fit_result import Fitted, seconds_text
from riata.study.fold_plan import plan_folds
from riata.study.hits import Hits
from riata.study.joining import JoinReport
from riata.study.options import FoldOptions, StudyOptions
from riata.study.response import Response
from riata.study.study import Study

CLASSES = ("ALL", "AML")
FOLDS = 10
REFERENCE = (
    "Golub et al. (1999). Molecular classification of cancer: class discovery and class prediction by "
    "gene expression monitoring. Science 286, 531-537."
)


@dataclass(frozen=True)
class Leukemia:
    """The shipped data: expression (72 patients x 7,129 genes), 1 for AML, and who is in the training set."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    is_train: NDArray[np.bool_]
    genes: NDArray[Any]


def load_leukemia() -> Leukemia:
    """Read the leukemia expression set that comes with riata (Golub et al. 1999)."""
    with as_file(files("riata") / "data" / "golub.npz") as file, np.load(file, allow_pickle=False) as data:
        return Leukemia(
            X=data["X"].astype(np.float64),
            y=data["y"].astype(np.float64),
            is_train=data["is_train"].astype(bool),
            genes=data["feature_names"],
        )


def gene_symbols() -> dict[str, str]:
    """Return gene symbols by GenBank accession, for the probe sets most often selected."""
    text = (files("riata") / "data" / "golub_symbols.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()[1:]]
    return {accession: symbol for accession, symbol, _ in rows}


def named(probe: str, symbols: dict[str, str]) -> str:
    """Return ``ZYX (X95735_at)`` for a probe set whose gene is known, else its own name."""
    symbol = symbols.get(probe.split("_")[0])
    return probe if symbol is None else f"{symbol} ({probe})"


def training_study(data: Leukemia) -> Study:
    """Return the 38 training patients as a study."""
    rows = np.flatnonzero(data.is_train)
    y = data.y[rows]
    X = np.asfortranarray(data.X[rows])
    constant = np.flatnonzero(X.min(axis=0) == X.max(axis=0))
    symbols = gene_symbols()
    names = [named(str(probe), symbols) for probe in data.genes]
    ids = text_array([f"patient {i + 1}" for i in rows])
    return Study(
        main=X,
        y=y,
        response=Response("leukemia type", "binomial", y, CLASSES, "probability of AML against ALL"),
        features=Table({"name": text_array(names)}),
        covariate_names=[],
        covariates=np.empty((len(rows), 0)),
        excluded=[(int(j), "constant") for j in constant],
        samples=Table({"id": ids}),
        join=JoinReport("the training set", len(rows), n_analysed=len(rows)),
        files=[],
        noun="genes",
    )


def run_demo(options: DemoOptions) -> int:
    """Run the demonstration and write its report beside the reader."""
    data = load_leukemia()
    study = training_study(data)
    log = Log()
    log.say(*introduction(data, study), "")
    folds = FoldOptions(cv=FOLDS)
    asked = FitOptions(
        command=options.command,
        study=StudyOptions(),
        model=ModelOptions(),
        folds=folds,
        limits=LimitOptions(threads=options.threads),
        output=OutputOptions(options.out),
    )
    with OutputSet(options.out, FIT_OUTPUTS) as outputs:
        began = time.perf_counter()
        plan = plan_folds([study], [np.arange(study.n_samples)], study.n_samples, folds, "deviance")
        cv, interrupted, messages, spent = fit_study(study, asked, plan)
        alpha, rule = choose_alpha(cv, asked.model)
        hits = Hits(describe_active(study, cv.path), cv.path, alpha, ())
        probability = np.asarray(cv.path.predict(data.X, alpha))
        fitted = Fitted(
            account=account_of(study, hits.source.positions), study=study,
            fit=cv, hits=hits, alpha=alpha, rule=rule, prefix=options.out, version=version(),
            command=options.command.line, date=today(), seconds={"fit": spent}, interrupted=interrupted,
            warnings=messages,
        )  # fmt: skip
        result = Outcome.of(data, probability)
        log.say(*findings(fitted, result))
        record = manifest(fitted, options.command)
        record["data"] = REFERENCE
        record["accuracy"] = {"training": list(result.training), "test": list(result.test)}
        record["seconds"]["total"] = time.perf_counter() - began
        write_fit(outputs, fitted, demo_page(fitted, result), record, log)
    log.say(
        "",
        f"Next: open {options.out}.html in a browser, then try your own data, for example",
        "  riata cv --matrix expression.csv --target relapse --loss binomial --out results/relapse",
        "  riata cv --bfile study --pheno traits.txt --pheno-name height --out results/height",
    )
    if interrupted:
        streams.tell(f"riata: {stopping.told()}; the path so far was kept")
        return stopping.exit_status()
    return 0


@dataclass(frozen=True)
class Outcome:
    """Right calls: (right, all) in the training and the test set, and the test set by class."""

    training: tuple[int, int]
    test: tuple[int, int]
    confusion: tuple[tuple[int, int], tuple[int, int]]

    @classmethod
    def of(cls, data: Leukemia, probability: NDArray[np.float64]) -> Outcome:
        """Count right calls; a probability above one half says AML."""
        said, truth, train = probability > 0.5, data.y > 0.5, data.is_train
        right = said == truth

        def cell(is_aml: bool, called_aml: bool) -> int:
            return int(np.sum(~train & (truth == is_aml) & (said == called_aml)))

        return cls(
            training=(int(right[train].sum()), int(train.sum())),
            test=(int(right[~train].sum()), int((~train).sum())),
            confusion=((cell(False, False), cell(False, True)), (cell(True, False), cell(True, True))),
        )


def introduction(data: Leukemia, study: Study) -> list[str]:
    """Return what the demonstration is about."""
    n, p = data.X.shape
    aml = int(study.y.sum())
    return [
        f"riata {version()} demo: which genes tell two leukemias apart?",
        "",
        f"  {n} patients, {p:,} genes measured on each (Golub et al. 1999, Science 286:531).",
        f"  {study.n_samples} patients to learn from: {study.n_samples - aml} with acute lymphoblastic "
        f"leukemia (ALL), {aml} with acute myeloid (AML).",
        f"  {n - study.n_samples} others, kept aside, to test on. The task: to predict well with few genes.",
        "",
        f"Fitting sparse logistic regressions at 100 penalties, and again with each of {FOLDS} folds held "
        "out ...",
    ]


def findings(fitted: Fitted, result: Outcome) -> list[str]:
    """Return what was found, for the terminal."""
    path, cv = fitted.path, fitted.cv
    (right, n), (right_train, n_train) = result.test, result.training
    lines = [
        f"  {len(path.alphas)} penalties x {1 + FOLDS} fits in {seconds_text(fitted.seconds['fit'])}, "
        f"{path.n_passes:.1f} passes over the data",
        f"  {certificate_text(path)}",
        "",
        f"Cross-validation chose penalty alpha {fitted.alpha:.4g}, which keeps {len(fitted.hits)} genes:",
        *(f"  {line}" for line in hits_lines(fitted.hits, 20, genotypes=False)),
        "  both are log odds of AML; beta is for one unit of expression",
        "",
        "Does it predict?",
        f"  {right} of {n} test patients classified correctly ({100 * right / n:.0f} %); {right_train} of "
        f"{n_train} training patients",
    ]
    if cv.alpha_1se != cv.alpha_min:
        sparse = int(fitted.n_active[nearest(path.alphas, cv.alpha_1se)])
        lines.append(
            f"  (the one-standard-error rule would keep only {sparse} genes, at alpha {cv.alpha_1se:.4g})"
        )
    return lines + [f"  warning: {text}" for text in fitted.warnings]


def demo_page(fitted: Fitted, result: Outcome) -> Page:
    """Return the report of the demonstration."""
    right, n = result.test
    (a, b), (c, d) = result.confusion
    facts = {fact.what: fact for fact in fit_facts(fitted)}
    page = Page(
        title=f"{len(fitted.hits)} genes out of {fitted.study.n_features:,} tell two leukemias apart",
        lead=(
            f"From {fitted.study.n_samples} patients with acute lymphoblastic (ALL) or acute myeloid "
            f"leukemia (AML), riata picked {len(fitted.hits)} genes by cross-validated sparse logistic "
            f"regression. On {n} other patients, never seen before, the rule they form is right for "
            f"{right}."
        ),
        kicker=f"demo \u00b7 {fitted.date}",
        footer=[f"Made by riata {fitted.version} on {fitted.date}.", f"Data: {REFERENCE}"],
    )
    page.facts = [
        Fact("Test patients classified correctly", f"{right} of {n}", f"{100 * right / n:.0f} %", good=True),
        Fact("Genes selected", str(len(fitted.hits)), f"of {fitted.study.n_features:,} measured"),
        *(fact for what, fact in facts.items() if what.startswith("Cross-validated")),
        facts["Certificate"],
        facts["Passes over the data"],
        Fact(
            "Time to fit",
            facts["Time to fit"].value,
            f"{len(fitted.path.alphas)} penalties, {1 + FOLDS} fits each",
        ),
    ]
    confusion = table(
        [
            ("True type", CLASSES), ("Called ALL", (a, c)), ("Called AML", (b, d)),
            ("Correct", (f"{a} of {a + b}", f"{d} of {c + d}")),
        ],
        numeric=("Called ALL", "Called AML", "Correct"), strong="True type",
    )  # fmt: skip
    python = code(
        f'import riata\n\ncv = riata.load("{fitted.prefix}.path.npz")\ncv.plot()                 # the '
        "curve above\n"
        "cv.path.plot(labels=8)    # the paths above\n"
        f"cv.coef(cv.alpha_1se)     # the sparser model, instead of alpha {fitted.alpha:.3g}"
    )
    shell = code(
        "riata cv --matrix expression.csv --target relapse --loss binomial --out results/relapse\n"
        "riata cv --bfile study --pheno traits.txt --pheno-name height --out results/height"
    )
    page.sections = [
        hits_section(fitted),
        Section(
            f"Does it hold on new patients? {right} of {n} correct",
            "The original study collected these patients separately: blood as well as bone marrow, and "
            "partly from laboratories with another protocol, so the test is a hard one.",
            confusion,
        ),
        cv_section(fitted),
        path_section(fitted),
        certificate_section(fitted),
        Section(
            "What to do next",
            "Continue from this fit in Python, or run riata on your own data.",
            python + shell,
        ),
    ]
    return page
