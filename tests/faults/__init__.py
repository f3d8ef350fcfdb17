"""Each part taken away in turn under load, and given back: what callers, logs and readiness say.

`make faults` runs these alone and prints their table; they are part of `make test` too.
"""
