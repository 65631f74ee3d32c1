"""`_core.pyi` says what the compiled module has, and every place agrees on the version."""

import ast
import importlib.metadata
import re
from importlib.resources import files

import pytest

import riata
from riata import _core

STUB = ast.parse(files("riata").joinpath("_core.pyi").read_text(encoding="utf-8"))
FUNCTIONS = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
VALUES = {node.target.id for node in STUB.body if isinstance(node, ast.AnnAssign)}
MEMBERS = [
    pytest.param(getattr(_core, cls.name, None), member, id=f"{cls.name}.{member.name}")
    for cls in CLASSES.values()
    for member in cls.body
    if isinstance(member, ast.FunctionDef)
]


def arguments(definition):
    """Names in order, marked with * when keyword-only and = when they have a default."""
    args = definition.args
    positional = [*args.posonlyargs, *args.args]
    required = len(positional) - len(args.defaults)
    return [arg.arg + "=" * (k >= required) for k, arg in enumerate(positional)] + [
        "*" + arg.arg + "=" * (value is not None)
        for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True)
    ]


def compiled_signatures(function):
    """What pybind11 wrote at the top of the docstring, one definition an overload."""
    lines = function.__doc__.splitlines()
    if len(lines) > 1 and lines[1].startswith("Overloaded"):
        lines = [line.split(". ", 1)[1] for line in lines if re.match(rf"\d+\. {function.__name__}\(", line)]
    else:
        lines = lines[:1]
    return [ast.parse(f"def {line}: ...").body[0] for line in lines]


def is_property(definition):
    return any(isinstance(mark, ast.Name) and mark.id == "property" for mark in definition.decorator_list)


def public(names):
    return {name for name in names if not name.startswith("_")}


def test_module_names():
    assert public(vars(_core)) == public(FUNCTIONS) | public(CLASSES) | public(VALUES)


@pytest.mark.parametrize("name", CLASSES)
def test_class_members(name):
    cls, stub = getattr(_core, name), CLASSES[name]
    assert public(vars(cls)) == public(node.name for node in stub.body if isinstance(node, ast.FunctionDef))
    assert [base.__name__ for base in cls.__bases__ if base.__name__ in CLASSES] == [
        base.id for base in stub.bases
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_arguments(name):
    for compiled in compiled_signatures(getattr(_core, name)):
        assert arguments(compiled) == arguments(FUNCTIONS[name])


@pytest.mark.parametrize(("cls", "stub"), MEMBERS)
def test_member_arguments(cls, stub):
    member = vars(cls)[stub.name]
    assert isinstance(member, property) == is_property(stub)
    if not isinstance(member, property):
        for compiled in compiled_signatures(member):
            assert arguments(compiled) == arguments(stub)


def test_version():
    assert riata.__version__ == _core.__version__ == importlib.metadata.version("riata")
