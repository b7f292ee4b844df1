// Works, but prints 1 GB (or $BYTES) as fast as it is read: logs must stay within their cap and the node on its feet.
const { createServer } = require("node:http");

const block = `${"all work and no play makes Jack a dull boy ".repeat(23)}\n`.repeat(64);
let left = Number(process.env.BYTES ?? 1e9);

function print() {
  while (left > 0) {
    left -= block.length;
    if (!process.stdout.write(block)) return process.stdout.once("drain", print);
  }
  console.error("printed everything");
}

createServer((_request, response) => response.end("still here\n")).listen(Number(process.env.PORT ?? 8080), print);
