"""Checks the pages of 'mrdib report' with a strict HTML parser and headless Chromium; see scripts/check-report.

Trains a run, a sweep of two objectives and two seeds, and another model; makes a report of the run (with its
decomposition), of the sweep, and of run and other model compared. Then, for every page: html5lib finds no
error; the browser reports nothing on its console and asks for nothing but the file, in light, dark, on a
narrow screen and on paper; nothing is wider than a narrow screen; every drawing has a description, every id is
unique, and the first key leads to the link over the contents. The numbers in the tables are those of
summary.json and of 'compare --json'. Last, the run is trained again by the settings and the command that its
report names, and must end in the same numbers.

Ends with 1 at the first difference.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile

import html5lib
from playwright.sync_api import sync_playwright

EVIL = "<img src=x onerror=alert(1)> & <script>alert('title')</script> \"quoted\""


def fail(problem):
    sys.exit(f"check-report: {problem}")


def expect(condition, problem):
    if not condition:
        fail(problem)


class Program:
    def __init__(self, path):
        self.path = os.path.abspath(path)

    def run(self, *arguments):
        result = subprocess.run([self.path, *map(str, arguments)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        if result.returncode:
            fail(f"'{shlex.join(map(str, arguments))}' ended with {result.returncode}: {result.stderr}")
        return result.stdout


def titled_data(program, folder):
    """A generated data set with titles that try to become markup, and categories."""
    data = os.path.join(folder, "data")
    program.run("data", "generate", "--out", data, "--users", 300, "--items", 240, "--interactions", 20)
    with open(os.path.join(data, "items.tsv"), "w") as file:
        file.write("itemID\tid\ttitle\tcategories\n")
        for item in range(240):
            file.write(f"{item}\tT{item}\t{EVIL} no. {item}\tkind {item % 5}\n")
    return data


def make_pages(program, options, folder):
    data = os.path.abspath(options.data) if options.data else titled_data(program, folder)
    run, other, sweep = (os.path.join(folder, name) for name in ("run", "other", "sweep"))
    common = ("--data", data, "--quiet", "--single-process", "--epochs", options.epochs)
    program.run("train", *common, "--run", run, "--model", options.model, "--set", "mrdib_form=gated")
    program.run("train", *common, "--run", other, "--model", "bpr", "--objective", "plain")
    program.run("sweep", "--data", data, "--quiet", "--run", sweep, "--model", options.model,
                "--set", f"epochs={max(2, options.epochs // 2)}", "--set", "objective=[plain, mrdib]",
                "--set", "seed=[1, 2]", "--set", "hyper_parameters=[objective, seed]")
    decompositions = []
    for name, arguments in (("before", ["--before"]), ("after", [])):
        path = os.path.join(folder, f"{name}.json")
        with open(path, "w") as file:
            file.write(program.run("decompose", run, "--json", "--quiet", *arguments))
        decompositions += ["--decomposition", path]
    out = options.out or folder
    os.makedirs(out, exist_ok=True)
    pages = {name: os.path.join(out, f"{name}.html") for name in ("run", "sweep", "comparison")}
    program.run("report", run, "--quiet", "--out", pages["run"], *decompositions)
    program.run("report", sweep, "--quiet", "--out", pages["sweep"])
    program.run("report", other, run, "--groups", "--quiet", "--out", pages["comparison"])
    return data, run, other, sweep, pages


def check_html(path):
    with open(path, "rb") as file:
        content = file.read()
    expect(len(content) < 8_000_000, f"{path} has {len(content)} bytes")
    parser = html5lib.HTMLParser(strict=False)
    tree = parser.parse(content)
    expect(not parser.errors, f"{path} is not valid HTML: {parser.errors[:3]}")
    names = [element.tag.split("}")[-1] for element in tree.iter() if isinstance(element.tag, str)]
    for banned in ("script", "img", "link", "iframe", "object", "base"):
        expect(banned not in names, f"{path} has an element '{banned}'")
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    expect(len(ids) == len(set(ids)), f"{path} has an id twice: {ids}")
    for element in tree.iter():
        link = element.get("href")
        expect(link is None or link[1:] in ids, f"{path} has a link to {link}")
        label = element.get("aria-labelledby")
        expect(label is None or label in ids, f"{path} names no element by '{label}'")


def check_in_browser(browser, path, screenshots):
    problems = []
    sizes = {"light": (1100, 900), "dark": (1100, 900), "narrow": (390, 800)}
    for kind, (width, height) in sizes.items():
        page = browser.new_page(viewport={"width": width, "height": height},
                                color_scheme="dark" if kind == "dark" else "light")
        page.on("console", lambda message: problems.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("request", lambda request: problems.append(f"request: {request.url}")
                if request.url != f"file://{path}" else None)
        page.goto(f"file://{path}")
        expect(not problems, f"{path} ({kind}): {problems}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        expect(wide <= width, f"{path} is {wide} pixels wide on a screen of {width}")
        unnamed = page.evaluate(
            "[...document.querySelectorAll('svg')].filter(e => !e.getAttribute('aria-label')"
            " && e.getAttribute('aria-hidden') != 'true').length")
        expect(unnamed == 0, f"{path} has {unnamed} drawings without a description")
        outside = page.evaluate(
            "[...document.querySelectorAll('svg[role=img] *')].filter(e => { const b = e.getBoundingClientRect(),"
            " s = e.closest('svg').getBoundingClientRect();"
            " return b.left < s.left - 3 || b.right > s.right + 3 || b.top < s.top - 3 || b.bottom > s.bottom + 3"
            " }).map(e => e.outerHTML.slice(0, 120))")
        expect(not outside, f"{path} ({kind}) draws outside of a drawing: {outside[:3]}")
        ground, ink = page.evaluate(
            "[getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.body).color]")
        is_dark = sum(map(int, ground[4:-1].split(","))) < sum(map(int, ink[4:-1].split(",")))
        expect(is_dark == (kind == "dark"), f"{path} ({kind}) has {ink} on {ground}")
        page.keyboard.press("Tab")
        first = page.evaluate("document.activeElement.className")
        expect(first == "skip", f"{path}: the first key leads to '{first}'")
        if screenshots:
            page.screenshot(path=f"{path[:-5]}-{kind}.png", full_page=True)
            if kind == "light":
                page.pdf(path=f"{path[:-5]}.pdf", prefer_css_page_size=True)
        page.close()


def tables(browser, path):
    """The tables of a page by caption, as rows of cells."""
    page = browser.new_page()
    page.goto(f"file://{path}")
    found = page.evaluate(
        "[...document.querySelectorAll('table')].map(t => [t.caption.textContent,"
        " [...t.rows].map(r => [...r.cells].map(c => c.textContent))])")
    texts = {name: page.evaluate(f"document.getElementById('{name}')?.textContent")
             for name in ("settings", "command")}
    page.close()
    return dict(reversed(found)), texts


def check_run(browser, path, run):
    found, texts = tables(browser, path)
    with open(os.path.join(run, "summary.json")) as file:
        summary = json.load(file)
    compared = 0
    for split, caption in (("valid", "Validation"), ("test", "Test")):
        header, *rows = found[caption]
        shown = {f"{row[0]}{cutoff}": cell for row in rows for cutoff, cell in zip(header[1:], row[1:])}
        expect(set(shown) == set(summary[split]), f"{split}: {sorted(shown)} are shown")
        for name, value in summary[split].items():
            expect(shown[name] == f"{value:.4f}", f"{split} {name} is shown as {shown[name]}, not {value:.4f}")
            compared += 1
    return texts, compared


def check_comparison(browser, path, report):
    found, _ = tables(browser, path)
    compared = 0
    for metric in report["metrics"]:
        _, *rows = found[f"{report['split']} {metric}"]
        for row, expected in zip(rows, report["rows"], strict=True):
            mean = expected["values"][metric]["mean"]
            expect(row[2].startswith(f"{mean:.4f}"), f"{metric}: {row} is shown for {mean}")
            difference = expected["differences"].get(metric)
            if difference:
                interval = difference["relative_gain_interval"]
                texts = [f"{difference['relative_gain'] * 100:+.2f} %",
                         f"{interval['lower'] * 100:+.2f} … {interval['upper'] * 100:+.2f} %"]
                for name in ("t_test_holm_p_value", "wilcoxon_holm_p_value"):
                    value = difference[name]
                    texts.append(f"{value:.4f}" if value >= 0.0001 else f"{value:.1e}")
                expect(row[3:7] == texts, f"{metric}: {row[3:7]} is shown, and compare has {texts}")
            compared += 1
    return compared


def check_again(program, texts, run, folder):
    """Trains the run again as its report says."""
    settings = os.path.join(folder, "settings.yaml")
    with open(settings, "w") as file:
        file.write(texts["settings"])
    words = shlex.split(texts["command"])
    expect(words[:2] == ["mrdib", "train"], f"the command is {words}")
    again = os.path.join(folder, "again")
    words = [settings if word == "settings.yaml" else again if word == "again" else word for word in words]
    program.run(*words[1:], "--quiet", "--single-process")
    results = []
    for path in (run, again):
        with open(os.path.join(path, "summary.json")) as file:
            summary = json.load(file)
        results.append({key: summary[key] for key in ("best_epoch", "valid", "test", "seed", "model")})
    expect(results[0] == results[1], f"made again it has {results[1]}, not {results[0]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=".build/release/mrdib")
    parser.add_argument("--data")
    parser.add_argument("--model", default="vbpr")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--out")
    options = parser.parse_args()
    if options.out:
        options.out = os.path.abspath(options.out)
    program = Program(options.program)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        _, run, other, sweep, pages = make_pages(program, options, folder)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for path in pages.values():
            check_html(path)
            check_in_browser(browser, path, screenshots=bool(options.out))
            print(f"{os.path.basename(path)}\t{os.path.getsize(path) // 1000} kB\tvalid, silent, complete")
        texts, count = check_run(browser, pages["run"], run)
        print(f"run.html\t{count} metrics are those of summary.json")
        compared = json.loads(program.run("compare", other, run, "--json"))
        print(f"comparison.html\t{check_comparison(browser, pages['comparison'], compared)} rows are those of compare")
        compared = json.loads(program.run("compare", sweep, "--json"))
        print(f"sweep.html\t{check_comparison(browser, pages['sweep'], compared)} rows are those of compare")
        browser.close()
        check_again(program, texts, run, folder)
        print("run.html\tits settings and its command make the same run again")


if __name__ == "__main__":
    main()
