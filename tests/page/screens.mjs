// Phones, dark mode and contrast.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, open, tooWide } from "./browser.mjs";
import { startProgram } from "./program.mjs";
import { scoped } from "./scope.mjs";

/** A program of which the page shows all that it can show. */
async function everything(scope) {
  const program = await startProgram(scope, 25);
  for (const command of ["load on", "fail 1", "fail_recorder", "drop", "other"]) await program.command(command);
  return program;
}

/** The texts with less contrast than WCAG AA asks for: 4.5, and 3 for large ones. Returns how many it has measured, too. */
function contrasts(page) {
  return page.evaluate(() => {
    const parsed = (colour) => {
      const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
      return { parts: [red, green, blue], alpha };
    };
    const luminance = (parts) => {
      const [red, green, blue] = parts.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const ground = (element) => {
      const layers = [];
      for (let at = element; at; at = at.parentElement) {
        const layer = parsed(getComputedStyle(at).backgroundColor);
        layers.push(layer);
        if (layer.alpha === 1) break;
      }
      return layers.reverse().reduce((below, { parts, alpha }) => parts.map((part, index) => part * alpha + below[index] * (1 - alpha)), [255, 255, 255]);
    };
    const found = { measured: 0, low: [] };
    for (const element of document.querySelectorAll("body *")) {
      const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
      if (!hasText || !element.checkVisibility() || element.closest("noscript, [aria-disabled=true]")) continue;
      const style = getComputedStyle(element);
      const lights = [luminance(parsed(style.color).parts), luminance(ground(element))].sort((one, other) => other - one);
      const ratio = (lights[0] + 0.05) / (lights[1] + 0.05);
      const isLarge = Number.parseFloat(style.fontSize) >= 24 || (Number.parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
      found.measured += 1;
      if (ratio < (isLarge ? 3 : 4.5)) found.low.push(`${element.tagName}.${element.className} "${element.textContent.slice(0, 30)}": ${ratio.toFixed(2)}`);
    }
    return found;
  });
}

for (const colorScheme of ["light", "dark"]) {
  test(`pg1_every_text_can_be_read_on_a_${colorScheme}_screen`, scoped(async (scope) => {
    const program = await everything(scope);
    const view = await open(scope, program.url, { colorScheme });
    await eventually(() => view.texts("#problem-list li"), (items) => items.length === 3);
    const { measured, low } = await contrasts(view.page);
    assert.ok(measured > 100, `${measured} texts`);
    assert.deepEqual(low, []);
    const brightness = (selector) => view.page.locator(selector).first().evaluate((element) => {
      const parts = getComputedStyle(element).backgroundColor.match(/\d+/g).map(Number);
      return Math.max(...parts);
    });
    for (const selector of ["html", "header", ".panel"]) {
      const level = await brightness(selector);
      assert.ok(colorScheme === "dark" ? level < 50 : level > 230, `${selector}: ${level}`);
    }
  }));
}

for (const width of [360, 768]) {
  test(`pg1_nothing_is_wider_than_a_screen_of_${width}_pixels`, scoped(async (scope) => {
    const program = await everything(scope);
    const view = await open(scope, program.url, { viewport: { width, height: 740 }, isMobile: true, hasTouch: true });
    await eventually(() => view.texts("#problem-list li"), (items) => items.length === 3);
    assert.deepEqual(await tooWide(view.page), []);
    // All columns can be read and sorted by.
    const first = view.page.locator("#recorder-rows tr").first();
    assert.match(await first.innerText(), /recorder|narrow|broken|elsewhere/);
    await view.page.getByRole("button", { name: "Pending" }).click();
    await eventually(() => view.page.locator("th[aria-sort=descending]").innerText(), "Pending");
    assert.ok((await view.page.locator(".heat").first().boundingBox()).width > 200);
  }));
}

test("pg1_a_look_moves_nothing_on_the_page", scoped(async (scope) => {
  const program = await everything(scope);
  const view = await open(scope, program.url);
  await eventually(() => view.texts("#problem-list li"), (items) => items.length === 3);
  const places = () => view.page.evaluate(() => {
    const sections = [...document.querySelectorAll("main > section, .metric, .tile")];
    return sections.map((element) => Math.round(element.getBoundingClientRect().top + scrollY));
  });
  const spark = view.page.locator(".spark").first();
  const points = () => spark.getAttribute("data-points").then(Number);
  await eventually(points, (count) => count >= 2);
  await view.page.evaluate(() => document.querySelectorAll(".tile, #recorder-rows tr, .panel").forEach((element) => { element.isOld = true; }));
  const [before, seen] = [await places(), await points()];
  await eventually(points, (count) => count >= seen + 2);
  assert.deepEqual(await places(), before);
  const fresh = await view.page.evaluate(() => [...document.querySelectorAll(".tile, .panel")].filter((element) => !element.isOld).length);
  assert.equal(fresh, 0, "elements change in place");
}));
