import { Server, ServerCredentials } from "@grpc/grpc-js";
import aws from "@pulumi/aws/package.json" with { type: "json" };
import provider from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { invokes } from "./invokes.ts";
import { kinds } from "./kinds.ts";
import { service } from "./server.ts";

// The engine starts this, reads a port from the first line it prints, and speaks gRPC with it.

const big = { "grpc.max_receive_message_length": 400 << 20, "grpc.max_send_message_length": 400 << 20 };

const server = new Server(big);
server.addService(
  provider.ResourceProviderService as never,
  service({ kinds, invokes, version: aws.version }) as never,
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});

// An engine that is killed says no goodbye, and a provider without one is no use.
const engine = process.ppid;
setInterval(() => process.ppid !== engine && process.exit(0), 500).unref();
