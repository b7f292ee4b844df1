# Arguments: root. The machine is a node no longer: its agent is stopped with what it runs, and what it was told is gone. What
# it keeps (logs, droplets) stays in /var/lib/tutti, under another name.
root=$1
etc=$root/etc/tutti var=$root/var/lib/tutti

systemctl disable --now tutti-boot.service tutti.service 2>/dev/null
# Instances of apps outlive the agent, as they should when it is upgraded. Here they must not.
systemctl kill --signal=TERM tutti.service 2>/dev/null
if [ -z "$root" ] && [ -w /sys/fs/cgroup/system.slice/tutti.service/cgroup.kill ]; then
  echo 1 >/sys/fs/cgroup/system.slice/tutti.service/cgroup.kill
fi
rm -f "$etc/node.json" "$etc/birth.json" "$etc/facts.json" "$etc"/*.before
rm -rf "$var/node/identity"
if [ -d "$var/node" ]; then mv -T "$var/node" "$var/node.removed-$(date +%s)"; fi
rm -f "$var/boot/result.json" "$var/boot/started" "$var/boot/facts.json"
systemctl reset-failed tutti.service tutti-boot.service 2>/dev/null
echo removed
