"""Python looks for garbage among all that lives. What is imported and collected lives to the end:
it is not looked at while it comes, nor at each of the looks that follow."""

import gc
from collections.abc import Generator

import pytest

gc.disable()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """From its end on, garbage is looked for in what tests make."""
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
