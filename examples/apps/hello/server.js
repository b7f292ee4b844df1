// The smallest app: it answers on $PORT and says which of its instances answers.
const { createServer } = require("node:http");

const { instance_index: index = 0 } = JSON.parse(process.env.VCAP_APPLICATION ?? "{}");

const server = createServer((_request, response) => {
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(`hello from instance ${index}\n`);
});

server.listen(Number(process.env.PORT ?? 8080), () => console.log(`instance ${index} listens on ${process.env.PORT}`));

// An instance that is stopped finishes what it has begun.
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
