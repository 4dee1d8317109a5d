// Chromium, and a page in it that notes everything that should not happen.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { after } from "node:test";

const { chromium } = createRequire(resolve(process.env.MVX_NODE_TOOLS ?? "target/tools", "page.js"))("playwright-core");

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const DEADLINE = 15_000;
let running;

/** One browser for all tests of a file; each page has a context of its own, with nothing in its memory. */
export async function browser() {
  running ??= chromium.launch({ executablePath: process.env.MVX_CHROMIUM ?? "/usr/bin/chromium", headless: true, args: ARGUMENTS });
  return running;
}

after(async () => {
  if (running) await (await running).close();
});

/**
 * Opens the page and waits for its first numbers. At its end the test fails if the page said anything in the console, asked
 * another origin, or opened a dialog. `expected` matches the messages of the console that belong to the test.
 */
export async function open(scope, url, { expected = null, init = null, numbers = true, ...options } = {}) {
  const context = await (await browser()).newContext({ viewport: { width: 1240, height: 900 }, locale: "en-GB", ...options });
  scope.defer(async () => {
    await context.close();
    assert.deepEqual(complaints, []);
  });
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  const { origin } = new URL(url);
  page.on("console", (message) => {
    const isExpected = expected?.test(message.text());
    if (["error", "warning"].includes(message.type()) && !isExpected) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    requests.push(request.url());
    const asked = new URL(request.url());
    if (asked.protocol !== "data:" && asked.origin !== origin) complaints.push(`another origin: ${request.url()}`);
  });
  await page.addInitScript(() => {
    // When the first numbers are on the page, in milliseconds since the navigation.
    new MutationObserver(() => {
      const main = document.getElementById("main");
      if (main && !main.hasAttribute("aria-busy")) window.firstNumbers ??= performance.now();
    }).observe(document, { attributes: true, childList: true, subtree: true });
  });
  if (init) await page.addInitScript(init);
  await page.goto(url);
  if (numbers) await page.waitForSelector("main:not([aria-busy])", { state: "attached", timeout: DEADLINE });
  return {
    page,
    requests,
    complaints,
    text: (selector) => page.locator(selector).first().innerText(),
    texts: (selector) => page.locator(selector).allInnerTexts(),
  };
}

/** Reads until the value is as wanted: equal, or one for which the function says so. Returns it. */
export async function eventually(read, wanted, deadline = DEADLINE) {
  const begun = Date.now();
  for (;;) {
    const value = await read();
    try {
      if (typeof wanted !== "function") assert.deepEqual(value, wanted);
      else assert.ok(wanted(value), `not yet: ${JSON.stringify(value)}`);
      return value;
    } catch (error) {
      if (Date.now() - begun > deadline) throw error;
      await new Promise((resume) => setTimeout(resume, 50));
    }
  }
}

/** Elements that are wider than the screen, or reach beyond it. */
export function tooWide(page) {
  return page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    const beyond = [...document.querySelectorAll("main *, header *")]
      .filter((element) => !element.classList.contains("hidden") && element.getBoundingClientRect().right > clientWidth + 1)
      .map((element) => `${element.tagName}.${element.className}`);
    return scrollWidth > clientWidth ? [`the document: ${scrollWidth}`, ...beyond] : beyond;
  });
}
