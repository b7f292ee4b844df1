import { describe, expect, test } from "vitest";
import { read } from "../../cli/answers.ts";
import type { Fault } from "../../cli/fault.ts";

const asked = { method: "GET", url: "http://api.tutti.localhost:8080/v3/apps" };
const v3 = (detail: string, title = "CF-UnprocessableEntity") =>
  JSON.stringify({ errors: [{ code: 1, title, detail }] });

function failure(status: number, text: string, more: { type?: string; routerError?: string } = {}): Fault {
  try {
    read({ status, text, type: "application/json", ...more }, asked);
  } catch (error) {
    return error as Fault;
  }
  throw new Error("it was taken for a success");
}

describe("an answer of the API", () => {
  test("that is good is its JSON, or nothing when it is empty", () => {
    expect(read({ status: 200, text: '{"a":1}', type: "application/json; charset=utf-8" }, asked)).toEqual({ a: 1 });
    expect(read({ status: 204, text: "", type: "" }, asked)).toBeUndefined();
  });

  test("with errors shows their details and a code for programs", () => {
    expect(failure(422, v3("Name must be unique"))).toMatchObject({
      message: "Name must be unique",
      code: "unprocessable_entity",
    });
    expect(failure(404, v3("App not found", "CF-ResourceNotFound")).code).toBe("resource_not_found");
    expect(failure(500, "{}")).toMatchObject({
      code: "http_500",
      message: "GET /v3/apps was answered with status 500",
    });
  });

  test("401 says to log in, a cluster without license step says so", () => {
    expect(failure(401, v3("Invalid Auth Token"))).toMatchObject({ code: "not_logged_in", hint: "tutti login" });
    expect(failure(503, v3("the license step was not taken")).code).toBe("license_needed");
  });

  test("that the router gave by itself is told apart from the API's own", () => {
    const page = { type: "text/html" };
    expect(failure(404, "<html>", page)).toMatchObject({ code: "api_unknown_to_router" });
    expect(failure(404, '{"error":"unknown_route"}', { routerError: "unknown_route" }).message).toContain(
      "knows no such host",
    );
    expect(failure(503, '{"error":"no_endpoints"}', { routerError: "no_endpoints" }).code).toBe("api_down");
    expect(failure(502, "<html>", page).code).toBe("api_down");
    expect(failure(200, "<html>welcome", page)).toMatchObject({
      code: "not_the_api",
      message: expect.stringContaining("text/html"),
    });
  });

  test("of the token endpoint is read as OAuth writes it", () => {
    expect(failure(400, '{"error":"invalid_client","error_description":"No such client"}').message).toBe(
      "No such client",
    );
  });
});
