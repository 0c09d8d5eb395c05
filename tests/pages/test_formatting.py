import time
from dataclasses import replace

import pytest

from pages.parts import formatting
from storage import Run, RunState


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.42, "0.4 s"),
        (2.0, "2 s"),
        (48.4, "48 s"),
        (60, "1 min"),
        (152, "2 min 32 s"),
        (3900, "1 h 05 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_read_at_a_glance(seconds: float | None, said: str) -> None:
    assert formatting.duration(seconds) == said


def test_time_left_is_rounded_so_that_it_does_not_flicker() -> None:
    assert formatting.left(152) == formatting.left(155) == "about 2 min 30 s left"
    assert formatting.left(2) == "a few seconds left"
    assert formatting.left(None) == ""


def test_a_share_is_never_rounded_up_to_all() -> None:
    assert formatting.percent(0.99999) == "99.9%"
    assert formatting.percent(1.0) == "100%"
    assert formatting.percent(0.9326) == "93.3%"


def test_ago() -> None:
    now = time.time()
    assert formatting.ago(now - 3, now) == "just now"
    assert formatting.ago(now - 300, now) == "5 min ago"
    assert formatting.ago(now - 3 * 3600, now) == "3 h ago"
    assert formatting.ago(now - 30 * 3600, now) == "yesterday"
    assert formatting.ago(None) == "–"


def test_sizes_and_values() -> None:
    assert formatting.size(88_300_000) == "88.3 MB"
    assert formatting.size(0) == "0 B"
    assert formatting.of_metric("memory/rss_mb", 512.0) == "537 MB"
    assert formatting.of_metric("speed/images_per_s", 1412.3) == "1,412 img/s"
    assert formatting.of_metric("val/accuracy", None) == "–"


def test_hangul_takes_two_columns() -> None:
    assert formatting.shortened("digits demo", 34) == "digits demo"
    assert formatting.shortened("가나다라마바사", 9) == "가나다…"
    assert formatting.shortened("abcdefghij", 5) == "abcd…"


@pytest.mark.parametrize("text", ["**x**", "<script>", "$x$", "[a](b)", "`c`", "# h", ":smile:", ":red[x]", "a_b_c"])
def test_escaped_text_has_no_bare_mark(text: str) -> None:
    inert = formatting.escaped(text)
    for place, letter in enumerate(inert):
        if letter in "*<$[]`#:_":
            assert inert[place - 1] == "\\"
    assert ":\u2060" in inert or ":" not in text


@pytest.mark.parametrize("text", ["https://example.org:8501/a?b=1", "12:30:45", "C:\\data", "Refused: too small"])
def test_what_holds_no_directive_is_copied_letter_for_letter(text: str) -> None:
    assert "\u2060" not in formatting.escaped(text)


@pytest.mark.parametrize("text", [":material/bolt:", "a:red[b]", ":+1:", ":100:", ":8ball:", ":한글:"])
def test_what_may_be_a_directive_is_kept_from_being_one(text: str) -> None:
    assert ":\u2060" in formatting.escaped(text)


def test_progress_says_what_is_known() -> None:
    run = Run(id="a", name="a", state=RunState.RUNNING, spec={}, dataset_id="digits", created_at=0, epochs=12)
    assert formatting.progress(run) == "Preparing"
    running = replace(run, steps=7680, step=4316, epoch=6, eta_s=152, phase="training")
    assert formatting.progress(running) == "Epoch 7 of 12 · step 4,316 of 7,680 · about 2 min 30 s left"
    assert formatting.progress(replace(running, state=RunState.QUEUED)) == "Waiting for a free slot"
    assert formatting.progress(replace(running, state=RunState.STOPPED)) == "Epoch 7 of 12 · step 4,316 of 7,680"
    at_its_end = replace(running, state=RunState.STOPPED, step=3840)
    assert formatting.progress(at_its_end) == "Epoch 6 of 12 · step 3,840 of 7,680"
