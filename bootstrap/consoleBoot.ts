import { bootResult, bootStep, read } from "./picture.ts";

/** How the newest boot of a machine failed, in its own words on the console. */
export interface FailedBoot {
  readonly why: string;
  readonly lines: readonly string[];
}

/** undefined when it has not failed, or when the console does not tell. Lines of others and torn ones are passed over. */
export function failedOnConsole(text: string): FailedBoot | undefined {
  const told = text.split(/\r\n|[\r\n]/);
  const behind = (mark: string) =>
    told.flatMap((line) => {
      const begin = line.indexOf(mark);
      // Behind it there may be colours, and what the kernel had to say.
      return begin < 0 ? [] : [line.slice(begin + mark.length, line.lastIndexOf("}") + 1)];
    });
  const result = behind("tutti-boot-result: ")
    .flatMap((json) => read(bootResult, json) ?? [])
    .at(-1);
  if (result?.state !== "failed") return undefined;
  const { boot, step, exit } = result;
  const steps = behind("tutti-boot: ").flatMap((json) => read(bootStep, json) ?? []);
  const mine = steps.findLast((one) => one.boot === boot && one.name === step);
  return { why: `boot step ${step} failed with exit code ${exit}`, lines: mine?.lines ?? [] };
}
