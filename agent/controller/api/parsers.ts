import type { FastifyInstance } from "fastify";

/** How bodies are read: JSON (an empty one is none), forms, and YAML as text. */
export function parsers(scope: FastifyInstance): void {
  const json = scope.getDefaultJsonParser("error", "error");
  scope.removeContentTypeParser("application/json");
  scope.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body.trim() === "") return done(null, undefined);
    return json(request, body, done);
  });
  scope.addContentTypeParser<string>(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    (_request, body, done) => {
      done(null, Object.fromEntries(new URLSearchParams(body)));
    },
  );
  const text = (_request: unknown, body: string, done: (error: null, value: string) => void) => done(null, body);
  for (const type of ["application/x-yaml", "application/yaml", "text/yaml", "text/x-yaml", "text/vnd.yaml"])
    scope.addContentTypeParser<string>(type, { parseAs: "string" }, text);
}
