// The browser's part of `.ci/screenshots`.
//
//     page ADDRESS SECONDS FOLDER    the page after so many seconds: light, dark, and on a phone
//     terminal HTML FILE             the screen of a terminal, as `aha` has written it

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const { chromium } = createRequire(resolve("target/tools", "page.js"))("playwright-core");
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const PICTURES = [
  { file: "page.png", colorScheme: "light", viewport: { width: 1200, height: 2060 } },
  { file: "page-dark.png", colorScheme: "dark", viewport: { width: 1200, height: 2060 } },
  { file: "page-phone.png", colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, deviceScaleFactor: 1.5 },
];

async function page(browser, [address, seconds, folder]) {
  const opened = [];
  for (const { file, ...options } of PICTURES) {
    const view = await (await browser.newContext({ locale: "en-GB", ...options })).newPage();
    await view.goto(address);
    opened.push({ view, file });
  }
  await new Promise((resume) => setTimeout(resume, Number(seconds) * 1000));
  for (const { view, file } of opened) await view.screenshot({ path: join(folder, file) });
}

async function terminal(browser, [html, file]) {
  const view = await (await browser.newContext({ viewport: { width: 1400, height: 1000 } })).newPage();
  const style = `
    body { margin: 0; background: #11151b; }
    pre { display: inline-block; margin: 0; padding: 14px 18px; color: #d7dce4; background: #11151b;
      font: 14px/1.22 "DejaVu Sans Mono", monospace; }`;
  await view.setContent(`<style>${style}</style><pre>${readFileSync(html, "utf8")}</pre>`);
  await view.locator("pre").screenshot({ path: file });
}

const [what, ...rest] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.MVX_CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS });
try {
  await { page, terminal }[what](browser, rest);
} finally {
  await browser.close();
}
