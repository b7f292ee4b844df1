import type { Kind } from "./kind.ts";
import { bucket } from "./kinds/bucket.ts";
import { bucketObject, bucketObjectv2 } from "./kinds/bucketObject.ts";
import { bucketEncryption, bucketPolicy, bucketPublicAccessBlock, bucketVersioning } from "./kinds/bucketSettings.ts";
import { eip, eipAssociation } from "./kinds/eip.ts";
import { instance } from "./kinds/instance.ts";
import { instanceProfile } from "./kinds/instanceProfile.ts";
import { internetGateway } from "./kinds/internetGateway.ts";
import { keyPair } from "./kinds/keyPair.ts";
import { record } from "./kinds/record.ts";
import { role } from "./kinds/role.ts";
import { rolePolicy, rolePolicyAttachment } from "./kinds/rolePolicy.ts";
import { route } from "./kinds/route.ts";
import { routeTable, routeTableAssociation } from "./kinds/routeTable.ts";
import { securityGroup } from "./kinds/securityGroup.ts";
import { egressRule, ingressRule } from "./kinds/securityRules.ts";
import { subnet } from "./kinds/subnet.ts";
import { subnetCidrReservation } from "./kinds/subnetCidrReservation.ts";
import { vpc } from "./kinds/vpc.ts";

/** Everything that is rehearsed. */
export const kinds: readonly Kind[] = [
  vpc,
  subnet,
  subnetCidrReservation,
  internetGateway,
  routeTable,
  route,
  routeTableAssociation,
  securityGroup,
  ingressRule,
  egressRule,
  keyPair,
  instance,
  eip,
  eipAssociation,
  role,
  rolePolicy,
  rolePolicyAttachment,
  instanceProfile,
  bucket,
  bucketPublicAccessBlock,
  bucketEncryption,
  bucketVersioning,
  bucketPolicy,
  bucketObjectv2,
  bucketObject,
  record,
];
