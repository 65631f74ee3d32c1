"""What `help` shows of every public name: complete, in numpydoc's form, with an example that runs."""

import doctest
import inspect
import re

import pytest
from numpydoc.validate import validate

import riata

#: numpydoc's checks: sections and their order, a summary in one line, every parameter with its type and
#: description in the order of the signature, what is returned, an example.
CHECKS = {
    "GL03", "GL05", "GL06", "GL07", "GL08", "GL10", "SS01", "SS03", "SS04", "SS06",
    "PR01", "PR02", "PR03", "PR04", "PR05", "PR07", "PR08", "PR09", "PR10", "RT01", "RT03", "EX01",
}  # fmt: skip

#: Results of functions: users read their attributes and never make one.
RESULTS = {
    "CVPath", "ConstrainedFit", "Conversions", "Evaluation", "FeatureGroups", "FittedVariants", "Genotypes",
    "KnockoffSelected", "MatchedGenotypes", "MemoryEstimate", "RegularizationPath", "RelaxedPath",
    "StabilityPlan", "StabilitySelected", "StabilityWarning",
}  # fmt: skip


def public():
    """Public names, those of public modules with the module's."""
    for name in riata.__all__:
        value = getattr(riata, name)
        if inspect.ismodule(value):
            yield from (f"{name}.{part}" for part in value.__all__)
        elif not name.startswith("__"):
            yield name


NAMES = sorted(public())


def find(name):
    value = riata
    for part in name.split("."):
        value = getattr(value, part)
    return value


def methods(kind):
    """Public methods and properties that a class or a base of it defines here."""
    for base in kind.__mro__:
        if base.__module__.startswith("riata."):
            for name, value in vars(base).items():
                if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                    yield f"{base.__name__}.{name}", value


def texts(name):
    """The docstrings of a name and, of a class, of its methods."""
    value = find(name)
    yield name, inspect.getdoc(value) or ""
    if inspect.isclass(value):
        yield from ((where, inspect.getdoc(method) or "") for where, method in methods(value))


@pytest.mark.parametrize("name", NAMES)
def test_docstring_is_complete(name):
    excepted = {"PR01"} if name in RESULTS else set()
    errors = validate(f"riata.{name}")["errors"]
    assert [error for error in errors if error[0] in CHECKS - excepted] == []


@pytest.mark.parametrize("name", NAMES)
def test_methods_are_described(name):
    """Of what they share with `fit` or a function the text is there, not a reference to it."""
    for where, text in texts(name):
        assert text, where
        assert not re.search(r"^\s*(As (in|for|from) `|[\w, ]+ : as in `)", text, re.MULTILINE), where


def test_methods_tell_of_the_data_of_their_class():
    """One `fit` serves many estimators, whose y differ."""
    assert "y : array of shape (n, K)" in riata.MultiTaskLasso.fit.__doc__
    assert "y : array of shape (n, K)" in riata.MultiTaskElasticNetCV.fit.__doc__
    assert "y : array of shape (n,)\n    The response." in riata.MCPRegressor.fit.__doc__
    assert "y : array of shape (n,)\n    Counts" in riata.SparsePoissonRegressorCV.fit.__doc__
    assert "y : array of shape (n,)\n    Labels" in riata.SparseLogisticRegression.fit.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    for where, text in texts(name):
        test = parser.get_doctest(text, {}, where, None, 0)
        output = []
        runner.run(test, out=output.append)
        assert not output, "".join(output)
