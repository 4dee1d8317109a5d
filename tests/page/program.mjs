// The program `tests/bin/shown_page.rs`, as a process that takes commands.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { createInterface } from "node:readline";

const PROGRAM = process.env.MVX_SHOWN_PAGE ?? "target/debug/examples/shown_page";
/** The clock ticks of a second in `/proc`: the same on all architectures of Linux. */
const TICKS = 100;

/** Starts the program; it ends with the test. */
export async function startProgram(scope, recorders, { port = 0, binary = PROGRAM } = {}) {
  const child = spawn(binary, [String(recorders), String(port)], { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = once(child, "exit");
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  scope.defer(kill);
  const answer = async (name) => {
    const { value, done } = await lines.next();
    if (done || value.split(" ")[0] !== name) throw new Error(`the program answered ${value} to ${name}`);
    return value;
  };
  const address = (await answer("serving")).split(" ")[1];
  return {
    url: `http://${address}/`,
    port: Number(address.split(":").at(-1)),
    kill,
    /** Returns what the program answers. */
    command(text) {
      child.stdin.write(`${text}\n`);
      return answer(text.split(" ")[0]);
    },
    /** The seconds of a core that the program has used. */
    cpu() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1].split(" ");
      return (Number(fields[11]) + Number(fields[12])) / TICKS;
    },
  };
}

/** A proxy that has the program below `prefix`, and nothing else. */
export async function proxyBelow(scope, prefix, program) {
  const server = http.createServer((request, response) => {
    if (!request.url.startsWith(prefix)) {
      response.writeHead(404).end();
      return;
    }
    const path = `/${request.url.slice(prefix.length)}`;
    const forwarded = http.request({ host: "127.0.0.1", port: program.port, path, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    forwarded.on("error", () => response.destroy());
    request.pipe(forwarded);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  scope.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}${prefix}`;
}
