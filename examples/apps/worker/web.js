const { createServer } = require("node:http");

createServer((_request, response) => response.end("hello from the web process\n")).listen(
  Number(process.env.PORT ?? 8080),
);
