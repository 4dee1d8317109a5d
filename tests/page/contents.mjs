// What the page shows, against numbers that are known.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, open } from "./browser.mjs";
import { startProgram } from "./program.mjs";
import { scoped } from "./scope.mjs";

/** The tile of a dimension. */
const tile = (name) => `.tile:has(h4:text-is("${name}"))`;
const ids = (view) => view.texts("#recorder-rows .id .name");

test("pg1_the_first_look_has_the_known_numbers", scoped(async (scope) => {
  const program = await startProgram(scope, 3);
  await program.command("requests 0 7");
  await program.command("requests 1 2");
  const view = await open(scope, program.url);
  assert.equal(await view.page.title(), "tests.page · metrics");
  assert.equal(await view.text(`${tile("served")} .value`), "9");
  assert.equal(await view.text(`${tile("sent")} .value`), "9 KiB");
  assert.equal(await view.text(`${tile("duration")} .value`), "100 ms");
  // The gauges of both recorders add up.
  assert.equal(await view.text(`${tile("last")} .value`), "200 ms");
  assert.deepEqual((await view.texts(`${tile("by_route")} tbody td`)).slice(0, 2), ["/cart", "9"]);
  assert.deepEqual((await view.texts(`${tile("heaviest")} tbody td`)).slice(0, 2), ["/cart", "9 KiB"]);
  assert.equal(await view.text(".metric .help"), "Requests that were answered.");
  assert.match(await view.text(".namespace"), /tests\.page[^]*running[^]*9 in all[^]*3 running[^]*nothing was lost/);
  assert.deepEqual((await ids(view)).sort(), ["recorder-00000", "recorder-00001", "recorder-00002"]);
  assert.equal(await view.page.locator("#problems").isVisible(), false);
}));

test("pg1_numbers_rates_and_charts_follow_the_program", scoped(async (scope) => {
  const program = await startProgram(scope, 3);
  const view = await open(scope, program.url);
  await program.command("requests 1 500");
  await eventually(() => view.text(`${tile("served")} .value`), "500");
  await program.command("load on");
  await eventually(() => view.text(`${tile("served")} .growth`), (text) => /^[1-9][\d.]*\/s$/.test(text));
  await eventually(() => view.text("#recorder-rows tr:first-child td:nth-child(4)"), (text) => Number(text) > 1);
  const points = () => view.page.locator(`${tile("served")} .spark`).getAttribute("data-points").then(Number);
  const first = await points();
  await eventually(points, (count) => count >= first + 3);
  const line = await view.page.locator(`${tile("served")} .spark .line`).getAttribute("d");
  assert.ok(line.split("L").length > 3, line);
  const height = await view.page.locator(`${tile("served")} .spark .line`).evaluate((path) => path.getBBox().height);
  assert.ok(height > 1, "the rate rose, so the line is not flat");
}));

test("pg1_a_distribution_over_time_has_coloured_pixels_where_the_values_are", scoped(async (scope) => {
  const program = await startProgram(scope, 3);
  await program.command("load on");
  const view = await open(scope, program.url);
  const heat = view.page.locator(`${tile("duration")} canvas`);
  const columns = () => heat.evaluate((canvas) => {
    // A copy, because the browser advises against reading a canvas that it draws on.
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    const coloured = new Set();
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 0) coloured.add((at / 4) % canvas.width);
    return coloured.size;
  });
  const few = await eventually(columns, (count) => count > 0);
  await eventually(columns, (count) => count > few);
  // Values from 1 to 256 ms, in buckets whose upper bound is at most 19% above the lower one.
  const axis = await view.texts(`${tile("duration")} .axis span`);
  assert.match(axis[0], /^(2[5-9]\d|30[0-5]) ms$/);
  assert.match(axis[2], /^([89]\d\d µs|1 ms)$/);
  assert.match(await heat.getAttribute("aria-label"), /^duration: values of the last \d+ looks, from/);
  assert.match(await view.text(`${tile("duration")} .quantiles`), /median \d+(\.\d+)? ms.*90% \d{3} ms.*99% 2\d\d ms/s);
}));

test("pg1_what_is_wrong_stands_in_red_at_the_top", scoped(async (scope) => {
  const program = await startProgram(scope, 3);
  const view = await open(scope, program.url);
  assert.equal(await view.page.locator("#problems").isVisible(), false);
  await program.command("fail 1");
  await program.command("fail_recorder");
  const dropped = (await program.command("drop")).split(" ")[1];
  const problems = await eventually(() => view.texts("#problem-list li"), (items) => items.length === 3);
  assert.match(problems[0], /The recorder broken has failed\.[^]*`fragile`/);
  assert.match(problems[1], /The metric fragile is quarantined in 2 recorders: it gets no more events there\.[^]*the stock is gone/);
  assert.match(problems[2], new RegExp(`^⚠\\s*${dropped} events of the type .*[Rr]equested.* were dropped, because a queue was full\\.`));
  assert.equal(await view.text("#problems-title"), "3 things are wrong");
  const place = (selector) => view.page.locator(selector).boundingBox();
  assert.ok((await place("#problems")).y < (await place("#namespaces")).y);
  const [red, green, blue] = await view.page.locator("#problems-title")
    .evaluate((title) => getComputedStyle(title).color.match(/\d+/g).map(Number));
  assert.ok(red > 2 * green && red > 2 * blue, `${red} ${green} ${blue}`);
  const card = view.page.locator(".metric.failed");
  assert.match(await card.innerText(), /fragile[^]*Quarantined in 2 recorders/);
  assert.match(await view.text(".namespace"), new RegExp(`1 failed[^]*${dropped} dropped`));
}));

test("pg1_a_click_on_a_header_sorts_all_recorders", scoped(async (scope) => {
  const program = await startProgram(scope, 25);
  await program.command("drop");
  const view = await open(scope, program.url);
  const sorted = () => view.page.locator("th[aria-sort=ascending], th[aria-sort=descending]")
    .evaluateAll((cells) => cells.map((cell) => `${cell.innerText} ${cell.ariaSort}`));
  const header = (name) => view.page.getByRole("button", { name, exact: true });
  await header("Recorder").click();
  await eventually(async () => (await ids(view))[0], "narrow");
  await eventually(sorted, ["Recorder ascending"]);
  await header("Recorder").click();
  await eventually(async () => (await ids(view))[0], "recorder-00024");
  await eventually(sorted, ["Recorder descending"]);
  await header("Age").click();
  await eventually(async () => (await ids(view)).slice(0, 2), ["recorder-00000", "recorder-00001"]);
  await header("Age").click();
  await eventually(async () => (await ids(view)).slice(0, 2), ["narrow", "recorder-00024"]);
  await header("Lost").click();
  await eventually(async () => (await ids(view))[0], "narrow");
  await eventually(sorted, ["Lost descending"]);
  await header("Pending").click();
  await eventually(sorted, ["Pending descending"]);
}));

test("pg1_a_search_finds_among_all_recorders_and_keeps_the_focus", scoped(async (scope) => {
  const program = await startProgram(scope, 25);
  const view = await open(scope, program.url);
  const field = view.page.locator("#search");
  await field.pressSequentially("R-0001");
  await eventually(() => view.text("#recorder-count"), "10 of 25");
  assert.ok((await ids(view)).every((id) => id.startsWith("recorder-0001")));
  // The selection and the text stay while the page changes around them.
  const looks = view.requests.length;
  await eventually(() => view.requests.length, (count) => count >= looks + 2);
  assert.equal(await view.page.evaluate(() => document.activeElement.id), "search");
  await field.pressSequentially("7");
  await eventually(() => ids(view), ["recorder-00017"]);
  assert.equal(await field.inputValue(), "R-00017");
  await field.fill("nothing like this");
  await eventually(() => view.text("#no-recorders"), "No recorder of 25 fits the search.");
  await field.fill("");
  await eventually(() => view.text("#recorder-count"), "25");
}));

test("pg1_a_search_finds_metrics", scoped(async (scope) => {
  const program = await startProgram(scope, 2);
  await program.command("fail 0");
  const view = await open(scope, program.url);
  const names = () => view.texts(".metric h3");
  await eventually(names, ["fragile", "requests"]);
  await view.page.locator("#metric-search").pressSequentially("REQ");
  await eventually(names, ["requests"]);
  assert.equal(await view.text("#metric-count"), "1 of 2");
  await view.page.locator("#metric-search").fill("unheard of");
  await eventually(() => view.text("#no-metrics"), "No metric of 2 fits the search.");
}));

test("pg1_pages_of_recorders_follow_each_other_and_a_reload_keeps_them", scoped(async (scope) => {
  const program = await startProgram(scope, 25);
  const view = await open(scope, `${program.url}#sort=id&order=asc`);
  const first = await eventually(() => ids(view), (list) => list.length === 10);
  assert.deepEqual([first[0], first[9]], ["recorder-00000", "recorder-00009"]);
  const next = view.page.getByRole("button", { name: "Next" });
  await next.click();
  await eventually(async () => (await ids(view))[0], "recorder-00010");
  await next.click();
  await eventually(() => ids(view), [0, 1, 2, 3, 4].map((number) => `recorder-0002${number}`));
  assert.equal(await view.text("#recorder-pages span"), "Page 3 of 3");
  assert.equal(await next.getAttribute("aria-disabled"), "true");
  await view.page.reload();
  await eventually(async () => (await ids(view))[0], "recorder-00020");
  assert.equal(new URL(view.page.url()).hash, "#sort=id&order=asc&page=3");
  // A page that there is no more gives way to the last one.
  await view.page.goto(`${program.url}#sort=id&order=asc&page=77`);
  await eventually(() => view.text("#recorder-pages span"), "Page 3 of 3");
  await view.page.locator("#size").selectOption("100");
  await eventually(async () => (await ids(view)).length, 25);
}));

test("pg1_a_click_on_a_namespace_shows_it_alone", scoped(async (scope) => {
  const program = await startProgram(scope, 2);
  await program.command("other");
  const view = await open(scope, program.url);
  await eventually(async () => (await ids(view)).length, 3);
  const other = view.page.getByRole("button", { name: "tests.other" });
  await other.click();
  await eventually(() => ids(view), ["elsewhere"]);
  await eventually(async () => (await view.texts(".metric .tag")), ["tests.other"]);
  assert.equal(await other.getAttribute("aria-pressed"), "true");
  assert.equal(new URL(view.page.url()).hash, "#namespace=tests.other");
  await other.click();
  await eventually(async () => (await ids(view)).length, 3);
}));

test("pg1_a_removed_recorder_leaves_the_list_and_its_counts_stay", scoped(async (scope) => {
  const program = await startProgram(scope, 3);
  await program.command("requests 2 40");
  const view = await open(scope, program.url);
  await program.command("remove");
  await eventually(async () => (await ids(view)).sort(), ["recorder-00000", "recorder-00001"]);
  assert.equal(await view.text(`${tile("served")} .value`), "40");
  await eventually(() => view.text(".namespace"), (text) => text.includes("1 removed"));
}));

test("pg1_a_program_without_recorders_says_so", scoped(async (scope) => {
  const program = await startProgram(scope, 0);
  const view = await open(scope, program.url);
  assert.match(await view.text("#no-recorders"), /^There are no recorders\./);
  assert.match(await view.text("#no-metrics"), /^There are no metrics\./);
  assert.equal(await view.page.locator("#recorder-table").isVisible(), false);
}));

test("pg1_all_can_be_done_with_the_keyboard", scoped(async (scope) => {
  const program = await startProgram(scope, 25);
  const view = await open(scope, program.url);
  const focused = () => view.page.evaluate(() => {
    const element = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return { name: (element.innerText || element.id).trim(), outline: outlineStyle !== "none" && outlineWidth !== "0px" };
  });
  const reached = [];
  for (let step = 0; step < 30; step += 1) {
    await view.page.keyboard.press("Tab");
    const { name, outline } = await focused();
    if (name === "") break;
    assert.ok(outline, `the focus on ${name} can be seen`);
    reached.push(name);
    if (name === "Age") await view.page.keyboard.press("Enter");
    if (name === "Next →") break;
  }
  assert.ok(reached.includes("Age") && reached.includes("Next →") && reached.includes("search"), reached.join(", "));
  await eventually(async () => (await ids(view))[0], "recorder-00000");
  await view.page.keyboard.press("Enter");
  await eventually(async () => (await ids(view))[0], "recorder-00010");
  assert.equal((await focused()).name, "Next →");
}));
