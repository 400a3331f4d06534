"""The checks of scripts/check-page."""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from axe_core_python.selenium import Axe
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

SIZES = {"light": (1280, 1000), "dark": (1280, 1000), "narrow": (320, 800)}
# Rules of axe-core that are advice about pages of another kind.
AXE_LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Failure(Exception):
    pass


def require(condition, text):
    if not condition:
        raise Failure(text)


def note(text):
    print(f"check-page: {text}", flush=True)


class Browser:
    """Headless Chromium that records its console and every address that it asks."""

    def __init__(self):
        options = Options()
        for argument in [
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars",
            "--force-device-scale-factor=1", "--disable-background-networking",
        ]:
            options.add_argument(argument)
        options.set_capability(
            "goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(
            options=options, service=Service(shutil.which("chromedriver")))
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.addresses = set()
        self.console = []

    def look(self, scheme, width, height):
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        time.sleep(0.6)

    def screenshot(self, path):
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        result = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": size["width"],
                     "height": min(size["height"], 6000), "scale": 1}})
        import base64
        pathlib.Path(path).write_bytes(base64.b64decode(result["data"]))

    def collect(self):
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.addresses.add(message["params"]["request"]["url"])
        self.console += [entry for entry in self.driver.get_log("browser")]

    def text(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, what, condition, seconds=120):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                value = condition()
                if value:
                    return value
            except Exception as problem:  # The page may be between two states.
                last = problem
            time.sleep(0.2)
        raise Failure(f"not within {seconds} s: {what}; state: {self.text('#state')!r}")


started = []


def start(program, arguments, log):
    process = subprocess.Popen(
        [program, *arguments], stdout=log, stderr=log, start_new_session=True)
    started.append(process)
    return process


def end_all():
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def address(log, process, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = re.search(r"page: (http://\S+/)", log.read_text())
        if found:
            return found[1]
        require(process.poll() is None, f"the program ended:\n{log.read_text()}")
        time.sleep(0.1)
    raise Failure(f"no page:\n{log.read_text()}")


def check_accessibility(browser, name):
    results = Axe().run(browser.driver, options={"runOnly": AXE_LEVELS})
    found = [
        f"{entry['id']} ({entry['impact']}): {entry['help']}: "
        + "; ".join(node["html"][:160] for node in entry["nodes"][:3])
        for entry in results["violations"]
    ]
    require(not found, f"{name}: axe-core found\n  " + "\n  ".join(found))
    return len(results["passes"])


def check_structure(browser):
    page = browser.run("""
      const all = (selector) => [...document.querySelectorAll(selector)];
      const shown = (element) => element.checkVisibility();
      return {
        lang: document.documentElement.lang,
        headings: all("h1, h2, h3").filter(shown).map((h) => [h.tagName, h.textContent]),
        mains: all("main").length,
        unnamed: all("input, select").filter((e) => !e.labels.length).length,
        tables: all("table").filter((t) => t.rows.length && !t.caption).length,
        charts: all("figure.chart").length,
        chartsWithTable: all("figure.chart details").length,
        sliders: all("svg[role=slider]").filter((s) => s.getAttribute("aria-valuetext")).length,
        wide: document.documentElement.scrollWidth - window.innerWidth,
      };""")
    require(page["lang"] == "en" and page["mains"] == 1, f"landmarks: {page}")
    require([h for h in page["headings"] if h[0] == "H1"][0][1], "no h1")
    require(page["unnamed"] == 0, "a control has no label")
    require(page["tables"] == 0, "a table has no caption")
    require(page["charts"] >= 6, f"{page['charts']} charts")
    require(page["charts"] == page["chartsWithTable"] == page["sliders"],
            f"a chart has no table or no text: {page}")
    require(page["wide"] <= 0, f"the page is {page['wide']} px too wide")
    return page


def metrics(run):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def check_values(browser, run):
    """The numbers behind the charts are those of metrics.jsonl, to the last digit."""
    shown = browser.run("""
      const rows = (id) => {
        const details = document.querySelector(`#${id} details`);
        details.open = true;
        page.charts.get(id).fillTable();
        return [...document.querySelectorAll(`#${id} tbody tr`)].map((row) =>
          [...row.cells].map((cell) => cell.textContent));
      };
      const result = { metric: rows("chart-metric"), loss: rows("chart-loss"), sigma: rows("chart-sigma"),
        name: document.getElementById("metric").value };
      for (const details of document.querySelectorAll("figure details")) details.open = false;
      return result;""")
    lines = {line["epoch"]: line for line in metrics(run)}
    count = 0
    for epoch, valid, test in shown["metric"]:
        line = lines.get(int(epoch))
        # The newest epoch may be shown before its line is written, and the other way round.
        if line is None:
            continue
        name = shown["name"]
        if valid != "–":
            require(float(valid) == line["valid"][name], f"valid {name} of epoch {epoch}: {valid}")
            require(float(test) == line["test"][name], f"test {name} of epoch {epoch}: {test}")
            count += 2
    for epoch, loss in shown["loss"]:
        if int(epoch) in lines:
            require(float(loss) == lines[int(epoch)]["loss"]["total"], f"loss of epoch {epoch}")
            count += 1
    for epoch, *values in shown["sigma"]:
        if int(epoch) in lines:
            names = sorted(n for n in lines[int(epoch)]["stat"] if n.startswith("sigma."))
            expected = [lines[int(epoch)]["stat"][name] for name in names]
            require([float(v) for v in values] == expected, f"sigma of epoch {epoch}")
            count += len(values)
    require(count >= 5, f"only {count} numbers were compared")
    return count


def check_requests(browser, base):
    browser.collect()
    foreign = [url for url in browser.addresses
               if not url.startswith(base) and not url.startswith(("data:", "chrome:", "about:"))]
    require(not foreign, f"the page asked other addresses: {foreign}")


def check_console(browser, allowed=()):
    browser.collect()
    bad = [entry["message"] for entry in browser.console if entry["level"] in ("SEVERE", "WARNING")
           and not any(word in entry["message"] for word in allowed)]
    require(not bad, f"the console has: {bad}")


def check_keyboard(browser):
    chart = browser.driver.find_element(By.CSS_SELECTOR, "#chart-metric svg[role=slider]")
    browser.run("arguments[0].focus()", chart)
    chart.send_keys(Keys.HOME)
    first = chart.get_attribute("aria-valuetext")
    chart.send_keys(Keys.ARROW_RIGHT)
    second = chart.get_attribute("aria-valuetext")
    require(first.startswith("epoch 0:") and second.startswith("epoch 1:"),
            f"the arrow keys do not read values: {first!r}, {second!r}")
    outline = browser.run(
        "return getComputedStyle(arguments[0]).outlineStyle", chart)
    require(outline != "none", "the focus is not visible")
    browser.run("document.activeElement.blur()")


def screenshots(browser, out, state):
    for name, (width, height) in SIZES.items():
        browser.look("dark" if name == "dark" else "light", width, height)
        check_structure(browser)
        passes = check_accessibility(browser, f"{state}, {name}")
        browser.screenshot(out / f"{state}-{name}.png")
    browser.look("light", *SIZES["light"])
    note(f"{state}: screenshots in light, dark and 320 px; axe-core has no objection "
         f"({passes} rules passed)")


def children(process, word):
    """Ids of the processes that a launcher started, by a word of their command lines."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
            line = (folder / "cmdline").read_bytes().split(b"\0")
        except (OSError, IndexError):
            continue
        if int(parent) == process.pid and word.encode() in line:
            found.append(int(folder.name))
    return found


def status(program, *arguments):
    result = subprocess.run(
        [program, "status", *arguments, "--json"], capture_output=True, text=True, check=False)
    require(result.returncode == 0, f"status failed: {result.stderr}")
    return json.loads(result.stdout)


def live(arguments, folder, browser):
    """A cluster while it trains, after the loss of a worker, and when it is done."""
    program, out = arguments.program, arguments.out
    run = folder / "run"
    log = folder / "live.log"
    with log.open("w") as file:
        process = start(program, [
            "train", "--model", "vbpr", "--objective", "mrdib", "--run", str(run), "--epochs",
            str(arguments.epochs), "--workers", "3", "--servers", "2", "--shards", "6", "--page", "0",
            "--set", "node_timeout_ms=3000", "--set", "heartbeat_interval_ms=300",
            "--set", "hang_timeout_ms=60000", "--set", f"stopping_step={arguments.epochs}",
            *(["--data", arguments.data] if arguments.data else []),
        ], file)
    base = address(log, process)
    browser.driver.get(base)
    browser.wait("four epochs", lambda: len(metrics(run)) >= 4
                 and browser.run("return page.epochs.size") >= 4)
    require("Training" in browser.text("#state") or "Evaluating" in browser.text("#state")
            or "Saving" in browser.text("#state"), f"state {browser.text('#state')}")
    require("–" not in browser.text("#facts dd"), "no time left")
    rows = browser.driver.find_elements(By.CSS_SELECTOR, "#nodes-table tbody tr")
    require(len(rows) == 5, f"{len(rows)} nodes in place of 5")
    note(f"training: {check_values(browser, run)} numbers equal those of metrics.jsonl")
    check_keyboard(browser)
    screenshots(browser, out, "training")
    check_console(browser)
    check_requests(browser, base)

    seen = status(program, "--coordinator", base)
    require(seen["schema"] == 1 and len(seen["nodes"]) == 5, "status from the page")
    files = status(program, "--run", str(run))
    require(files["state"] == "running", f"status from the files: {files['state']}")

    # A worker that is silent counts as lost; its launcher does not replace it for a minute.
    victim = children(process, "worker-1")[0]  # Its rank may be another one.
    os.kill(victim, signal.SIGSTOP)
    browser.wait("a lost worker", lambda: "lost" in browser.text("#nodes-table"))
    require("lost" in browser.text("#events-list"), "the loss is no event")
    browser.wait("the warning", lambda: re.search(
        r"Worker \d is lost .*the others do its work", browser.text("#message")))
    require(browser.driver.find_elements(By.CSS_SELECTOR, "#chart-metric .event-line"),
            "the loss is not in the curves")
    screenshots(browser, out, "worker-lost")
    # A short run may be over by now, and its page gone; the launcher still waits for the worker.
    is_over = (run / "summary.json").exists()
    check_console(browser, allowed=["ERR_CONNECTION_REFUSED"] if is_over else [])
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        pass  # A short run may be over.

    browser.wait("the end", lambda: "Done" in browser.text("#state"), seconds=900)
    require(process.wait(timeout=60) == 0, f"the run failed:\n{log.read_text()}")
    summary = json.loads((run / "summary.json").read_text())
    require(f"epoch {summary['best_epoch']}" in browser.text("#facts"), "the best epoch")
    require(f"best epoch {summary['best_epoch']}" in browser.text("#chart-metric svg .best-text"),
            "the best epoch is not marked")
    browser.wait("the note of the end", lambda: "has ended" in browser.text("#connection"))
    note(f"done: {check_values(browser, run)} numbers equal those of metrics.jsonl")
    screenshots(browser, out, "done")
    check_console(browser, allowed=["ERR_CONNECTION_REFUSED"])
    check_requests(browser, base)
    # The page would ask for its run again and again, and note in the console that none answers.
    browser.driver.get("about:blank")
    browser.collect()
    browser.console.clear()
    browser.addresses.clear()
    require(status(program, "--run", str(run))["state"] == "completed", "status when done")
    return run


def side_by_side(arguments, folder, browser):
    """The page of a folder with runs in it, one of them dead, with a token."""
    program, out = arguments.program, arguments.out
    common = ["--epochs", "6", "--single-process", "--quiet",
              *(["--data", arguments.data] if arguments.data else [])]
    for rate in ["0.001", "0.003"]:
        subprocess.run(
            [program, "train", "--model", "vbpr", "--set", f"learning_rate={rate}",
             "--run", str(folder / f"rate-{rate}"), *common],
            check=True, capture_output=True)
    with (folder / "dead.log").open("w") as file:
        dead = start(program, [
            "train", "--model", "vbpr", "--run", str(folder / "dead"), "--epochs", "1000",
            "--single-process", *common[3:]], file)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (folder / "dead/metrics.jsonl").exists():
        time.sleep(0.2)
    time.sleep(2)
    os.killpg(dead.pid, signal.SIGKILL)
    dead.wait()
    require(status(program, "--run", str(folder / "dead"))["state"] == "dead", "a dead run")

    token = folder / "token"
    token.write_text("0123456789abcdef-secret\n")
    log = folder / "page.log"
    with log.open("w") as file:
        process = start(program, [
            "page", str(folder), "--listen", "0", "--page-token", str(token)], file)
    try:
        base = address(log, process)
        try:
            urllib.request.urlopen(base)
            raise Failure("the page was given without its token")
        except urllib.error.HTTPError as refusal:
            require(refusal.code == 401, f"status {refusal.code}")
        browser.driver.get(f"{base}?token=0123456789abcdef-secret")
        browser.wait("four runs", lambda: len(browser.driver.find_elements(
            By.CSS_SELECTOR, "#runs-table tbody tr")) == 4)
        require("Not running" in browser.text("#runs-table"), "the dead run")
        require("learning_rate" in browser.text("#runs-table"), "the setting that differs")
        browser.driver.find_element(By.LINK_TEXT, "rate-0.003").click()
        browser.wait("the chosen run", lambda: "rate-0.003" in browser.text("#title"))
        check_values(browser, folder / "rate-0.003")
        screenshots(browser, out, "side-by-side")
        check_console(browser)
        check_requests(browser, base)
        try:
            urllib.request.urlopen(f"{base}api/run?run=../..&token=0123456789abcdef-secret")
            raise Failure("a path beyond the folder was answered")
        except urllib.error.HTTPError as refusal:
            require(refusal.code == 404, f"status {refusal.code}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--data")
    parser.add_argument("--epochs", type=int, default=int(os.environ.get("EPOCHS", "150")))
    arguments = parser.parse_args()
    begun = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mrdib-page-"))
    browser = Browser()
    try:
        live(arguments, folder, browser)
        side_by_side(arguments, folder, browser)
        note(f"passed in {time.monotonic() - begun:.0f} s; screenshots in {arguments.out}")
    except Failure as failure:
        browser.screenshot(arguments.out / "failure.png")
        sys.exit(f"check-page: FAILED: {failure}")
    finally:
        browser.driver.quit()
        end_all()
        shutil.rmtree(folder, ignore_errors=True)


main()
