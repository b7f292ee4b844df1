import { testRouter } from "./router.ts";

// An agent of its own that can be killed: a router in the directory of the first argument, and one route.
const [, , home = "", port = ""] = process.argv;
const one = await testRouter({ home });
one.register("a.test", { port: Number(port), app: "a" });
process.send?.({ port: one.port });
