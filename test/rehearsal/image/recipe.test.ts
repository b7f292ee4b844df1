import { describe, expect, it } from "vitest";
import { packagesFor } from "../../../cloudinit/packages.ts";
import { optionsFrom, sourcesFrom } from "../../../rehearsal/image/mirrors.ts";
import { hashOf, recipe } from "../../../rehearsal/image/recipe.ts";
import { debianArguments } from "../../../rehearsal/image/rootfs.ts";
import { availableRoles } from "../../support/cloudinit.ts";

describe("the recipe of the image", () => {
  it("has all that nodes of any roles need, each once, and what a machine boots with", () => {
    const { packages } = recipe();
    expect(packages).toEqual(expect.arrayContaining(packagesFor(availableRoles)));
    expect(packages).toEqual(expect.arrayContaining(["systemd", "cloud-init", "openssh-server", "haproxy", "crun"]));
    expect(new Set(packages).size).toBe(packages.length);
  });

  it("has another name as soon as anything in it is another", () => {
    const one = recipe();
    expect(hashOf(one)).toMatch(/^[0-9a-f]{16}$/);
    expect(hashOf(recipe())).toBe(hashOf(one));
    expect(hashOf({ ...one, packages: [...one.packages, "sl"] })).not.toBe(hashOf(one));
    expect(hashOf({ ...one, files: { ...one.files, "etc/motd": "hello" } })).not.toBe(hashOf(one));
    expect(hashOf({ ...one, architecture: "arm64" })).not.toBe(hashOf({ ...one, architecture: "x64" }));
  });

  it("becomes the arguments of one mmdebstrap", () => {
    const args = debianArguments(recipe(), "/target", {
      sources: ["deb http://m bookworm main"],
      options: ['A::B "c";'],
    });
    expect(args.slice(-3)).toEqual(["bookworm", "/target", "deb http://m bookworm main"]);
    expect(args).toContain('--aptopt=A::B "c";');
    expect(args).toContain("--dpkgopt=path-exclude=/usr/share/man/*");
  });
});

describe("the mirrors", () => {
  it("are those of this computer, where it is a Debian of whatever age", () => {
    const targets =
      "Debian http://near/debian/ trixie\nNode https://deb.nodesource.com nodistro\nDebian http://near/security/ trixie-security\n";
    expect(sourcesFrom(targets, "bookworm", "/keys.gpg")).toEqual([
      'deb [signed-by="/keys.gpg"] http://near/debian/ bookworm main',
      'deb [signed-by="/keys.gpg"] http://near/debian/ bookworm-updates main',
      'deb [signed-by="/keys.gpg"] http://near/security/ bookworm-security main',
    ]);
  });

  it("are Debian's own elsewhere", () => {
    expect(sourcesFrom("Ubuntu http://archive.ubuntu.com/ubuntu/ noble\n", "bookworm")).toEqual([
      "deb http://deb.debian.org/debian bookworm main",
      "deb http://deb.debian.org/debian bookworm-updates main",
      "deb http://deb.debian.org/debian-security bookworm-security main",
    ]);
  });

  it("are reached as this computer reaches them: by its proxy, and with its doubts about clocks", () => {
    const config =
      "Acquire::http::Proxy http://proxy:3128\nAcquire::Check-Date false\nAcquire::Languages none\nAcquire \n";
    expect(optionsFrom(config)).toEqual([
      'Acquire::Retries "3";',
      'APT::Install-Recommends "false";',
      'Acquire::http::Proxy "http://proxy:3128";',
      'Acquire::Check-Date "false";',
    ]);
  });
});
