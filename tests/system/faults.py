"""The decorators of system tests: which rows of the fault matrix (A5, S9, B13 for bad input 13) one proves, and which take long."""


def long(function):
    """Runs with `run.py --long` only (make test-long)."""
    function.long = True
    return function


def faults(*rows):
    def mark(function):
        function.rows = list(rows)
        return function
    return mark
