// The smallest app: it answers on $PORT and says which of its instances answers; /whoami says it for programs.
const { createServer } = require("node:http");

const { instance_index: index = 0, instance_id: instance = "" } = JSON.parse(process.env.VCAP_APPLICATION ?? "{}");

const server = createServer((request, response) => {
  if (request.url === "/whoami") {
    response.setHeader("content-type", "application/json");
    return response.end(JSON.stringify({ pid: process.pid, index, instance }));
  }
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(`hello from instance ${index}\n`);
});

server.listen(Number(process.env.PORT ?? 8080), () => console.log(`instance ${index} listens on ${process.env.PORT}`));

// An instance that is stopped finishes what it has begun.
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
