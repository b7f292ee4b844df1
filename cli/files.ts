import { read } from "./answers.ts";
import type { Call } from "./call.ts";
import { Fault } from "./fault.ts";
import { findProcess, openApp } from "./find.ts";

/** `tutti files APP [PATH]`: what an instance has on its disk; of a slot that is down, its newest crash. */
export async function files(call: Call): Promise<void> {
  const instance = call.whole("instance", { max: 100_000 }) ?? 0;
  const { api, app } = await openApp(call);
  const process = await findProcess(api, app, undefined);
  const asked = call.args[1] ?? "";
  const path = `/tutti/processes/${process.guid}/instances/${instance}/files/${asked.split("/").filter(Boolean).map(encodeURIComponent).join("/")}`;
  const answer = await api.raw({ method: "GET", path });
  if (answer.status === 404 && /CF-NotFound\b/.test(answer.text)) {
    throw new Fault("this cluster does not show the files of instances", {
      code: "not_supported",
      hint: "it may be older than this command: tutti info",
    });
  }
  if (answer.status === 404) {
    throw new Fault(`instance ${instance} of ${app.name} has no ${asked ? `file or directory "${asked}"` : "files"}`, {
      code: "no_file",
      hint: `tutti files ${app.name} shows what there is; tutti app ${app.name} which instances there are`,
    });
  }
  if (answer.status >= 300) read(answer, { method: "GET", url: `${api.target}${path}` });
  call.io.result({ ok: true, app: app.name, instance, path: asked, text: answer.text }, answer.text.replace(/\n$/, ""));
}
