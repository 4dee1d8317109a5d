// When the page looks, and what it says when nobody answers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, open } from "./browser.mjs";
import { proxyBelow, startProgram } from "./program.mjs";
import { scoped } from "./scope.mjs";

const LOADING_FAILED = /^Failed to load resource/;
const looksOf = (view) => view.requests.filter((url) => url.includes("page/data")).length;

/** Waits for as long as a page that looks would look several times. */
const forSeveralLooks = () => new Promise((resume) => setTimeout(resume, 3000));

test("pg1_a_paused_page_does_not_look", scoped(async (scope) => {
  const program = await startProgram(scope, 2);
  const view = await open(scope, program.url);
  await view.page.getByRole("button", { name: "Pause" }).click();
  await eventually(() => view.text("#looked"), (text) => text.startsWith("paused"));
  const looks = looksOf(view);
  await forSeveralLooks();
  assert.ok(looksOf(view) <= looks + 1, "at most the look that was on its way");
  await program.command("requests 0 12");
  await view.page.getByRole("button", { name: "Resume" }).click();
  await eventually(() => view.text(".tile .value"), "12");
}));

test("pg1_a_hidden_page_does_not_look", scoped(async (scope) => {
  const program = await startProgram(scope, 2);
  const view = await open(scope, program.url, {
    init: () => {
      window.isHidden = false;
      Object.defineProperty(document, "hidden", { get: () => window.isHidden });
    },
  });
  const setHidden = (hidden) => view.page.evaluate((now) => {
    window.isHidden = now;
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await setHidden(true);
  const looks = looksOf(view);
  await forSeveralLooks();
  assert.ok(looksOf(view) <= looks + 1, "at most the look that was on its way");
  await setHidden(false);
  await eventually(() => looksOf(view), (count) => count >= looks + 3);
}));

/** The page gets answers of the program that `change` has changed. */
async function changedAnswers(view, change) {
  await view.page.route("**/page/data*", async (route) => {
    const response = await route.fetch();
    const data = await response.json();
    change(data);
    await route.fulfill({ response, json: data });
  });
}

test("pg1_a_page_that_seldom_looks_says_when_and_why", scoped(async (scope) => {
  const program = await startProgram(scope, 2);
  const view = await open(scope, program.url);
  await changedAnswers(view, (data) => {
    data.next_look = 40;
  });
  await eventually(() => view.text("#looked"), (text) => /^live · \d\d:\d\d:\d\d · next look in \d\d s$/.test(text));
  assert.match(await view.page.locator("#looked").getAttribute("title"), /^One sample takes the program long/);
  await view.page.unrouteAll({ behavior: "wait" });
}));

test("pg1_a_program_that_was_started_again_continues_the_charts", scoped(async (scope) => {
  const program = await startProgram(scope, 2);
  await program.command("requests 0 3");
  const view = await open(scope, program.url);
  // Every answer is the fifth sample of a program.
  let looks = 0;
  await changedAnswers(view, (data) => {
    looks += 1;
    data.sample = 5;
    data.next_look = 0.25;
  });
  const points = () => view.page.locator(".namespace .spark").first().evaluate((spark) => Number(spark.dataset.points));
  await eventually(() => looks, (count) => count >= 12);
  assert.ok(await points() >= 3, `${await points()} points`);
  await view.page.unrouteAll({ behavior: "wait" });
}));

test("pg1_the_largest_and_smallest_numbers_are_drawn", scoped(async (scope) => {
  const program = await startProgram(scope, 2);
  await program.command("requests 0 3");
  const view = await open(scope, program.url);
  await eventually(() => view.texts(".tile .value"), (values) => values.length > 3);
  let sign = 1;
  await changedAnswers(view, (data) => {
    sign = -sign;
    for (const dimension of data.metrics.rows.flatMap((row) => row.dimensions)) {
      dimension.value = sign * Number.MAX_VALUE;
      if (dimension.rate !== null) dimension.rate = sign * Number.MAX_VALUE;
      if (dimension.distribution) {
        dimension.distribution.bounds = [0, 5e-324, 1e300, Number.MAX_VALUE];
        dimension.distribution.recent = [1, 2, 3];
      }
    }
  });
  const numbers = () => view.texts(".distribution .axis span");
  await eventually(numbers, (axis) => axis.length >= 3 && axis.every((text) => text !== ""));
  assert.ok((await numbers()).every((text) => !/NaN|Infinity/.test(text)), String(await numbers()));
  const lines = () => view.page.locator(".tile .spark .line").evaluateAll((found) => found.map((line) => line.getAttribute("d")));
  await eventually(lines, (found) => found.some((line) => line.split("L").length > 3));
  assert.ok((await lines()).every((line) => !/NaN|Infinity/.test(line)), String(await lines()));
  await view.page.unrouteAll({ behavior: "wait" });
}));

test("pg1_there_is_never_a_second_request_on_its_way", scoped(async (scope) => {
  const program = await startProgram(scope, 25);
  const view = await open(scope, program.url);
  let onTheirWay = 0;
  let most = 0;
  let answered = 0;
  await view.page.route("**/page/data*", async (route) => {
    onTheirWay += 1;
    most = Math.max(most, onTheirWay);
    const answer = await route.fetch();
    await new Promise((resume) => setTimeout(resume, 700));
    onTheirWay -= 1;
    answered += 1;
    await route.fulfill({ response: answer });
  });
  for (const name of ["Recorder", "Age", "Lost", "Recorder"]) {
    await view.page.getByRole("button", { name, exact: true }).click();
  }
  await view.page.locator("#search").pressSequentially("0002");
  await eventually(() => view.texts("#recorder-rows .id .name"), (ids) => ids.length === 6 && ids[0] === "recorder-00002");
  await eventually(() => answered, (count) => count >= 3);
  assert.equal(most, 1);
  await view.page.unrouteAll({ behavior: "wait" });
}));

test("pg1_a_program_that_disappears_is_said_and_its_return_is_seen", scoped(async (scope) => {
  const program = await startProgram(scope, 3);
  await program.command("requests 0 7");
  const view = await open(scope, program.url, { expected: LOADING_FAILED });
  assert.equal(await view.page.locator("#banner").isVisible(), false);
  await program.kill();
  await eventually(() => view.page.locator("#banner").isVisible(), true);
  assert.equal(await view.text("#banner-text"), "The program does not answer.");
  assert.match(await view.text("#banner-retry"), /The numbers below are \d+(\.\d+)? (s|min) old\./);
  // The last numbers stay, and are grey.
  assert.equal(await view.text(".tile .value"), "7");
  assert.match(await view.page.locator("main").evaluate((main) => getComputedStyle(main).filter), /grayscale/);
  // The time to the next look grows.
  const looks = looksOf(view);
  await eventually(() => view.text("#banner-retry"), (text) => /Next try in [3-9] s/.test(text));
  assert.ok(looksOf(view) - looks <= 4, `${looksOf(view) - looks} looks`);
  const again = await startProgram(scope, 1, { port: program.port });
  await again.command("requests 0 5");
  await eventually(() => view.page.locator("#banner").isVisible(), false);
  await eventually(() => view.text(".tile .value"), "5");
  assert.equal(await view.page.locator("main").evaluate((main) => getComputedStyle(main).filter), "none");
}));

test("pg1_a_shutdown_shows_the_reason_and_then_the_final_state", scoped(async (scope) => {
  const program = await startProgram(scope, 3);
  await program.command("requests 0 7");
  const view = await open(scope, program.url, { expected: LOADING_FAILED });
  await program.command("shutdown");
  const banner = await eventually(() => view.text("#banner-text"), (text) => text.includes("shows nothing"));
  // The words of the program, not only a number.
  const reason = banner.split("shows nothing: ")[1];
  assert.match(reason, /STOPPING|shut(ting)? down/i);
  await program.command("release");
  await eventually(() => view.page.locator("#banner").isVisible(), false);
  await eventually(() => view.text(".namespace"), (text) => text.includes("shut down"));
  assert.equal(await view.text(".tile .value"), "7");
}));

test("pg1_an_answer_that_is_no_look_is_said", scoped(async (scope) => {
  const program = await startProgram(scope, 3);
  const view = await open(scope, program.url, { expected: LOADING_FAILED });
  await view.page.route("**/page/data*", (route) => route.fulfill({ status: 200, body: "<html>" }));
  await eventually(() => view.text("#banner-text"), (text) => text.startsWith("The page could not show the answer"));
  await view.page.unrouteAll({ behavior: "wait" });
  await eventually(() => view.page.locator("#banner").isVisible(), false);
}));

test("pg1_the_page_works_below_a_prefix", scoped(async (scope) => {
  const program = await startProgram(scope, 12);
  await program.command("requests 0 7");
  const view = await open(scope, await proxyBelow(scope, "/ops/shop/", program));
  assert.equal(await view.text(".tile .value"), "7");
  await view.page.getByRole("button", { name: "Next" }).first().click();
  await eventually(() => view.text("#recorder-pages span"), "Page 2 of 2");
  assert.ok(view.requests.every((url) => url.startsWith("data:") || new URL(url).pathname.startsWith("/ops/shop/")));
}));
