"""Files as they are: text tables, packed and sparse files, archives, outputs put in place at once, words."""
