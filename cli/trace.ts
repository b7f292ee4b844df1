import type { Call } from "./call.ts";
import { wrongUsage } from "./fault.ts";
import { openApp } from "./find.ts";
import { flowSteps, isNoise, latestDeployment, type Message, marks } from "./flow.ts";
import { type Line, readLog } from "./logcache.ts";
import { plain, table } from "./show.ts";

/** `tutti trace APP`, `tutti trace push APP`: the latest deployment as the bus saw it, by the ten steps of 2012. */
export async function trace(call: Call): Promise<void> {
  const named = call.args[0] === "push" && call.args[1] !== undefined ? call.args[1] : call.args[0];
  if (call.args[1] !== undefined && call.args[0] !== "push")
    throw wrongUsage(`"${call.args[0]}" cannot be traced`, "tutti trace push APP");
  const { api, app } = await openApp({ ...call, arg: () => named ?? "" });
  const { resources: messages } = await api.get<{ resources: Message[] }>(`/tutti/trace/${app.guid}`);
  const since = call.flag("all") ? 0 : latestDeployment(messages);
  const shown = messages.filter((message) => message.at >= since && (call.flag("all") || !isNoise(message)));
  const lines = await readLog(api, app, {
    start: BigInt(Math.floor(since)) * 1_000_000n,
    limit: 1000,
  }).catch((): Line[] => []);
  const flow = marks(shown, lines, since);
  const zero = Math.min(...shown.map((message) => message.at), ...flow.map((mark) => mark.at));
  const steps = flow.map(({ step, at, told }) => ({
    step,
    name: flowSteps[step - 1] ?? "",
    ms: Math.round(at - zero),
    told,
  }));
  const said = shown.map((message) => ({ ...message, ms: Math.round(message.at - zero) }));
  const text = [
    table(
      ["MS", "STEP", "WHAT TOLD OF IT"],
      steps.map((each) => [`+${each.ms}`, `${String(each.step).padStart(2)} ${each.name}`, plain(each.told)]),
      "no deployment in the last minutes",
    ),
    table(
      ["MS", "SUBJECT", "WHAT"],
      said.map((each) => [`+${each.ms}`, each.subject, plain(each.what)]),
      "the bus has said nothing about it in the last minutes",
    ),
  ];
  call.io.result({ ok: true, app: app.name, steps, messages: said }, text.join("\n\n"));
}
