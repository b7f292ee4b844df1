# Arguments: root, "keep" or nothing. Reads lines "path mode base64" and puts each file in its place: whole or not at all, and
# with its mode from the beginning. With "keep" what stood there stays beside it, as PATH.before.
set -eu
root=$1 keep=${2:-}
umask 077

while read -r path mode text; do
  file=$root$path
  if [ ! -d "$(dirname "$file")" ]; then (umask 022 && mkdir -p "$(dirname "$file")"); fi
  printf '%s' "$text" | base64 -d >"$file.new"
  chmod "$mode" "$file.new"
  # A run that was cut off has kept it already: what stands there now is the new one.
  if [ "$keep" = keep ] && [ -e "$file" ] && [ ! -e "$file.before" ]; then cp -p "$file" "$file.before"; fi
  mv -f "$file.new" "$file"
done
echo installed
