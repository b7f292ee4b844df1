// Serves the files of one directory: node serve.mjs DIRECTORY, on $PORT. Travels inside droplets of static sites,
// so it needs nothing but Node.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";

const types = {
  ".html": "text/html; charset=utf-8",
  ".htm": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".webmanifest": "application/manifest+json",
  ".txt": "text/plain; charset=utf-8",
  ".md": "text/markdown; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".xml": "application/xml",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".avif": "image/avif",
  ".ico": "image/x-icon",
  ".pdf": "application/pdf",
  ".wasm": "application/wasm",
  ".woff": "font/woff",
  ".woff2": "font/woff2",
  ".ttf": "font/ttf",
  ".otf": "font/otf",
  ".mp3": "audio/mpeg",
  ".mp4": "video/mp4",
  ".webm": "video/webm",
  ".zip": "application/zip",
};

// They say how the site is deployed and may hold variables; nobody means to publish them.
const kept = new Set(["manifest.yml", "manifest.yaml", "stackato.yml", "Procfile"]);

function hidden(parts) {
  return (
    parts.some((part) => part.startsWith(".") && part !== ".well-known") || (parts.length === 1 && kept.has(parts[0]))
  );
}

/** The parts of a request's path, or undefined when it names something that is not for the world. */
function partsOf(url) {
  let path;
  try {
    path = decodeURIComponent(url.split(/[?#]/, 1)[0]);
  } catch {
    return undefined;
  }
  const parts = path.split("/").filter((part) => part !== "");
  return hidden(parts) || parts.some((part) => /[\\\0]/.test(part)) ? undefined : parts;
}

/** The file that answers, `{directory: true}` for a directory asked for without its slash, undefined for none. */
async function find(root, parts, slash) {
  try {
    const path = await realpath(join(root, ...parts));
    // A link may lead out of the tree, or to what is not for the world.
    if (path !== root && !path.startsWith(root + sep)) return undefined;
    if (hidden(path.slice(root.length).split(sep).filter(Boolean))) return undefined;
    const found = await stat(path);
    if (found.isFile()) return slash ? undefined : { path, size: found.size, time: found.mtimeMs };
    if (!found.isDirectory()) return undefined;
    const index = await find(root, [...parts, "index.html"], false);
    return index && !slash ? { directory: true } : index;
  } catch {
    return undefined;
  }
}

// Tags come from the content: all files of a droplet have the same time, so their times (and Last-Modified) tell nothing.
const largestTagged = 32 * 1024 * 1024;

async function tagOf(file, tags) {
  if (file.size > largestTagged) return undefined;
  const key = `${file.path}\0${file.size}\0${file.time}`;
  const known = tags.get(key);
  if (known) return known;
  const hash = createHash("sha1");
  await pipeline(createReadStream(file.path), hash);
  const tag = `"${hash.digest("base64url")}"`;
  tags.set(key, tag);
  return tag;
}

async function send(request, response, { file, tags }) {
  const tag = await tagOf(file, tags);
  const type = types[extname(file.path).toLowerCase()] ?? "application/octet-stream";
  const headers = { "content-type": type, "content-length": file.size, "x-content-type-options": "nosniff" };
  // A real time is worth telling; the time of a droplet's files is zero.
  if (file.time > 0) headers["last-modified"] = new Date(file.time).toUTCString();
  if (tag) headers["etag"] = tag;
  if (isCurrent(request.headers, tag, file)) {
    delete headers["content-length"];
    return response.writeHead(304, headers).end();
  }
  response.writeHead(200, headers);
  if (request.method === "HEAD") return response.end();
  await pipeline(createReadStream(file.path), response);
}

function isCurrent(headers, tag, file) {
  const wanted = headers["if-none-match"];
  if (wanted !== undefined) {
    const list = wanted.split(",").map((one) => one.trim().replace(/^W\//, ""));
    return list.includes("*") || (tag !== undefined && list.includes(tag));
  }
  const since = Date.parse(headers["if-modified-since"] ?? "");
  return file.time > 0 && Math.floor(file.time / 1000) * 1000 <= since;
}

function notice(request, response, { status, text, headers = {} }) {
  const body = Buffer.from(`${text}\n`);
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": body.length,
    ...headers,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function missing(request, response, root) {
  const page = await readFile(join(root, "404.html")).catch(() => undefined);
  if (!page) return notice(request, response, { status: 404, text: "There is nothing at this address." });
  response.writeHead(404, { "content-type": types[".html"], "content-length": page.length });
  response.end(request.method === "HEAD" ? undefined : page);
}

async function answer(request, response, { root, tags }) {
  if (request.method !== "GET" && request.method !== "HEAD")
    return notice(request, response, { status: 405, text: "Only GET and HEAD.", headers: { allow: "GET, HEAD" } });
  const parts = partsOf(request.url);
  const slash = request.url.split("?", 1)[0].endsWith("/");
  const file = parts && (await find(root, parts, slash));
  if (!file) return missing(request, response, root);
  if (!file.directory) return send(request, response, { file, tags });
  const query = request.url.includes("?") ? request.url.slice(request.url.indexOf("?")) : "";
  const location = `/${parts.map(encodeURIComponent).join("/")}/${query}`;
  return notice(request, response, { status: 301, text: `It is at ${location}`, headers: { location } });
}

const root = await realpath(process.argv[2] ?? ".");
const tags = new Map();
const server = createServer((request, response) => {
  answer(request, response, { root, tags }).catch((error) => {
    // A reader that went away is no news.
    if (error.code !== "ERR_STREAM_PREMATURE_CLOSE")
      console.error(`${request.method} ${request.url}: ${error.message}`);
    response.destroy();
  });
});
server.listen(Number(process.env.PORT ?? 8080), process.env.HOST ?? "0.0.0.0");
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
