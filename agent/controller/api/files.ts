import { Answer, type Api, type Call, type Endpoint, get } from "./api.ts";
import { appOf } from "./apps.ts";
import { found } from "./errors.ts";
import { processOfType } from "./renewal.ts";

/** Files and logs of an instance, fetched from the DEA that has it. */
export const files = (api: Api): Endpoint[] => [
  get("/tutti/apps/:guid/instances/:index/files", (call) => read(api, call)),
  get("/tutti/apps/:guid/instances/:index/files/*", (call) => read(api, call)),
];

async function read(api: Api, call: Call): Promise<Answer> {
  const { guid } = await appOf(api, call);
  const process = found(processOfType(api, guid, call.query["process"] ?? "web"), "Process");
  const { index: instance = "", "*": path = "" } = call.params;
  const { range } = call.request.headers;
  const file = found(await api.files(process, { instance, path, range }), "Instance");
  return new Answer(file.status, file.body, file.headers);
}
