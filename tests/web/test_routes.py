"""Downloads and uploads at a real server: streamed, resumable, closed to strangers."""

import csv
import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from urllib.parse import quote

import pandas
import psutil
import pytest

from engine import api
from storage import Checkpoint, Home, Store
from tests.server import Server, serving

MB = 2**20


@pytest.fixture(scope="module")
def module_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home.find(tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="module")
def server(module_home: Home) -> Iterator[Server]:
    api.open_store(module_home)
    with serving(module_home) as started:
        yield started


def kept_file(home: Home, name: str, size: int) -> str:
    """A run with one checkpoint file of `size` bytes; the run's id."""
    store = Store.open(home)
    run = store.runs.add(name=name, spec={}, dataset_id="digits", epochs=1)
    path = home.run(run.id) / "checkpoints" / "e0001" / "weights.safetensors"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.write(bytes(range(256)) * 4)
        file.truncate(size)  # sparse: no disk is written for the rest
    store.checkpoints.add(
        Checkpoint(
            run_id=run.id,
            epoch=1,
            step=1,
            path="checkpoints/e0001",
            bytes=size,
            sha256="",
            created_at=0.0,
            is_best=True,
        )
    )
    return run.id


class Watch(Thread):
    """The most memory a process holds while it is watched, in bytes."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self._process = process
        self.before = self.most = process.memory_info().rss
        self.done = False

    def run(self) -> None:
        while not self.done:
            self.most = max(self.most, self._process.memory_info().rss)
            time.sleep(0.01)

    def added(self) -> int:
        self.done = True
        self.join()
        return self.most - self.before


def test_a_checkpoint_downloads_under_its_own_name(server: Server, module_home: Home) -> None:
    run_id = kept_file(module_home, "고양이/개", 3000)
    for which in ("best", "last", "1"):
        status, headers, body = server.ask(
            "GET", f"/api/runs/{run_id}/checkpoints/{which}", headers={"Accept-Encoding": "gzip"}
        )
        assert status == 200
        assert body == (bytes(range(256)) * 4).ljust(3000, b"\0")
        assert headers["content-length"] == "3000"
        assert headers["content-encoding"] == "identity"
        assert "filename*=utf-8''%EA%B3%A0%EC%96%91%EC%9D%B4-%EA%B0%9C-e0001.safetensors" in headers[
            "content-disposition"
        ].replace("UTF-8", "utf-8")


def test_a_broken_download_goes_on_where_it_stopped(server: Server, module_home: Home) -> None:
    path = f"/api/runs/{kept_file(module_home, 'a', 3000)}/checkpoints/best"
    status, headers, body = server.ask("GET", path, headers={"Range": "bytes=100-1023"})
    assert status == 206
    assert headers["content-range"] == "bytes 100-1023/3000"
    assert body == (bytes(range(256)) * 4)[100:1024]
    assert server.ask("GET", path, headers={"Range": "bytes=9000-"})[0] == 416


def test_two_gigabytes_add_less_than_fifty_megabytes(server: Server, module_home: Home) -> None:
    size = 2000 * MB
    run_id = kept_file(module_home, "large", size)
    server.ask("GET", f"/api/runs/{run_id}/checkpoints/best", headers={"Range": "bytes=0-1000000"})  # warm
    watch = Watch(server.process)
    watch.start()
    connection = server.connect()
    connection.request("GET", f"/api/runs/{run_id}/checkpoints/best")
    answer, read = connection.getresponse(), 0
    while chunk := answer.read(4 * MB):
        read += len(chunk)
    connection.close()
    assert read == size
    assert watch.added() < 50 * MB


def test_an_upload_is_streamed_to_the_disk(server: Server, module_home: Home) -> None:
    server.ask("PUT", "/api/uploads/warm.zip", b"x" * MB)
    watch = Watch(server.process)
    watch.start()
    size = 300 * MB
    connection = server.connect()
    body = (b"y" * MB for _ in range(300))
    connection.request("PUT", f"/api/uploads/{quote('사진.zip')}", body, {"Content-Length": str(size)})
    answer = connection.getresponse()
    taken = json.loads(answer.read())
    connection.close()
    assert answer.status == 201
    assert (module_home.uploads / f"{taken['upload']}.zip").stat().st_size == size
    assert watch.added() < 50 * MB


def test_two_uploads_at_once_keep_apart(server: Server, module_home: Home) -> None:
    bodies = {letter: letter.encode() * (40 * MB) for letter in "ab"}

    def send(letter: str) -> str:
        status, _, body = server.ask("PUT", "/api/uploads/same.zip", bodies[letter])
        assert status == 201
        return str(json.loads(body)["upload"])

    with ThreadPoolExecutor() as pool:
        tokens = dict(zip(bodies, pool.map(send, bodies), strict=True))
    for letter, token in tokens.items():
        assert (module_home.uploads / f"{token}.zip").read_bytes() == bodies[letter]


def test_an_upload_broken_off_leaves_nothing(server: Server, module_home: Home) -> None:
    before = set(module_home.uploads.iterdir())
    connection = server.connect()
    connection.putrequest("PUT", "/api/uploads/half.zip")
    connection.putheader("Content-Length", str(10 * MB))
    connection.endheaders()
    connection.send(b"z" * MB)
    deadline = time.monotonic() + 10
    while set(module_home.uploads.iterdir()) == before and time.monotonic() < deadline:
        time.sleep(0.02)  # until it has begun to arrive
    connection.close()
    while set(module_home.uploads.iterdir()) != before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("name", "size", "status", "words"),
    [
        ("photos.rar", 10, 415, "photos.rar is no zip."),
        ("huge.zip", 30 * 10**9, 413, "It has 30.0 GB; at most 20.0 GB are taken."),
    ],
)
def test_what_cannot_be_taken_is_refused_before_it_is_sent(
    server: Server, name: str, size: int, status: int, words: str
) -> None:
    connection = server.connect()
    connection.putrequest("PUT", f"/api/uploads/{name}")
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == status
    assert words in json.loads(answer.read())["error"]
    connection.close()
    got, _, body = server.ask("GET", f"/api/uploads/{name}/{size}")
    assert got == status
    assert words in json.loads(body)["error"]


def test_there_is_room_for_what_fits(server: Server) -> None:
    assert server.ask("GET", f"/api/uploads/{quote('사진.zip')}/1000")[0] == 204


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
    ],
    ids=str,
)
def test_strangers_write_nothing(server: Server, module_home: Home, headers: dict[str, str]) -> None:
    before = set(module_home.uploads.iterdir())
    assert server.ask("PUT", "/api/uploads/evil.zip", b"x", headers)[0] == 403
    assert set(module_home.uploads.iterdir()) == before


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/api/runs/x/log", "/_stcore/stream"])
def test_a_foreign_host_sees_nothing(server: Server, path: str) -> None:
    assert server.ask("GET", path, headers={"Host": "evil.example:8501"})[0] == 403


@pytest.mark.parametrize("run_id", ["nothing", "..", "%2e%2e", "..%2f..%2fetc", "a%00b"])
def test_ids_lead_nowhere_else(server: Server, run_id: str) -> None:
    for path in (f"/api/runs/{run_id}/log", f"/api/runs/{run_id}/checkpoints/best"):
        status, _, body = server.ask("GET", path)
        assert b"root:" not in body
        assert status in (400, 404) or b"<html" in body.lower()  # a path of no route is Streamlit's page


def test_it_may_not_be_framed(server: Server) -> None:
    headers = server.ask("GET", "/")[1]
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_table_downloads_as_a_spreadsheet_reads_it(server: Server, module_home: Home) -> None:
    store = Store.open(module_home)
    names = ["첫째", "둘째"]
    ids = [store.runs.add(name=name, spec={"epochs": 3}, dataset_id="digits", epochs=3).id for name in names]
    api.tag_runs(store, ids[:1], add=["발표"])
    status, headers, body = server.ask("GET", f"/api/export/runs.csv?runs={','.join(ids)}")
    assert status == 200
    assert headers["content-disposition"] == "attachment; filename*=utf-8''thaw-runs.csv"
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert [row["name"] for row in rows] == names
    options = "state=queued&tag=" + quote("발표")
    _, _, body = server.ask("GET", f"/api/export/runs.parquet?{options}", headers={"Accept-Encoding": "gzip"})
    assert pandas.read_parquet(io.BytesIO(body))["id"].tolist() == ids[:1]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("everything.csv", 400, "must be one of runs, metrics"),
        ("runs.xlsx", 400, "must be one of csv, parquet"),
        ("runs.csv?runs=nothing", 404, "There is no run"),
        ("runs.csv?runs=..%2f..", 404, "There is no run"),
        ("trials.csv?search=nothing", 404, "There is no search"),
        ("runs.csv?state=asleep", 400, "must be one of queued, starting"),
        ("runs.csv?where=1", 400, "must be one of runs, search, state"),
        ("datasets.csv?runs=a", 400, "can be had of some runs"),
    ],
    ids=str,
)
def test_a_table_that_is_not_there_says_what_is(server: Server, path: str, status: int, words: str) -> None:
    found, _, body = server.ask("GET", f"/api/export/{path}")
    assert found == status
    assert words in json.loads(body)["error"]
