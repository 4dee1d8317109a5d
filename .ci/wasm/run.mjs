// Runs a WebAssembly module to its end: node run.mjs MODULE.
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const module = await WebAssembly.compile(await readFile(process.argv[2]));
if (WebAssembly.Module.imports(module).length > 0) {
  const wasi = new WASI({ version: "preview1", args: ["wasm"], returnOnExit: false });
  wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
} else {
  // Without a system it prints nothing, and a panic is a trap.
  const instance = await WebAssembly.instantiate(module, {});
  if (instance.exports.main(0, 0) !== 0) process.exit(1);
  console.log("passed");
}
