// Listens, but on a port of its own choice instead of $PORT.
const { createServer } = require("node:http");

const server = createServer((_request, response) => response.end("nobody finds me\n"));
server.listen(0, () => console.log(`listening on ${server.address().port}, not on PORT=${process.env.PORT}`));
