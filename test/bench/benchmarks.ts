import { bootstrap } from "./bootstrap.ts";
import { command } from "./command.ts";
import { ec2 } from "./ec2.ts";
import type { Benchmark } from "./harness.ts";
import { idle } from "./idle.ts";
import { infra } from "./infra.ts";
import { push } from "./push.ts";
import { recover } from "./recover.ts";
import { register } from "./register.ts";
import { rehearsal } from "./rehearsal.ts";
import { router } from "./router.ts";
import { start } from "./start.ts";

/** All benchmarks, in the order in which they run. */
export const benchmarks: readonly Benchmark[] = [
  command,
  start,
  push,
  recover,
  idle,
  register,
  router,
  infra,
  ec2,
  bootstrap,
  rehearsal,
];
