# Arguments: root. Tells what this machine knows of its boots and of its agent, part by part, and changes nothing.
root=$1
etc=$root/etc/tutti boot=$root/var/lib/tutti/boot node=$root/var/lib/tutti/node

part() { printf '== %s\n' "$1"; }

part facts
printf 'id %s\n' "$(sed -n 's/^ *"id": *"\([^"]*\)".*/\1/p' "$etc/node.json" 2>/dev/null | head -n 1)"
printf 'current %s\n' "$(readlink "$root/opt/tutti/current" 2>/dev/null)"
printf 'boot %s\n' "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
printf 'agent %s\n' "$(systemctl is-active tutti.service 2>/dev/null)"
printf 'cloudinit %s\n' "$(cat /run/cloud-init/result.json /var/lib/cloud/data/result.json 2>/dev/null | tr -d '\n')"
[ ! -x "$root/usr/local/lib/tutti/boot" ] || echo "script there"
part journal
tail -n 60 "$boot/journal.jsonl" 2>/dev/null
part result
cat "$boot/result.json" 2>/dev/null
part running
# The step that is under way writes the newest of the logs.
# shellcheck disable=SC2012
newest=$(ls -t "$boot"/*.log 2>/dev/null | head -n 1)
if [ -n "$newest" ]; then
  basename "$newest" .log
  tail -n 8 "$newest"
fi
part status
cat "$node/status.json" 2>/dev/null
echo
part log
journalctl --unit tutti --lines 12 --output cat --no-pager 2>/dev/null
part end
