import { mkdir, writeFile } from "node:fs/promises";
import { reference } from "./reference.ts";
import { subjects } from "./subjects.ts";

// Writes docs/bus.md.

const docs = new URL("../../docs/", import.meta.url);
await mkdir(docs, { recursive: true });
await writeFile(new URL("bus.md", docs), reference(subjects));
