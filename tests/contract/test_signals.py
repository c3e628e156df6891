"""SIGTERM and SIGINT are caught, remembered, and given back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from churn_daal.contract.signals import StopSignal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_to_stop(number: signal.Signals) -> None:
    """The signal that would end the process only sets the answer."""
    with StopSignal() as stop:
        before = stop.requested
        os.kill(os.getpid(), number)

        assert (before, stop.requested) == (False, True)


def test_the_second_ctrl_c_interrupts() -> None:
    """Who presses it again does not want to wait for the round, nor for the model."""
    with StopSignal():
        os.kill(os.getpid(), signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_handler_before_is_put_back() -> None:
    """After the block the process answers SIGTERM as it did before, an error or none."""
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(KeyError), StopSignal():
        # The error itself shows that another handler is there inside.
        {before: "still the one before"}[signal.getsignal(signal.SIGTERM)]

    assert signal.getsignal(signal.SIGTERM) == before


def test_a_program_can_ask_too() -> None:
    """`request` stands for the signal where there is none."""
    stop = StopSignal()
    stop.request()

    assert stop.requested


def test_another_thread_cannot_enter() -> None:
    """Python refuses handlers outside the main thread, and that is not hidden."""
    caught: list[BaseException] = []

    def enter() -> None:
        try:
            StopSignal().__enter__()
        except ValueError as error:
            caught.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()

    assert "main thread" in str(caught[0])


def test_a_process_with_the_default_action_lives_and_then_dies() -> None:
    """Inside the block SIGTERM does not kill; after it the default action is back."""
    code = (
        "import os, signal\n"
        "from churn_daal.contract.signals import StopSignal\n"
        "with StopSignal() as stop:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print(stop.requested, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "print('never')\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.stdout == "True\n"
    assert done.returncode == -signal.SIGTERM
