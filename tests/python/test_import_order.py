"""Imports inside the package go one way: each folder may import what stands before it in one table."""

import ast
from pathlib import Path

import pytest

import riata

ROOT = Path(riata.__file__).parent

#: Folders and public modules, lowest first; each may import itself and what stands before it.
ORDER = (
    "_docs", "_core", "_io", "_input", "losses", "genetics", "distributed", "grouping", "knockoffs",
    "penalties", "path", "estimators", "selection", "study", "report", "plotting", "cli",
)  # fmt: skip

#: Methods that show or save a result import their page, chart or record when they are called, and only then.
DOORS = {
    ("_input.validation", "_io.progress"),
    ("genetics.genotypes", "report.cards"),
    ("path.constrained", "report.cards"),
    ("path.archive", "selection.archive"),
    ("path.archive", "selection.knockoff_archive"),
    ("path.cv_result", "report.cards"),
    ("path.cv_result", "report.fit_report"),
    ("path.cv_result", "report.plots"),
    ("path.evaluation", "report.cards"),
    ("path.relaxed", "report.cards"),
    ("path.result", "report.cards"),
    ("path.result", "report.fit_report"),
    ("path.result", "report.plots"),
    ("path.result", "study.model_file"),
    ("selection.knockoff_result", "report.cards"),
    ("selection.knockoff_result", "report.plots"),
    ("selection.result", "report.cards"),
    ("selection.result", "report.plots"),
}

MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts): file
    for file in ROOT.rglob("*.py")
    if file.name not in ("__init__.py", "__main__.py")
}


def is_for_types_only(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def imports_of(file: Path) -> tuple[set[str], set[str]]:
    """Modules of the package that a file imports when it is imported, and those it imports later."""
    at_once, later = set(), set()

    def visit(node: ast.AST, inside: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if is_for_types_only(child):
                continue
            found = later if inside else at_once
            if isinstance(child, ast.Import):
                found.update(a.name[6:] for a in child.names if a.name.startswith("riata."))
            elif isinstance(child, ast.ImportFrom) and child.module and child.module.split(".")[0] == "riata":
                for alias in child.names:
                    name = f"{child.module}.{alias.name}"[6:]
                    found.add(name if name in MODULES else child.module[6:] or alias.name)
            visit(child, inside or isinstance(child, ast.FunctionDef))

    visit(ast.parse(file.read_text(encoding="utf-8")), False)
    return at_once, later


def floor(module: str) -> int:
    return ORDER.index(module.split(".")[0])


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_one_way(module):
    at_once, later = imports_of(MODULES[module])
    known = {name for name in at_once | later if name.split(".")[0] in ORDER}
    up = {name for name in known if floor(name) > floor(module)}
    assert not up & at_once
    assert {(module, name) for name in up} <= DOORS


def test_every_door_is_used():
    assert {(module, name) for module, name in DOORS if name in imports_of(MODULES[module])[1]} == DOORS


def test_no_module_is_in_a_circle():
    at_once = {module: imports_of(file)[0] & MODULES.keys() for module, file in MODULES.items()}
    while leaves := {module for module, wanted in at_once.items() if not wanted & at_once.keys()}:
        for module in leaves:
            del at_once[module]
    assert not at_once
