import { DeleteKeyPairCommand, DescribeKeyPairsCommand, ImportKeyPairCommand } from "@aws-sdk/client-ec2";
import { type Kind, object, text } from "../kind.ts";
import { hasMark, retag, tagsOf } from "../marks.ts";
import { orGone } from "../retry.ts";

export const keyPair: Kind = {
  token: "aws:ec2/keyPair:KeyPair",
  named: "keyName",
  fields: {
    keyName: { replaces: true },
    // A blank at the end, or another comment, is the same key to EC2, but not to the real provider.
    publicKey: { required: true, replaces: true },
    tags: {},
  },
  async create(aws, { inputs, tags }) {
    const [KeyName = "", PublicKey = ""] = [text(inputs, "keyName"), text(inputs, "publicKey")];
    const found = await orGone(aws.ec2.send(new DescribeKeyPairsCommand({ KeyNames: [KeyName] })));
    if (hasMark(found?.KeyPairs?.[0]?.Tags, tags)) return KeyName;
    const TagSpecifications = [{ ResourceType: "key-pair" as const, Tags: [...tags] }];
    const PublicKeyMaterial = new TextEncoder().encode(PublicKey);
    await aws.ec2.send(new ImportKeyPairCommand({ KeyName, PublicKeyMaterial, TagSpecifications }));
    return KeyName;
  },
  async read(aws, id) {
    const found = await orGone(aws.ec2.send(new DescribeKeyPairsCommand({ KeyNames: [id] })));
    const [one] = found?.KeyPairs ?? [];
    if (!one) return undefined;
    const tags = tagsOf(one.Tags);
    return { keyName: one.KeyName, keyPairId: one.KeyPairId, fingerprint: one.KeyFingerprint, tags, tagsAll: tags };
  },
  async update(aws, { before, inputs }) {
    await retag(aws, text(before, "keyPairId") ?? "", object(before, "tags"), object(inputs, "tags"));
  },
  async remove(aws, id) {
    await orGone(aws.ec2.send(new DeleteKeyPairCommand({ KeyName: id })));
  },
};
