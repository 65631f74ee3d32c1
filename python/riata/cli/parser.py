"""The ``riata`` command: parsing, one-line errors, exit codes."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NoReturn

from riata._io import stopping, streams

_DESCRIPTION = "Sparse models of wide data: few features out of many, with proof. Start with: riata demo"
_FIT_EXAMPLES = """examples:
  riata {verb} --bfile study --pheno traits.txt --pheno-name height --covar age_sex.txt --out results/height
  riata {verb} --bfile study --pheno traits.txt --pheno-name t2d --loss binomial --out results/t2d
  riata {verb} --bfile study --pheno traits.txt --pheno-name height,weight,bmi --out results/body
  riata {verb} --pfile ukb_chr@ --pheno traits.txt --pheno-name height --split part --out results/height
  riata {verb} --matrix expression.tsv --target relapse --loss binomial --out results/relapse
  riata {verb} --matrix expression.tsv --loss cox --time months --event died --out results/survival
"""
_SEVERAL = "Several genotype files, or @ for the chromosome as in chr@, are taken together."
_ONE_SOURCE = "(--bfile PREFIX | --pfile PREFIX | --bgen FILE | --matrix FILE)"
_INFO_EXAMPLES = """examples:
  riata info study.bed
  riata info results/height.path.npz
"""
_PREDICT_EXAMPLES = """examples:
  riata predict --model results/height.path.npz --bfile newcomers --covar age_sex.txt --out results/new
  riata predict --model results/relapse.path.npz --matrix new.tsv --out results/new
  riata predict --weights PGS000001.txt.gz --bfile newcomers --allow-missing --out results/pgs
"""
_SIMULATE_EXAMPLES = """examples:
  riata simulate --samples 500 --variants 10000 --out trial/height
  riata cv --bfile trial/height --out results/height
"""
_REPORT_EXAMPLES = """example:
  riata report --model results/height.path.npz --alpha 0.05 --bfile study --out results/height-sparse
"""
_MAIN_EXAMPLES = """examples:
  riata demo
  riata cv --bfile study --pheno traits.txt --pheno-name height --out results/height
  riata predict --model results/height.path.npz --bfile newcomers --out results/newcomers

riata VERB --help tells more about each verb.
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and say what may have been meant."""

    #: Other names of what can be chosen.
    _SYNONYMS: ClassVar[dict[str, str]] = {
        "logistic": "binomial", "logit": "binomial", "binary": "binomial", "bernoulli": "binomial",
        "linear": "gaussian", "normal": "gaussian", "quantitative": "gaussian", "squared": "gaussian",
        "newton": "homotopy", "lars": "homotopy", "coordinate-descent": "cd", "fista": "prox",
        "survival": "cox", "coxph": "cox", "counts": "poisson", "robust": "huber", "cindex": "concordance",
        "lasso": "elastic-net", "ridge": "elastic-net", "group-lasso": "group", "sgl": "sparse-group",
        "best": "min", "accuracy": "misclassification", "error": "misclassification", "logloss": "deviance",
        "mean-squared-error": "mse", "rows": "samples-rows", "columns": "samples-columns",
    }  # fmt: skip

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        allowed = [str(choice) for choice in action.choices]
        meant = self._SYNONYMS.get(str(value).lower(), str(value).lower())
        close = [meant] if meant in allowed else difflib.get_close_matches(meant, allowed, 1)
        hint = f"; did you mean {close[0]}?" if close else f" (choose from {', '.join(allowed)})"
        raise argparse.ArgumentError(action, f"invalid choice {str(value)!r}{hint}")

    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{message} (see {self.prog} --help)")


class _UsageError(Exception):
    pass


class _Names:
    """The names that a table of the library holds, which is imported when they are asked for."""

    def __init__(self, module: str, table: str) -> None:
        self.module, self.table = module, table

    def __iter__(self) -> Iterator[str]:
        found = getattr(importlib.import_module(self.module), self.table)
        rows = found.values() if isinstance(found, dict) else [found]
        return iter(dict.fromkeys(name for row in rows for name in row))

    def __contains__(self, name: object) -> bool:
        return name in list(self)


def _unknown_option(parser: argparse.ArgumentParser, options: argparse.Namespace, given: str) -> str:
    """Return what is wrong with an option no verb has, and what may have been meant."""
    actions = (item for item in parser._actions if isinstance(item, argparse._SubParsersAction))
    verbs: dict[str, argparse.ArgumentParser] = next(actions).choices
    verb = verbs.get(options.verb, parser)
    name = given.split("=")[0]
    others = [f"riata {key}" for key, other in verbs.items() if name in other._option_string_actions]
    if others:
        return f"{verb.prog} has no option {name}, which is one of {' and '.join(others)}"
    close = difflib.get_close_matches(name, list(verb._option_string_actions), 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"unknown option {given}{hint} (see {verb.prog} --help)"


def _number(text: str) -> float:
    """Parse a number in ASCII, without the underscores that Python alone takes."""
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return float(text)


def _real(text: str) -> float:
    try:
        return _number(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, got {text!r}") from None


def _whole(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}")
    return int(text)


def _share(text: str) -> float:
    """Parse a number in [0, 1]."""
    try:
        value = _number(text)
    except ValueError:
        value = float("nan")
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"must lie in [0, 1], got {text}")
    return value


def _open_share(text: str) -> float:
    """Parse a number in (0, 1)."""
    try:
        value = _number(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, got {text}")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default ``sys.argv[1:]``.

    Returns
    -------
    int
        0; 2 after an error, told in one line on standard error; 130 when interrupted, 143 and 129 when ended
        by SIGTERM and SIGHUP, which are taken as Ctrl-C is.
    """
    given = _with_codes(sys.argv[1:] if arguments is None else arguments)
    streams.open_closed()
    with contextlib.suppress(AttributeError, ValueError):  # a name the terminal cannot show is no error
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    with stopping.stoppable():
        try:
            return streams.finish(_run(given))
        except SystemExit:  # of --help and --version
            streams.finish(0)
            raise


def _run(given: list[str]) -> int:
    """Do what the arguments ask; return the exit status."""
    debug = "--debug" in given
    try:
        parser = build_parser()
        options, unknown = parser.parse_known_args(given)
        if unknown:
            raise _UsageError(_unknown_option(parser, options, unknown[0]))
        if getattr(options, "run", None) is None:
            build_parser().print_help()
            return 0
        from riata.cli.commands import command_line

        options.command_line = command_line(given)
        return _runner(options.run)(options)
    except KeyboardInterrupt as interrupt:
        if debug:
            raise
        streams.tell(f"riata: {stopping.told()}; {str(interrupt) or 'nothing was written'}")
        return stopping.exit_status()
    except BrokenPipeError:  # of standard output: finish() sees to it
        return 0
    except _UsageError as error:
        return _fail(str(error))
    except Exception as error:  # the promise of the command line: one line, never a traceback
        if debug:
            raise
        return _fail(_one_line(error))


def _with_codes(given: Sequence[str]) -> list[str]:
    """Join ``--missing-code`` and its value: argparse takes ``-9,-99`` for an option."""
    out: list[str] = []
    for text in given:
        if out and out[-1] == "--missing-code" and re.match(r"-[\d.]", text):
            out[-1] += f"={text}"
        else:
            out.append(text)
    return out


def _fail(message: str) -> int:
    streams.tell(f"riata: error: {_printable(message)}")
    return 2


def _printable(text: str) -> str:
    """Escape what would steer a terminal, and bytes of names that are not UTF-8."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _one_line(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        return f"{name}{error.strerror}"
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, (ValueError, TypeError, OSError, ImportError)):
        return text
    return f"{type(error).__name__}: {text} (a bug; --debug shows where)"


def _runner(name: str) -> Callable[[argparse.Namespace], int]:
    if name == "demo":
        from riata.cli.demo import run_demo

        return run_demo
    if name == "simulate":
        from riata.genetics.simulate import run_simulate

        return run_simulate
    if name == "report":
        from riata.cli.remake import run_report

        return run_report
    if name == "predict":
        from riata.cli.predict import run_predict

        return run_predict
    if name == "fit":
        from riata.cli.joint import run_fit

        return run_fit
    from riata.cli.commands import run_info

    return run_info


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="riata", description=_DESCRIPTION, epilog=_MAIN_EXAMPLES, formatter_class=raw, allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", parser_class=_Parser)

    def add(
        name: str, run: str, what: str, examples: str = "", usage: str | None = None
    ) -> argparse.ArgumentParser:
        verb = verbs.add_parser(
            name, usage=usage and f"riata {name} {usage}", help=what, epilog=examples,
            description=what[0].upper() + what[1:] + ".", formatter_class=raw, allow_abbrev=False,
        )  # fmt: skip
        verb.set_defaults(run=run)
        verb.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
        return verb

    demo = add("demo", "demo", "show riata at work on a leukemia data set that comes with it")
    demo.add_argument(
        "--out", default="riata-demo", metavar="PREFIX", help="where to write (default riata-demo)"
    )
    demo.add_argument("--threads", type=_count, metavar="N", help="threads to use (default: all)")
    demo.set_defaults(quiet=False)

    info = add("info", "info", "describe genotypes, a table or a saved model", _INFO_EXAMPLES)
    info.add_argument("path", nargs="?", metavar="FILE", help="what to describe; its name tells what it is")
    _add_data(info)
    info.add_argument("--model", metavar="FILE", help="a PREFIX.path.npz, or a fit that was saved in Python")

    for name, what in (
        ("fit", "fit a path of models, from the sparsest to the fullest"),
        ("cv", "fit a path and choose along it by cross-validation"),
    ):
        verb = add(
            name, "fit", what, _FIT_EXAMPLES.format(verb=name), f"{_ONE_SOURCE} --out PREFIX [option ...]"
        )
        _add_data(verb)
        _add_study(verb)
        _add_model(verb, cross_validate=name == "cv")
        _add_ld(verb)
        verb.add_argument_group("weights (with genotypes)").add_argument(
            "--genome-build", type=_build, default="NR", metavar="NAME",
            help="build of the positions, such as GRCh38, to note in PREFIX.weights.tsv",
        )  # fmt: skip
        output = _add_output(verb)
        output.add_argument("--verbose", action="store_true", help="tell about each penalty as it is fitted")
        output.add_argument(
            "--resume", action="store_true",
            help="go on with a run that was cut short, from PREFIX.checkpoint, to the same result",
        )  # fmt: skip

    predict = add(
        "predict", "predict", "score new samples with a saved model or a score file", _PREDICT_EXAMPLES,
        f"(--model FILE | --weights FILE) {_ONE_SOURCE} --out PREFIX [option ...]",
    )  # fmt: skip
    _add_prediction(predict)
    _add_threshold(predict.add_argument, "that of the fit, else 0.5")
    _add_output(predict)

    simulate = add("simulate", "simulate", "simulate genotypes and a phenotype", _SIMULATE_EXAMPLES)
    _add_simulation(simulate)
    report = add("report", "report", "report a saved path at another penalty", _REPORT_EXAMPLES)
    report.add_argument(
        "--model", required=True, metavar="FILE", help="a PREFIX.path.npz, or a fit saved in Python"
    )
    report.add_argument(
        "--alpha", type=_positive, metavar="A", help="penalty to report (default: the one reported)"
    )
    _add_genotypes(
        report.add_argument_group(
            "genotypes of the fit, for linkage disequilibrium (optional; one of these)", _SEVERAL
        )
    )
    _add_threshold(report.add_argument, "that of the fit")
    report.add_argument("--threads", type=_count, metavar="N", help="threads to use (default: all)")
    _add_ld(report)
    _add_output(report)
    return parser


def _add_prediction(verb: argparse.ArgumentParser) -> None:
    what = verb.add_argument_group("what to score with")
    add = what.add_argument
    add(
        "--model",
        metavar="FILE",
        help="a PREFIX.path.npz of riata fit or riata cv, or what save wrote in Python",
    )
    add("--alpha", type=_positive, metavar="A", help="penalty of the model (default: the one reported)")
    add(
        "--weights", metavar="FILE",
        help="a score file instead: of the PGS or GWAS Catalog, PLINK, METAL or riata",
    )  # fmt: skip
    _add_data(verb)
    add = verb.add_argument_group("samples and variants").add_argument
    add(
        "--covar", metavar="FILE",
        help="covariates of the new samples, when the model has any (default: columns of the table)",
    )  # fmt: skip
    _add_cells(add)
    add(
        "--allow-missing", action="store_true",
        help="score without variants that the new genotypes lack: their mean stands in, PREFIX.missing.tsv "
        "lists them",
    )  # fmt: skip
    add(
        "--ignore-positions", action="store_true",
        help="take variants by id where they lie at another position: for files of another genome build",
    )  # fmt: skip
    add = verb.add_argument_group("how good the score is").add_argument
    add(
        "--pheno", metavar="FILE",
        help="phenotypes to compare with; samples without one are scored too (default: the columns of "
        "--matrix that the fit had)",
    )  # fmt: skip
    add("--pheno-name", metavar="NAME", help="column of that file, or of --matrix (default: as in the fit)")
    _add_times(add)
    add("--offset", metavar="NAME", help="column that the model adds to the linear predictor")
    add(
        "--case", "--positive", dest="positive", metavar="LABEL",
        help="class of cases, label of events (default: as in the fit)",
    )  # fmt: skip
    add(
        "--missing-code", metavar="CODE",
        help="values of phenotype and covariates that mean missing, beside NA (default: as in the fit)",
    )  # fmt: skip
    add(
        "--loss", choices=("gaussian", "binomial", "cox"), metavar="LOSS",
        help="with --weights: gaussian for numbers, binomial for two classes, cox for survival times",
    )  # fmt: skip


def _add_data(verb: argparse.ArgumentParser) -> None:
    data = verb.add_argument_group("data (one of these)", _SEVERAL)
    _add_genotypes(data)
    data.add_argument(
        "--matrix", metavar="FILE",
        help="a table: .csv, .tsv (also .gz), .parquet, .feather, .npz; sparse .npz of scipy, .svm or .mtx",
    )  # fmt: skip
    data.add_argument(
        "--orient", choices=("samples-rows", "samples-columns"), default="samples-rows",
        help="what a row of the table of --matrix is (default samples-rows)",
    )  # fmt: skip
    data.add_argument(
        "--feature-names", metavar="FILE", help="names of the features of an .npz, .svm or .mtx, one a line"
    )
    data.add_argument("--sample-ids", metavar="FILE", help="ids of its samples, one a line")


def _add_genotypes(data: argparse._ArgumentGroup) -> None:
    data.add_argument(
        "--bfile", nargs="+", metavar="PREFIX", help="PLINK 1 genotypes: PREFIX.bed, .bim and .fam"
    )
    data.add_argument(
        "--pfile", nargs="+", metavar="PREFIX", help="PLINK 2 genotypes: PREFIX.pgen, .pvar and .psam"
    )
    data.add_argument("--bgen", nargs="+", metavar="FILE", help="BGEN genotypes")
    data.add_argument("--sample", metavar="FILE", help="sample file of --bgen (default: the one beside it)")
    data.add_argument(
        "--chr-set", nargs="+", metavar="SPECIES|N",
        help="chromosomes of the species: human (the default), cow, dog, horse, mouse, rice, sheep, or the "
        "number of autosomes and any of no-x, no-y, no-xy, no-mt",
    )  # fmt: skip


def _add_study(verb: argparse.ArgumentParser) -> None:
    study = verb.add_argument_group("response, covariates, samples")
    add = study.add_argument
    add(
        "--pheno",
        metavar="FILE",
        help="phenotypes, with a header; samples are joined on FID and IID (default: the .fam)",
    )
    add(
        "--pheno-name", metavar="NAME[,NAME]",
        help="column of the phenotype file, or of the .psam or .sample; several between commas, or a range "
        "such as bmi-hdl, are fitted together (so are several of --event and --target): they share the "
        "passes over the data and are written to PREFIX.NAME.html and so on",
    )  # fmt: skip
    _add_times(add)
    add("--offset", metavar="NAME", help="column to add to the linear predictor, such as log exposure")
    add("--target", metavar="NAME", help="column of the table of --matrix that is the response")
    add(
        "--case",
        "--positive",
        dest="positive",
        metavar="LABEL",
        help="class whose probability is modelled, or label of events (default: 1 of 0/1, 2 of 1/2, or what "
        "words such as case, yes, control, healthy tell)",
    )
    add(
        "--missing-code", metavar="CODE",
        help="values of phenotype and covariates that mean missing, beside NA, such as -9,-99; NA alone: no "
        "number does (default -9); a 0 counts in phenotypes and events only; those that are given count in "
        "features of --matrix too that else hold 0, 1 and 2",
    )  # fmt: skip
    add(
        "--covar", metavar="FILE|A,B",
        help="covariates, not penalised: a file, or columns of the table of --matrix; text becomes one "
        "indicator a class",
    )  # fmt: skip
    add(
        "--covar-name",
        type=_names,
        metavar="A,B",
        help="columns of the covariate file (default: all), or of the table of --matrix without one, such as "
        "sex,PC1-PC10",
    )
    add("--cat-covar", type=_names, default=(), metavar="A,B", help="covariates whose numbers are classes")
    add(
        "--split", metavar="NAME",
        help="column that says train, validation or test: riata fit fits on the first and chooses on the "
        "second, riata cv draws folds from both; evaluated on the third",
    )  # fmt: skip
    add("--keep", metavar="FILE", help="samples to keep, FID IID a line")
    add("--remove", metavar="FILE", help="samples to remove")
    add("--drop", type=_names, default=(), metavar="A,B", help="columns of the table to leave out")
    _add_cells(add)
    variants = verb.add_argument_group("variants (with genotypes)")
    add = variants.add_argument
    add(
        "--counted-allele",
        choices=("A1", "A2", "ALT", "REF"),
        default="A1",
        help="allele that genotypes count: A1 (or ALT, the same) unless told",
    )
    add("--extract", metavar="FILE", help="variant ids to keep")
    add("--exclude", metavar="FILE", help="variant ids to leave out")
    add("--chr", type=_names, dest="chrom", metavar="A,B", help="chromosomes to keep, such as 1-4,X")
    add("--maf", type=_real, default=0.0, metavar="F", help="least minor allele frequency")
    add("--geno", type=_real, default=1.0, metavar="F", help="largest share of missing calls")
    add("--hwe", type=_real, default=0.0, metavar="P", help="least p of the exact Hardy-Weinberg test")


def _add_cells(add: Callable[..., Any]) -> None:
    """What to do with a table that is not as it should be."""
    add(
        "--impute", choices=("mean",), metavar="mean",
        help="put the mean of the samples that train in the place of missing values of the table, in every "
        "fold its own, and in riata predict the mean of the fit (default: an error)",
    )  # fmt: skip
    add(
        "--duplicates", choices=_Names("riata._io.repeated_names", "DUPLICATES"), metavar="suffix|mean",
        help="what to do with features of the table that share a name, as gene symbols do: keep each, as "
        "NAME, NAME.1 and so on, or take their mean (default: an error)",
    )  # fmt: skip


def _add_times(add: Callable[..., Any]) -> None:
    """Columns of survival times."""
    add("--time", metavar="NAME", help="with --loss cox: column of the time of the event or of censoring")
    add(
        "--event", metavar="NAME",
        help="with --loss cox: column of 1 (event) and 0, of 2 (event) and 1, or of labels: see --case",
    )  # fmt: skip
    add(
        "--entry", metavar="NAME",
        help="with --loss cox: column of the time at which samples come under observation",
    )  # fmt: skip
    add(
        "--strata", metavar="NAME",
        help="with --loss cox: column of groups, each with its own baseline hazard",
    )  # fmt: skip


def _add_model(verb: argparse.ArgumentParser, *, cross_validate: bool) -> None:
    model = verb.add_argument_group("model")
    add = model.add_argument
    _add_penalty(add)
    add(
        "--loss", choices=_Names("riata._input.validation", "LOSSES"), metavar="LOSS",
        help="gaussian for numbers (the default), binomial for two classes, cox for survival times, poisson "
        "for counts, huber for numbers with outliers, multinomial for more classes than two",
    )  # fmt: skip
    add(
        "--ties", choices=("breslow", "efron"),
        help="how --loss cox handles events at the same time (default breslow)",
    )  # fmt: skip
    add(
        "--row-grouped", action="store_true",
        help="with --loss multinomial: a feature enters for all classes together",
    )  # fmt: skip
    add(
        "--huber-delta", type=_positive, metavar="D",
        help="residual, in units of the phenotype, from which --loss huber stops squaring (default 1.345)",
    )  # fmt: skip
    add(
        "--no-standardize",
        dest="standardize",
        action="store_false",
        help="penalise coefficients on the data's own scale",
    )
    add(
        "--alphas",
        type=_alphas,
        default=100,
        metavar="N|A,B",
        help="number of penalties, or their values (default 100)",
    )
    add("--eps", type=_positive, metavar="E", help="smallest penalty as a share of the largest")
    add(
        "--memory", type=_memory, metavar="SIZE",
        help="end the path before a fit holds more than this beside the data, such as 4G",
    )  # fmt: skip
    add("--max-active", type=_count, metavar="N", help="stop before more features than this are active")
    add(
        "--alpha",
        type=_positive,
        metavar="A",
        help="penalty to report (default: the best score"
        + ("" if cross_validate else ", or the weakest")
        + ")",
    )
    add(
        "--tol",
        type=_real,
        default=1e-6,
        metavar="T",
        help="bound on the relative duality gap, or with mcp and scad on the violation of an optimality "
        "condition over alpha (default 1e-6)",
    )
    add(
        "--solver",
        choices=("auto", "homotopy", "cd", "prox"),
        default="auto",
        help="inner solver (default auto)",
    )
    add(
        "--threads",
        type=_count,
        metavar="N",
        help="threads to use (default: all); results do not depend on it",
    )
    if cross_validate:
        add(
            "--cv", type=_count, metavar="K",
            help="number of folds (default 10, or fewer where a class has fewer members)",
        )  # fmt: skip
        add("--repeats", type=_count, default=1, metavar="N", help="draw the folds anew N times (default 1)")
        add(
            "--fold-groups", metavar="NAME",
            help="column of families, patients and the like, none of which a fold parts; FID for those "
            "of genotypes",
        )  # fmt: skip
        add("--folds", metavar="NAME", help="column of given folds")
        add(
            "--time-order", metavar="NAME",
            help="column of times, numbers or dates from the year on: each of K folds is tested on what "
            "follows all it is trained on",
        )  # fmt: skip
        add("--seed", type=_whole, default=0, metavar="S", help="of the shuffled folds (default 0)")
        add(
            "--select",
            choices=("min", "1se"),
            default="min",
            help="best score, or sparsest within one standard error",
        )
        add(
            "--nested", nargs="?", type=_count, const=True, metavar="K",
            help="nested cross-validation: K outer folds (default: as --cv), in each of which alpha is "
            "chosen anew, say how good the procedure is on samples it has not seen, with confidence "
            "intervals; K times as many fits, which share the passes over the data",
        )  # fmt: skip
    add(
        "--scoring", choices=_Names("riata.path.cross_validation", "SCORINGS"), metavar="SCORE",
        help="score of held-out samples" + ("" if cross_validate else " (with --split)")
        + ": mse (the default) or mae of numbers; deviance (the default), auc or misclassification of "
        "classes; deviance (the default) or concordance of survival times; deviance of counts; huber of "
        "numbers with outliers",
    )  # fmt: skip
    _add_threshold(add)


def _add_threshold(add: Callable[..., Any], told: str = "0.5") -> None:
    """Above what probability the second of two classes is predicted."""
    add(
        "--threshold", type=_open_share, metavar="P",
        help=f"of two classes: the second is predicted where its probability is above P (default {told})",
    )  # fmt: skip


def _add_penalty(add: Callable[..., Any]) -> None:
    """What is penalised: see `riata.penalty_options`."""
    add(
        "--penalty", choices=("elastic-net", "group", "sparse-group", "mcp", "scad", "slope"),
        default="elastic-net", metavar="PENALTY",
        help="elastic-net (the default, with --l1-ratio 1 the lasso); group: groups enter whole; "
        "sparse-group: few groups, and few features in each; mcp, scad: large effects are not shrunk; slope: "
        "penalises large effects more, aiming at a share of false discoveries",
    )  # fmt: skip
    add(
        "--groups", metavar="FILE",
        help="groups of --penalty group and sparse-group: gene sets (.gmt), or a feature and its group a "
        "line; they may overlap: an effect is then a sum of parts, one for each group, and a group enters "
        "whole. Features in none are groups of their own",
    )  # fmt: skip
    add(
        "--min-set-size", type=_count, metavar="N",
        help="use the groups that have N features or more in the data (default 1; gene set enrichment "
        "usually asks for 15)",
    )  # fmt: skip
    add(
        "--max-set-size", type=_count, metavar="N",
        help="and N at most (default: any number; gene set enrichment usually asks for 500)",
    )  # fmt: skip
    add(
        "--sets-only", action="store_true",
        help="leave out features that are in no group (default: each is a group of its own)",
    )  # fmt: skip
    add(
        "--l1-ratio", type=_share, metavar="R",
        help="1 lasso, 0 ridge, between them elastic net (default 1); with --penalty sparse-group 1 lasso, 0 "
        "group lasso (default 0.5)",
    )  # fmt: skip
    add(
        "--gamma", type=_positive, metavar="G",
        help="with --penalty mcp (above 1, default 3) and scad (above 2, default 3.7): effects of one "
        "standard deviation are not shrunk from G times alpha on",
    )  # fmt: skip
    add(
        "--slope-q", type=_open_share, metavar="Q",
        help="with --penalty slope: share of false discoveries aimed at (default 0.1)",
    )  # fmt: skip


def _add_simulation(verb: argparse.ArgumentParser) -> None:
    add = verb.add_argument
    add(
        "--out", required=True, metavar="PREFIX",
        help="where to write: PREFIX.bed, .bim, .fam, .pheno.txt and .truth.tsv (the causal variants)",
    )  # fmt: skip
    add("--quiet", action="store_true", help="print errors only")
    add("--seed", type=_whole, default=0, metavar="S", help="of the random numbers (default 0)")
    add = verb.add_argument_group("genotypes").add_argument
    add("--samples", type=_count, required=True, metavar="N", help="number of samples")
    add("--variants", type=_count, required=True, metavar="P", help="number of variants")
    add("--chromosomes", type=_count, default=22, metavar="N", help="number of autosomes (default 22)")
    add("--maf-min", type=_real, default=0.05, metavar="F", help="least allele frequency (default 0.05)")
    add("--missing", type=_share, default=0.01, metavar="F", help="share of missing calls (default 0.01)")
    add("--block", type=_count, default=50, metavar="N", help="variants in an LD block (default 50)")
    add("--ld", type=_share, default=0.95, metavar="R", help="strength of LD within a block (default 0.95)")
    add = verb.add_argument_group("phenotype").add_argument
    add("--loss", choices=("gaussian", "binomial"), default="gaussian", help="numbers, or cases and controls")
    add("--h2", type=_share, default=0.5, metavar="H", help="heritability (default 0.5)")
    add("--causal", type=_count, metavar="N", help="number of causal variants (default 100)")
    add("--prevalence", type=_share, default=0.5, metavar="F", help="share of cases (default 0.5)")


def _add_ld(verb: argparse.ArgumentParser) -> None:
    ld = verb.add_argument_group("linkage disequilibrium of the hits (with genotypes)")
    ld.add_argument(
        "--ld-window-kb", type=_positive, default=500.0, metavar="KB",
        help="farthest distance of a partner, in thousand base pairs (default 500)",
    )  # fmt: skip
    ld.add_argument(
        "--ld-r2", type=_share, default=0.5, metavar="R2", help="least r2 of a partner (default 0.5)"
    )


def _add_output(verb: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    output = verb.add_argument_group("output")
    output.add_argument(
        "--out", required=True, metavar="PREFIX", help="where to write: PREFIX.html and so on"
    )
    output.add_argument("--quiet", action="store_true", help="print errors only")
    return output


def _names(text: str) -> tuple[str, ...]:
    from riata._io.tables import split_names

    try:
        names = tuple(split_names(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not names:
        raise argparse.ArgumentTypeError(f"expected names separated by commas, got {text!r}")
    return names


def _build(text: str) -> str:
    from riata.study.weights import check_build

    try:
        return check_build(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    value = int(text) if re.fullmatch(r"[-+]?[0-9]{1,18}", text) else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return value


def _positive(text: str) -> float:
    try:
        value = _number(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def _memory(text: str) -> str:
    from riata._input.validation import check_memory

    try:
        check_memory(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a size such as 800M or 4G, got {text!r}") from None
    return text


def _alphas(text: str) -> int | list[float]:
    if "," in text or "." in text or "e" in text.lower():
        return [_positive(part) for part in text.split(",") if part.strip()]
    return _count(text)


class _Version(argparse.Action):
    """Show the version; the compiled core is loaded only then."""

    def __init__(self, **options: Any) -> None:
        super().__init__(nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *rest: Any) -> None:
        from riata.cli.commands import version

        streams.show(f"riata {version()}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
