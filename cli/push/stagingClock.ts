import { marks } from "../flow.ts";
import type { Line } from "../logcache.ts";
import { plain } from "../show.ts";
import type { Steps } from "./steps.ts";

/** Times the three steps of a staging by the stager's own lines, on this machine's clock. */
export function clockOf(began: number, steps: Steps) {
  const heard: Line[] = [];
  // How far their clock is from ours is at most what the quickest line took to get here.
  let skew = Number.POSITIVE_INFINITY;
  let said = began;
  const say = (name: string, until: number, detail?: string) => {
    const at = Math.max(said, until);
    steps.add(name, at - said, detail);
    said = at;
  };
  const moment = (step: number) => {
    const mark = marks([], heard).find((each) => each.step === step);
    return mark && mark.at + skew;
  };
  let framework = false;
  return {
    heard(line: Line) {
      heard.push(line);
      skew = Math.min(skew, Date.now() - Number(line.at / 1_000_000n));
      const detected = moment(2);
      if (framework || detected === undefined) return;
      framework = true;
      say("framework detection", detected, plain(line.text.replace(/^Framework: /, "")));
    },
    through(name: string | undefined, now: number) {
      if (!framework) say("framework detection", said, name);
      say("staging", Math.min(now, moment(4) ?? now), name);
      const packed = heard.find((each) => /^Packed the droplet/.test(each.text));
      say("droplet creation", now, packed && /: (.*) in /.exec(packed.text)?.[1]);
    },
  };
}
