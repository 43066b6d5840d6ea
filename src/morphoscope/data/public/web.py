"""Asking servers: one session with timeouts, an optional mirror, and a sentence for whatever goes wrong."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import requests

from morphoscope.errors import DownloadError

TIMEOUT_S = (10.0, 60.0)
"""To connect, and between two packets."""
TRIES = 5
TRANSIENT = (408, 425, 429, 500, 502, 503, 504)


class DownloadInterruptedError(Exception):
    """What may go better at the next try: a broken connection, a busy server."""


class Web:
    """mirror: an address that serves https://HOST/PATH as MIRROR/HOST/PATH. pause_s: before the second try; doubles each time."""

    def __init__(
        self, mirror: str = "", *, timeout_s: tuple[float, float] = TIMEOUT_S, tries: int = TRIES, pause_s: float = 1.0
    ) -> None:
        self._mirror, self._timeout, self.tries, self._pause = mirror.rstrip("/"), timeout_s, tries, pause_s
        self._session = requests.Session()
        # Bytes as they are stored: a compressed transfer could be neither resumed nor compared with a checksum.
        self._session.headers["Accept-Encoding"] = "identity"

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def address(self, url: str) -> str:
        """Where the file is asked for."""
        if not self._mirror:
            return url
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return f"{self._mirror}/{parts.netloc}{parts.path}{query}"

    def wait(self, tries_so_far: int) -> None:
        """Before another try."""
        time.sleep(self._pause * 2 ** (tries_so_far - 1))

    def get(self, url: str, headers: dict[str, str] | None = None) -> requests.Response:
        """The streamed answer with status 200, 206 or 416; whoever asks closes it.

        Raises DownloadInterruptedError for what may pass, DownloadError for what won't.
        """
        address = self.address(url)
        try:
            response = self._session.get(address, headers=headers, stream=True, timeout=self._timeout)
        except requests.exceptions.SSLError as error:
            raise DownloadError(
                f"{address}: its certificate can't be trusted ({error}); expected a server that proves who it is. "
                "Check the clock of this machine and the proxy, or name another --mirror."
            ) from error
        except requests.exceptions.RequestException as error:
            raise DownloadInterruptedError(reason(error)) from error
        if response.status_code in (200, 206, 416):
            return response
        response.close()
        if response.status_code in TRANSIENT:
            raise DownloadInterruptedError(f"the server answered {response.status_code} {response.reason}")
        raise DownloadError(_refusal(address, response))

    def text(self, url: str) -> str:
        """A small document. Raises DownloadError."""
        return self._document(url).text

    def json(self, url: str) -> Any:
        """A small JSON document. Raises DownloadError, also where it is none."""
        response = self._document(url)
        try:
            return response.json()
        except requests.exceptions.JSONDecodeError as error:
            raise DownloadError(
                f"{self.address(url)}: found {response.headers.get('Content-Type', 'something')}; expected the record as JSON. "
                "The repository may have changed: see whether there is a newer version of morphoscope."
            ) from error

    def _document(self, url: str) -> requests.Response:
        for tries in range(1, self.tries + 1):
            try:
                with self.get(url) as response:
                    _ = response.content
                    return response
            except (DownloadInterruptedError, requests.exceptions.RequestException) as error:
                if tries == self.tries:
                    raise DownloadError(
                        f"{self.address(url)}: {reason(error)}, {tries} times; expected the list of the record's files. "
                        "Check the connection, and run the same command again."
                    ) from error
                self.wait(tries)
        raise AssertionError("the last try returns or raises")


def reason(error: Exception) -> str:
    """What went wrong with a connection, in few words."""
    if isinstance(error, requests.exceptions.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError):
        text = str(error)
        if "Read timed out" in text:
            return "the server stopped sending"
        if "resolve" in text or "Name or service" in text:
            return "the server's name is unknown here"
        return "the connection broke" if "IncompleteRead" in text or "aborted" in text else "no connection"
    return str(error)


def _refusal(address: str, response: requests.Response) -> str:
    found = f"{address}: the server answered {response.status_code} {response.reason}"
    if response.status_code in (401, 403, 407):
        return (
            f"{found}; expected a file that is open to all. It may need a log-in: download it in a browser, put it into the "
            "downloads folder of --to, and run the same command again."
        )
    if response.status_code in (404, 410):
        return (
            f"{found}; expected the file. The record may have moved or changed: look at the data set's page, or name a --mirror."
        )
    return f"{found}; expected the file. Look at the data set's page, or name a --mirror."
