# Arguments: seconds, "once" or nothing. Prints a picture of the node, and another whenever something has changed:
# files behind "== name", at the end "==.". Every few seconds "==~", so that this ends when nobody reads any more.
# Exit 0: the node is ready; 1: it cannot become ready; 75: too late. A POSIX shell and what every Debian has will do.
left=$(($1 * 4)) once=$2
# For tests: a directory that stands for /.
root=${TUTTI_ROOT:-}
etc=$root/etc/tutti boot=$root/var/lib/tutti/boot home=$root/var/lib/tutti/node

# Without other programs: this runs several times a second on a machine that has a boot to do.
show() {
  [ -r "$2" ] || return 0
  echo "== $1"
  while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$2"
}

# member NAME: the text behind "NAME": in node.json, to the end of its line.
member() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in *"\"$1\":"*) printf '%s\n' "${line#*"\"$1\":"}" && return ;; esac
  done <"$etc/node.json"
}

agent_lives() {
  pid=${status#*'"pid":'}
  pid=${pid%%[!0-9]*}
  [ -n "$pid" ] && grep -qa agent/main "/proc/$pid/cmdline" 2>/dev/null
}

is_ready() {
  case $status in *'"state":"starting"'* | *'"state":"failing"'* | *'"state":"stopping"'*) return 1 ;; esac
  case $status in *'"state":"ready"'*) [ -n "$lives" ] ;; *) return 1 ;; esac
}

boot_state() {
  result=
  [ -r "$boot/result.json" ] && IFS= read -r result <"$boot/result.json"
  case $result in *"\"state\":\"$1\""*) return 0 ;; *) return 1 ;; esac
}

# The user of old images, when somebody could log in with its password.
with_password() {
  [ -r "$root/etc/shadow" ] || return 0
  while IFS=: read -r user hash _; do
    case $user in stackato) case $hash in '' | '!'* | '*'*) ;; *) echo "password $user" ;; esac ;; esac
  done <"$root/etc/shadow"
}

# What answers on loopback where the license step is taken: "HTTP", or nothing where TLS is spoken.
what_speaks() {
  case $status in *'"name":"controller"'*) ;; *) return 0 ;; esac
  port=$(member controller)
  port=${port#"${port%%[0-9]*}"}
  port=${port%%[!0-9]*}
  # shellcheck disable=SC2016
  timeout 3 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && printf "GET / HTTP/1.0\r\n\r\n" >&3 && head -c 4 <&3' "$port" 2>/dev/null |
    tr -cd '[:upper:]'
}

picture() {
  status=
  if [ -r "$etc/node.json" ]; then
    said=$(member home)
    said=${said#*\"}
    home=${said%%\"*}
  fi
  [ -r "$home/status.json" ] && IFS= read -r status <"$home/status.json"
  show node "$etc/node.json"
  show result "$boot/result.json"
  [ ! -r "$boot/journal.jsonl" ] || { echo '== journal' && tail -n 16 "$boot/journal.jsonl"; }
  [ -z "$status" ] || printf '== status\n%s\n' "$status"
  echo '== facts'
  lives=
  if agent_lives; then lives=1 && echo agent; fi
  [ -e "$home/identity/authority.json" ] && echo authority
  [ -e "$root/usr/local/lib/tutti/boot" ] && echo boot
  [ ! -d "$root/run/cloud-init" ] || [ -e "$root/run/cloud-init/result.json" ] || echo cloud-init
  # shellcheck disable=SC2012
  if boot_state running; then echo "running $(ls -t "$boot"/*.log 2>/dev/null | head -n 1)"; fi
  with_password
  if is_ready; then printf 'speaks %s\nready\n' "$(what_speaks)"; fi
  echo '==.'
}

last_words() {
  echo '== log'
  journalctl --unit tutti.service --lines 8 --output cat --no-pager 2>/dev/null
  echo '==.'
}

before=
while :; do
  now=$(picture)
  [ "$now" = "$before" ] || printf '%s\n' "$now"
  before=$now
  [ "$once" != once ] || exit 0
  case $now in *'
ready
==.') exit 0 ;; esac
  if boot_state failed; then last_words && exit 1; fi
  [ "$left" -gt 0 ] || { last_words && exit 75; }
  left=$((left - 1))
  [ $((left % 20)) -ne 0 ] || echo '==~'
  sleep 0.25
done
