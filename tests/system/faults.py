"""The decorator that says which rows of the fault matrix (A5, S9, B13 for bad input 13) a test proves."""


def faults(*rows):
    def mark(function):
        function.rows = list(rows)
        return function
    return mark
