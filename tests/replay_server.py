"""A stand-in for Yahoo, FRED and Ken French's library on this machine, for the real clients, unchanged.

A proxy on loopback that the clients are pointed to by environment variables alone: it answers CONNECT, ends TLS with a
certificate of its own authority, and answers from a folder of files. Any host but those below is refused and written
down: a test cannot reach the network by accident. Standard library only; a process of its own (see replay.py).

    WORLD/prices/QQQ.csv   WORLD/macro/DTB3.csv   WORLD/french/6_Portfolios_2x3.zip   WORLD/vintages/CPILFESL@DAY.json

Faults are a script, key -> list, of which each request takes one; the last one stays. Keys: QQQ (the history), tz:QQQ
(the question for the time zone), fred:DTB3, french:NAME, crumb, cookie, connect:HOST, * for any history.
"""

from __future__ import annotations

import datetime as dt
import http.server
import json
import socketserver
import ssl
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from replay_charts import FAULTS, NEW_YORK, answer
from replay_world import World, chart_of, faulty_table

HOSTS = (
    "query1.finance.yahoo.com", "query2.finance.yahoo.com", "fc.yahoo.com", "finance.yahoo.com", "guce.yahoo.com",
    "consent.yahoo.com", "fred.stlouisfed.org", "api.stlouisfed.org", "mba.tuck.dartmouth.edu",
)  # fmt: skip
SLOW_SECONDS = 3.0


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection: plain, or inside the tunnel that CONNECT opened."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True  # else every answer waits 40 ms for the one before it to be acknowledged
    tunnel = ""

    @property
    def world(self) -> World:
        """Shared by all connections."""
        return self.server.world  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""

    def do_CONNECT(self) -> None:
        """End TLS for a known host."""
        host = self.path.rsplit(":", 1)[0]
        if host not in HOSTS:
            self.world.note("BLOCKED", host=host)
            self.send_error(403, "not a host of the replay")
            self.close_connection = True
            return
        if self.world.fault(f"connect:{host}") == "reset":
            self.close_connection = True
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.wfile.flush()
        try:
            secure = self.server.tls.wrap_socket(self.connection, server_side=True)  # type: ignore[attr-defined]
        except OSError as error:
            self.world.note("TLS", host=host, error=str(error))
            self.close_connection = True
            return
        self.connection = self.request = secure
        self.tunnel = host
        self.rfile, self.wfile = secure.makefile("rb"), secure.makefile("wb", buffering=0)
        self.close_connection = False  # some clients say CONNECT in HTTP/1.0 and go on in 1.1

    def do_POST(self) -> None:
        """Control only."""
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.reply(200, json.dumps(self.world.control(given)))

    def do_GET(self) -> None:
        """Any question to the three services."""
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        host = self.tunnel or (url.hostname or "")
        name = unquote(url.path.rsplit("/", 1)[-1])
        if host in ("guce.yahoo.com", "consent.yahoo.com"):
            self.world.note("consent")
            self.reply(200, "<html>nothing to consent to</html>")
        elif host == "fc.yahoo.com":
            self.world.note("cookie")
            cookie = "A3=d=AQAB; Domain=.yahoo.com; Path=/; Expires=Wed, 01 Jan 2031 00:00:00 GMT; Secure"
            self.reply(404, "", headers={"Set-Cookie": cookie})
        elif name == "getcrumb":
            self.world.note("crumb")
            is_limited = self.world.fault("crumb") == "429"
            self.reply(429 if is_limited else 200, "Too Many Requests" if is_limited else "crumb")
        elif "/v8/finance/chart/" in url.path:
            self.chart(name, query)
        elif name == "fredgraph.csv":
            self.file("fred", query.get("id", ""), self.world.folder / "macro" / f"{query.get('id', '')}.csv")
        elif host == "api.stlouisfed.org":
            vintage = f"{query.get('series_id')}@{query.get('realtime_start')}"
            self.file("fred", vintage, self.world.folder / "vintages" / f"{vintage}.json", key=query.get("api_key", ""))
        elif host == "mba.tuck.dartmouth.edu":
            stem = name.removesuffix("_CSV.zip")
            self.file("french", stem, self.world.folder / "french" / f"{stem}.zip")
        else:
            self.world.note("UNKNOWN", host=host, path=url.path)
            self.reply(404, "<html>no such page</html>")

    def chart(self, symbol: str, query: dict[str, str]) -> None:
        """Yahoo's history of a ticker."""
        is_dated = "period1" in query
        fault = self.world.fault(symbol, "*") if is_dated else self.world.fault(f"tz:{symbol}")
        self.world.note("chart", name=symbol, dated=is_dated, fault=fault)
        if self.refused(fault):
            return
        rows = None if fault == "notfound" else self.world.prices(symbol)
        if rows is None:
            wrong = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            self.reply(404, json.dumps({"chart": {"result": None, "error": wrong}}))
            return
        whole = [dt.date.fromisoformat(rows[i]["date"][:10]) for i in (0, -1)]
        first, last = whole[-1] - dt.timedelta(days=6), whole[-1] + dt.timedelta(days=1)
        if is_dated:
            first, last = (dt.datetime.fromtimestamp(int(query[k]), NEW_YORK).date() for k in ("period1", "period2"))
        chart = chart_of(rows, first, last)
        if fault in FAULTS and chart.stamps:
            FAULTS[fault](chart)
        body = json.dumps({"chart": {"result": [answer(symbol, chart, whole[0])], "error": None}})
        self.send_cut(body.encode(), fault)

    def file(self, kind: str, name: str, path: Path, **about: str) -> None:
        """A file as it is, or with a fault."""
        fault = self.world.fault(f"{kind}:{name}")
        self.world.note(kind, name=name, fault=fault, **about)
        if self.refused(fault):
            return
        if fault == "notfound" or not path.is_file():
            self.reply(404, "<html>not found</html>")
            return
        self.send_cut(faulty_table(path.read_bytes(), fault), fault)

    def refused(self, fault: str) -> bool:
        """Answers that have nothing to do with what was asked."""
        if fault in ("429", "500", "504"):
            self.reply(int(fault), "Too Many Requests" if fault == "429" else "error", headers={"Retry-After": "1"})
        elif fault == "html":
            self.reply(200, "<html><body>Will be right back</body></html>")
        elif fault == "reset":
            self.close_connection = True
            self.connection.close()
        else:
            return False
        return True

    def send_cut(self, body: bytes, fault: str) -> None:
        """The body whole, cut to half with a length that fits, or broken off in the middle."""
        if fault == "slow":
            time.sleep(SLOW_SECONDS)
        if fault == "cut":
            self.reply(200, body[: len(body) // 2])
        elif fault == "broken_off":
            self.reply(200, body, sent=len(body) // 2)
        elif fault == "nan":
            self.reply(200, body.replace(b'"close": [', b'"close": [NaN, ', 1))
        else:
            self.reply(200, body)

    def reply(self, status: int, body: str | bytes, *, headers: dict[str, str] | None = None, sent: int = -1) -> None:
        """Send an answer, or the beginning of one."""
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data if sent < 0 else data[:sent])
        if sent >= 0:
            self.close_connection = True
            self.connection.close()


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A thread for each connection."""

    daemon_threads = True


def main(certificate: str, key: str) -> None:
    """Serve until stdin ends; the port is the first line on stdout."""
    server = Server(("127.0.0.1", 0), Handler)
    server.world = World()  # type: ignore[attr-defined]
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    tls.set_alpn_protocols(["http/1.1"])
    server.tls = tls  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
