import { writeFile } from "node:fs/promises";
import { clusterSchema } from "./schema.ts";

// Writes cluster.schema.json; `npm run format` lays it out.

await writeFile(new URL("cluster.schema.json", import.meta.url), `${JSON.stringify(clusterSchema(), null, 2)}\n`);
