"use strict";

// Shows one look after the other. Names of the program are texts, never markup.

function element(name, text) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return made;
}

function table(caption, heads, rows) {
  const made = element("table");
  made.append(element("caption", caption));
  const head = element("tr");
  head.append(...heads.map((text) => element("th", text)));
  made.append(head);
  for (const cells of rows) {
    const row = element("tr");
    row.append(...cells.map((text) => element("td", text === null ? "" : String(text))));
    made.append(row);
  }
  return made;
}

function shown(data) {
  const problems = element("ul");
  problems.className = "problem";
  for (const { kind, namespace, subject, count, detail } of data.problems) {
    problems.append(element("li", `${kind} ${namespace} ${subject} ${count} ${detail}`));
  }
  const namespaces = data.namespaces.map((row) => [row.namespace, row.accepted, row.rate, row.pending, row.dropped]);
  const recorders = data.recorders.rows.map((row) => [row.id, row.status, row.age, row.rate, row.pending, row.dropped]);
  const metrics = data.metrics.rows.flatMap((card) =>
    card.dimensions.map((dimension) => [card.name, dimension.name, dimension.value ?? dimension.text, dimension.rate]));
  return [
    problems,
    table("Namespaces", ["namespace", "events", "rate", "pending", "dropped"], namespaces),
    table("Recorders", ["id", "state", "age", "rate", "pending", "dropped"], recorders),
    table("Metrics", ["metric", "dimension", "value", "rate"], metrics),
  ];
}

async function look() {
  let next = 1;
  try {
    const answer = await fetch("page/data" + location.search);
    if (!answer.ok) throw new Error(await answer.text());
    const data = await answer.json();
    document.getElementById("main").replaceChildren(...shown(data));
    next = data.next_look;
  } catch (error) {
    document.getElementById("main").replaceChildren(element("p", String(error.message)));
  }
  setTimeout(look, next * 1000);
}

look();
