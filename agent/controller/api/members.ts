import { z } from "zod";
import { type Api, type Call, created, type Endpoint, get, nothing, post, remove } from "./api.ts";
import { audit } from "./audit.ts";
import { parse } from "./body.ts";
import { ApiError, kinds, notFound, unprocessable } from "./errors.ts";
import { whyItStays } from "./leaving.ts";

const id = z.string().regex(/^[a-z0-9-]{1,63}$/, "must be small letters, digits and dashes, at most 63");
const wanted = z.strictObject({
  node: id,
  roles: z.array(z.string().regex(/^[a-z]+$/, "must be the name of a role")).min(1, "must have a role"),
  /** Of a node that is there: another machine takes its place. */
  replace: z.boolean().optional(),
});

/** How machines become nodes, and stop being some. */
export const members = (api: Api): Endpoint[] => [
  get("/tutti/members", async () => ({ newcomer: newcomerOf(api), resources: await api.members.all() })),
  post("/tutti/claims", (call) => claim(api, call)),
  remove("/tutti/nodes/:id", (call) => shutOut(api, call)),
];

const newcomerOf = ({ members: { newcomer }, domain }: Api) => newcomer && { ...newcomer, domain };

async function claim(api: Api, call: Call) {
  const { node, roles, replace = false } = parse(wanted, call.body);
  const newcomer = newcomerOf(api);
  if (!newcomer)
    throw unprocessable("This cluster is one machine and takes no others: declare one of several machines instead");
  const there = api.engine.nodes().find((one) => one.id === node && one.state === "UP");
  if (there && !replace) throw unprocessable(`Node '${node}' is there already: choose another name, or replace it`);
  const answer = answered(await api.members.claim(node, roles));
  if ("error" in answer) throw unprocessable(sentence(answer.error));
  await audit(api, call, { type: "audit.node.invite", target: target(node), data: { roles } });
  return created({ node, roles, ...answer, newcomer });
}

async function shutOut(api: Api, call: Call) {
  const node = call.params["id"] ?? "";
  const [nodes, all] = [api.engine.nodes(), await api.members.all()];
  const known = nodes.some((one) => one.id === node) || all.some((one) => one.id === node);
  if (!known) throw notFound("Node");
  const force = call.query["force"] === "true";
  const why = whyItStays({ id: node, nodes, members: all, force });
  if (why) throw unprocessable(why);
  const answer = answered(await api.members.revoke(node));
  if ("error" in answer) throw unprocessable(sentence(answer.error));
  await audit(api, call, { type: "audit.node.remove", target: target(node), data: { force } });
  return nothing();
}

function answered<T>(answer: T | undefined): T {
  if (answer !== undefined) return answer;
  throw new ApiError(kinds.unavailable, "No core has answered: tutti status tells how the cores are");
}

const sentence = ({ message, hint }: { message: string; hint?: string | undefined }) =>
  hint ? `${message}: ${hint}` : message;
const target = (node: string) => ({ guid: node, type: "node", name: node });
