"""Fixtures of the browsers' tests."""

import pytest
from browser_driver import Chromium
from demo_page import write_silence


@pytest.fixture
def start_chromium(out_folder):
    """Starts Chromium with a WAV file as its microphone, silence without one."""
    started = []

    def start(microphone=None, **options):
        started.append(Chromium(out_folder, microphone=microphone or write_silence(out_folder), **options))
        return started[-1]

    yield start
    for browser in started:
        browser.close()
