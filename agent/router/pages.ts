/** The router's own answers, as HAProxy log-format strings: what is wrong, and what to do. */
export interface ErrorPage {
  status: number;
  /** Value of the X-Cf-Routererror header, the words gorouter uses. */
  code: string;
  title: string;
  /** May hold `%[…]` of HAProxy. Plain text without quotes: it goes into HTML and into JSON as it is. */
  text: string;
}

// txn.asked is the Host header with everything replaced that means something in HTML or JSON.
export const unknownRoute: ErrorPage = {
  status: 404,
  code: "unknown_route",
  title: "No app here",
  text: "No route leads from %[var(txn.asked)] to an app. Check the spelling; the owner of an app sees its routes with: tutti routes",
};

export const noEndpoints: ErrorPage = {
  status: 503,
  code: "no_endpoints",
  title: "The app is not running",
  text: "The route %[var(txn.asked)] exists, but no instance of its app is running now. Try again in a moment; its owner sees why with: tutti app, tutti logs --recent",
};

export const endpointFailure: ErrorPage = {
  status: 502,
  code: "endpoint_failure",
  title: "The app cannot be reached",
  text: "The app is registered, but its instances accept no connection or broke off before they answered. Try again in a moment; its owner sees why with: tutti logs --recent",
};

export const badAim: ErrorPage = {
  status: 400,
  code: "invalid_cf_app_instance_header",
  title: "Wrong X-CF-APP-INSTANCE header",
  text: "The header X-CF-APP-INSTANCE must be the guid of the app, a colon and the number of the instance.",
};

export const unknownInstance: ErrorPage = {
  status: 404,
  code: "unknown_route",
  title: "No such instance",
  text: "The route %[var(txn.asked)] has no such instance of this app as the header X-CF-APP-INSTANCE asks for.",
};

export const htmlOf = ({ status, title, text }: ErrorPage) =>
  `<!DOCTYPE html><html><head><title>${status} ${title}</title></head><body><h1>${status} ${title}</h1><p>${text}</p></body></html>`;

export const jsonOf = ({ status, code, text }: ErrorPage) =>
  `{"status_code":${status},"error":"${code}","description":"${text}"}`;

/** A whole raw answer, for the errors that HAProxy finds by itself. */
export function rawAnswer(page: ErrorPage): string {
  const body = `${htmlOf(page)}\n`;
  const head = [
    `HTTP/1.1 ${page.status} ${reasons[page.status] ?? "Error"}`,
    `X-Cf-Routererror: ${page.code}`,
    "Cache-Control: no-cache",
    "Content-Type: text/html; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

const reasons: Record<number, string> = { 502: "Bad Gateway", 503: "Service Unavailable" };
