import { Provider } from "@pulumi/aws/provider.js";
import { Config, type Resource } from "@pulumi/pulumi";

/**
 * A provider of the cluster's own, so that `cluster.yaml` says the region and nothing else can say another. What a
 * person has set for the engine's own provider (`pulumi config set aws:profile …`) holds for this one too.
 */
export function providerFor(name: string, region: string, parent: Resource): Provider {
  const set = new Config("aws");
  const args = {
    region: region as never,
    profile: set.get("profile"),
    accessKey: set.getSecret("accessKey"),
    secretKey: set.getSecret("secretKey"),
    token: set.getSecret("token"),
    assumeRoles: set.getObject<never>("assumeRoles"),
    allowedAccountIds: set.getObject<string[]>("allowedAccountIds"),
    endpoints: set.getObject<never>("endpoints"),
    s3UsePathStyle: set.getBoolean("s3UsePathStyle"),
    skipCredentialsValidation: set.getBoolean("skipCredentialsValidation"),
    skipMetadataApiCheck: set.getBoolean("skipMetadataApiCheck"),
    skipRequestingAccountId: set.getBoolean("skipRequestingAccountId"),
  };
  return new Provider(name, args, { parent });
}
