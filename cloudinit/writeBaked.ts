import { type RoleName, roleName, roles } from "../roles/role.ts";
import { renderBakeScript } from "./render.ts";

// node cloudinit/writeBaked.ts [role …] > bake.sh: the recipe of an image, for all roles when none is named.

const all = (Object.keys(roles) as RoleName[]).filter((role) => roles[role].available);
const named = process.argv.slice(2).map((name) => roleName.parse(name));
process.stdout.write(renderBakeScript(named.length > 0 ? named : all));
