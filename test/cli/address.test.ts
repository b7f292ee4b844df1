import { describe, expect, test } from "vitest";
import { hostOf, publicUrl, splitAddress, targetUrl } from "../../cli/address.ts";

const domains = [
  { guid: "1", name: "example.com" },
  { guid: "2", name: "apps.example.com" },
  { guid: "3", name: "tutti.localhost" },
];

describe("the address of a cluster", () => {
  test.each([
    ["http://api.tutti.localhost:8080/", "http://api.tutti.localhost:8080"],
    ["api.tutti.localhost:8080", "http://api.tutti.localhost:8080"],
    ["localhost:9022", "http://localhost:9022"],
    ["127.0.0.1:9022", "http://127.0.0.1:9022"],
    ["api.example.com", "https://api.example.com"],
    ["HTTPS://API.Example.com/v3", "https://api.example.com"],
  ])("%s is %s", (typed, url) => expect(targetUrl(typed)).toBe(url));

  test.each(["ftp://api.example.com", "http://", "not a url", "http://me:secret@api.example.com"])(
    "%s is refused",
    (typed) => {
      expect(() => targetUrl(typed)).toThrow();
    },
  );
});

describe("the address of an app", () => {
  test("is split at the longest domain that fits", () => {
    expect(splitAddress("shop.apps.example.com", domains)).toMatchObject({
      host: "shop",
      domain: { guid: "2" },
      path: "",
    });
    expect(splitAddress("http://Shop.Example.com:8080/cart/", domains)).toMatchObject({
      host: "shop",
      domain: { guid: "1" },
      path: "/cart",
    });
    expect(splitAddress("a.b.tutti.localhost", domains)).toMatchObject({ host: "a.b", domain: { guid: "3" } });
  });

  test("outside of all domains, or without a host, is refused with what there is", () => {
    expect(() => splitAddress("shop.example.org", domains)).toThrow(
      '"shop.example.org" is in no domain of this cluster',
    );
    expect(() => splitAddress("myexample.com", domains)).toThrow("in no domain");
    expect(() => splitAddress("example.com", domains)).toThrow("the domain itself");
  });

  test("is shown with the scheme and port under which the cluster is reached", () => {
    expect(publicUrl("hello.tutti.localhost/x", "http://api.tutti.localhost:8080")).toBe(
      "http://hello.tutti.localhost:8080/x",
    );
    expect(publicUrl("hello.example.com", "https://api.example.com")).toBe("https://hello.example.com/");
  });

  test("made of a name has its letters without accents; where letters cannot be written there is none", () => {
    expect(["ünï", "Straße", "Ærø", "naïve café"].map(hostOf)).toEqual(["uni", "strasse", "aero", "naive-cafe"]);
    expect(["привет", "привет-app", "日本", "app-٣"].map(hostOf)).toEqual(["", "", "", ""]);
    expect(hostOf("rocket 🚀")).toBe("rocket");
  });

  test("made of a name has only what host names allow", () => {
    expect(hostOf("My App_2 (new)")).toBe("my-app-2-new");
    expect(hostOf("...")).toBe("");
    expect(hostOf(`${"a".repeat(62)} b`)).toBe("a".repeat(62));
  });
});
