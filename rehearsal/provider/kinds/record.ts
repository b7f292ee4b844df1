import type { Aws } from "../aws.ts";
import { type Kind, list, number, type Props, text } from "../kind.ts";
import { orGone } from "../retry.ts";

/** A name in a hosted zone. By hand, as two requests are not worth a client of their own. */
export const record: Kind = {
  token: "aws:route53/record:Record",
  fields: {
    zoneId: { required: true, replaces: true },
    name: { required: true, replaces: true },
    type: { required: true, replaces: true },
    ttl: {},
    records: { set: true },
    allowOverwrite: {},
  },
  async create(aws, { inputs }) {
    await change(aws, "UPSERT", inputs);
    return [text(inputs, "zoneId"), text(inputs, "name"), text(inputs, "type")].join("_");
  },
  async read(aws, id) {
    const [zoneId = "", name = "", type = ""] = id.split("_");
    const query = new URLSearchParams({ name, type, maxitems: "1" });
    const answer = await orGone(aws.ask("route53", `/2013-04-01/hostedzone/${zoneId}/rrset?${query}`, {}));
    const set = /<ResourceRecordSet>([\s\S]*?)<\/ResourceRecordSet>/.exec(answer ?? "")?.[1] ?? "";
    const found = unescaped(/<Name>([^<]*)/.exec(set)?.[1] ?? "").replace(/\.$/, "");
    if (found !== name.replace(/\.$/, "") || !set.includes(`<Type>${type}</Type>`)) return undefined;
    const records = [...set.matchAll(/<Value>([^<]*)/g)].map(([, value]) => value);
    return { zoneId, name, type, ttl: Number(/<TTL>(\d+)/.exec(set)?.[1]), records, fqdn: found };
  },
  async update(aws, { inputs }) {
    await change(aws, "UPSERT", inputs);
  },
  async remove(aws, _id, state) {
    await orGone(change(aws, "DELETE", state));
  },
};

async function change(aws: Aws, action: "UPSERT" | "DELETE", props: Props): Promise<void> {
  const values = list(props, "records").map((value) => `<ResourceRecord><Value>${value}</Value></ResourceRecord>`);
  const head = `<Name>${text(props, "name")}</Name><Type>${text(props, "type")}</Type><TTL>${number(props, "ttl")}</TTL>`;
  const set = `${head}<ResourceRecords>${values.join("")}</ResourceRecords>`;
  const one = `<Change><Action>${action}</Action><ResourceRecordSet>${set}</ResourceRecordSet></Change>`;
  const batch = `<ChangeBatch><Changes>${one}</Changes></ChangeBatch>`;
  const name = "ChangeResourceRecordSetsRequest";
  const body = `<${name} xmlns="https://route53.amazonaws.com/doc/2013-04-01/">${batch}</${name}>`;
  await aws.ask("route53", `/2013-04-01/hostedzone/${text(props, "zoneId")}/rrset/`, { method: "POST", body });
}

/** Route 53 writes the star as an octal number. */
const unescaped = (name: string): string => name.replaceAll("\\052", "*");
