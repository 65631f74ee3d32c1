"""The options of each verb of the command line: what is declared, and what is made of it."""
