"""From where a request comes: a word of a closed list, and a network."""

import pytest
from fastapi import Request

from auth.visitor import DEVICES
from web.http.visitor import device_of, visitor_of


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
         "android_phone"),
        ("Mozilla/5.0 (Linux; Android 13; SM-X200) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
         "tablet"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", "android_phone"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148", "iphone"),
        ("Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) Mobile/15E148", "tablet"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0", "windows_computer"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.5 Safari", "mac_computer"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Firefox/127.0", "linux_computer"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/126.0", "linux_computer"),
        ("Mozilla/5.0 (a fridge)", "unknown"),
        ("python-httpx/0.27", "program"),
        ("", "unknown"),
    ],
)  # fmt: skip
def test_a_device_is_told_by_a_word_of_the_list(user_agent: str, device: str) -> None:
    assert device_of(user_agent) == device
    assert device in DEVICES


def seen_from(address: str) -> str:
    scope = {"type": "http", "client": (address, 50000), "headers": []}
    return visitor_of(Request(scope)).network


def test_a_home_with_many_addresses_is_one_network() -> None:
    assert seen_from("2001:db8::1") == seen_from("2001:db8::ffff:0:0:1")
    assert seen_from("2001:db8::1") != seen_from("2001:db8:0:1::1")
    assert seen_from("192.0.2.1") == seen_from("::ffff:192.0.2.1") != seen_from("192.0.2.2")


def test_who_asks_is_not_printed() -> None:
    scope = {"type": "http", "client": ("192.0.2.1", 50000), "headers": []}
    shown = repr(visitor_of(Request(scope), "a-secret"))
    assert "192.0.2.1" not in shown
    assert "a-secret" not in shown
