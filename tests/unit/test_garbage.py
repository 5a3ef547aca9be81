"""Pauses of the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tui.core.garbage import begin_collecting, collector_paused


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_pauses_nest_and_end_as_they_began() -> None:
    with collector_paused():
        assert not gc.isenabled()
        with pytest.raises(KeyError), collector_paused(freeze=True):
            raise KeyError
        assert not gc.isenabled() and gc.get_freeze_count() > 0
    assert gc.isenabled()
    gc.disable()
    with collector_paused():
        pass
    assert not gc.isenabled()


def test_the_beginning_of_collecting_waits_for_the_end_of_a_pause() -> None:
    gc.disable()
    with collector_paused():
        begin_collecting()
        assert not gc.isenabled()
    assert gc.isenabled()
