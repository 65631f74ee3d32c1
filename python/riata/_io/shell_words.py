"""What messages say of arguments in Python, as the command line says it of its options."""

from __future__ import annotations

#: Ends of sentences of results, samplers and their checks; a test sees to it that they still occur there.
WORDS = {
    "a larger fdr, groups= for features that are alike": "a larger --fdr, groups of features that are alike "
    "(--groups; of variants a lower --ld-groups)",
    "a larger pfer (more features a half), groups= for features that are alike": "a larger --pfer (more "
    "features a half), groups of features that are alike (--groups; of variants --ld-groups)",
    "With groups= the votes": "With --groups, or --ld-groups of variants, the votes",
    "and at fdr=": "and at --fdr ",
    "or set related='ok' to": "or give --related ok to",
    "give the populations as strata": "name their column by --populations",
    "of one group: use riata.ld_groups": "of one group: --ld-groups makes such groups",
}


def in_shell(text: str) -> str:
    """Return a message with options in the place of arguments."""
    for words, options in WORDS.items():
        text = text.replace(words, options)
    return text
