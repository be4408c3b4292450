# SPDX-License-Identifier: MIT
"""Reads the site in Chromium: browser.py FOLDER WORDS ADDRESS. The search for WORDS, typed in, must find a link that
ends with ADDRESS. The server forbids the browser to fetch anything from elsewhere; if a page tries to, status 3."""
import functools
import http.server
import sys
import threading

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait


class Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        self.send_header("Content-Security-Policy", "default-src 'self' 'unsafe-inline' data: blob:")
        super().end_headers()

    def log_message(self, *_):
        pass


def browser():
    options = webdriver.ChromeOptions()
    for option in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def main(folder, words, address):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with browser() as chromium:
        chromium.get(f"http://127.0.0.1:{server.server_port}/index.html")
        chromium.find_element(By.CSS_SELECTOR, "label[for=__search]").click()
        chromium.find_element(By.CSS_SELECTOR, "input[name=query]").send_keys(words)
        found = f"a.md-search-result__link[href$='{address}']"
        WebDriverWait(chromium, 120).until(lambda page: page.find_elements(By.CSS_SELECTOR, found))
        said = [entry["message"] for entry in chromium.get_log("browser")]
    print("\n".join(said))
    return 3 if any("Content Security Policy" in message for message in said) else 0


sys.exit(main(*sys.argv[1:]))
