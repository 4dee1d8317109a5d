// Texts that try to be markup, and what the page may load.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, open, tooWide } from "./browser.mjs";
import { startProgram } from "./program.mjs";
import { scoped } from "./scope.mjs";

const MARKUP = "</script><img src=x onerror=alert(1)>";
const LIMIT = 80 * 1024;

async function hostile(scope, options) {
  const program = await startProgram(scope, 2);
  await program.command("hostile");
  return open(scope, program.url, options);
}

test("pg2_markup_in_ids_names_help_and_labels_is_text", scoped(async (scope) => {
  const view = await hostile(scope);
  const contents = (selector) => view.page.locator(selector).allTextContents();
  await eventually(() => contents("#recorder-rows .id .name"), (ids) => ids.includes(MARKUP));
  assert.ok((await contents("#recorder-rows .id .quiet")).includes(`entity ${MARKUP}`));
  assert.ok((await contents(".metric h3")).includes(MARKUP));
  assert.ok((await contents(".metric .help")).includes(MARKUP));
  assert.ok((await contents(".tile h4")).includes(MARKUP));
  const labels = await contents(".labels td");
  assert.ok(labels.includes(MARKUP) && labels.includes("e\u0301<b>bold</b>"), labels.join("\n"));
  const elements = await view.page.evaluate(() => [
    document.querySelectorAll("img, iframe, object, main b b, main script, [onerror]").length,
    document.querySelectorAll("script").length,
  ]);
  assert.deepEqual(elements, [0, 1]);
  // A search for markup, from the address too.
  await view.page.goto(`${new URL("/", view.page.url())}#search=${encodeURIComponent(MARKUP)}`);
  await eventually(() => view.text("#recorder-count"), "1 of 4");
  assert.equal(await view.page.locator("#search").inputValue(), MARKUP);
}));

for (const width of [1240, 360]) {
  test(`pg2_names_of_10_000_characters_do_not_break_a_screen_of_${width}_pixels`, scoped(async (scope) => {
    const view = await hostile(scope, { viewport: { width, height: 800 } });
    const long = view.page.locator("#recorder-rows .id .name", { hasText: /^id-W+/ });
    await eventually(() => long.count(), 1);
    assert.ok((await view.page.locator(".metric h3", { hasText: /^name-W+/ }).count()) === 1);
    assert.deepEqual(await tooWide(view.page), []);
    const heights = await view.page.locator("#recorder-rows tr, .tile, .labels tr, .metric .head").evaluateAll(
      (elements) => elements.map((element) => element.getBoundingClientRect().height),
    );
    assert.ok(Math.max(...heights) < 700, `the highest one has ${Math.max(...heights)} pixels`);
  }));
}

test("pg2_the_page_is_small_and_loads_only_its_own_files", scoped(async (scope) => {
  const program = await startProgram(scope, 2);
  await program.command("load on");
  const view = await open(scope, program.url);
  await eventually(() => view.requests.length, (count) => count >= 9);
  const paths = [...new Set(view.requests.map((url) => new URL(url)).filter((url) => url.protocol !== "data:").map((url) => url.pathname))];
  const files = paths.filter((path) => path !== "/page/data");
  assert.deepEqual(files.sort(), ["/", "/page/charts.js", "/page/page.css", "/page/page.js", "/page/view.js", "/page/words.js"]);
  let bytes = 0;
  for (const file of files) {
    const answer = await fetch(new URL(file, program.url), { headers: { "accept-encoding": "identity" } });
    bytes += (await answer.arrayBuffer()).byteLength;
  }
  console.log(`the page has ${bytes} bytes in ${files.length} files`);
  assert.ok(bytes > 1000 && bytes < LIMIT, `${bytes} bytes`);
}));

test("pg2_the_browser_runs_no_other_script_and_asks_no_other_host", scoped(async (scope) => {
  const program = await startProgram(scope, 2);
  const other = await startProgram(scope, 1);
  const view = await open(scope, program.url, { expected: /Content Security Policy|violates/ });
  // The document's own policy stops these, whatever gets into it.
  const outcome = await view.page.evaluate(async (elsewhere) => {
    const violated = [];
    document.addEventListener("securitypolicyviolation", (event) => violated.push(event.effectiveDirective));
    const script = document.createElement("script");
    script.textContent = "window.hasRun = true";
    document.body.append(script);
    const styled = document.createElement("div");
    styled.setAttribute("style", "color: red");
    document.body.append(styled);
    const image = document.createElement("img");
    image.src = `${elsewhere}x.png`;
    document.body.append(image);
    const asked = await fetch(elsewhere).then(() => "answered", () => "refused");
    await new Promise((resume) => setTimeout(resume, 200));
    return { asked, hasRun: window.hasRun === true, violated: [...new Set(violated)].sort() };
  }, other.url);
  assert.equal(outcome.asked, "refused");
  assert.equal(outcome.hasRun, false);
  for (const directive of ["connect-src", "img-src", "script-src-elem", "style-src-attr"]) {
    assert.ok(outcome.violated.includes(directive), `${directive} is not in ${outcome.violated}`);
  }
  // Playwright sees requests before the policy stops them.
  view.complaints.splice(0, view.complaints.length, ...view.complaints.filter((text) => !text.includes(other.url)));
}));
