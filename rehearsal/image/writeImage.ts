import { Fault } from "../../agent/run/fault.ts";
import { silent } from "../../agent/run/log.ts";
import { cachedImage, ensureImage } from "./image.ts";

// node rehearsal/image/writeImage.ts [--there]: builds the image of machines unless it is there; --there only looks.
// For set-up, which runs on any Node and so can't import it.

const there = cachedImage();
if (there) process.stdout.write(`is there: ${there.hash}\n`);
else if (process.argv.includes("--there")) process.exitCode = 3;
else await build();

async function build(): Promise<void> {
  try {
    const { hash } = await ensureImage({ log: silent });
    process.stdout.write(`built: ${hash}\n`);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    process.stderr.write(`${error.message}\n${error.hint ? `hint: ${error.hint}\n` : ""}`);
    process.exitCode = 1;
  }
}
