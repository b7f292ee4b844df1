# Arguments: root, "back" or "forget", paths. Files that were kept by install.sh: puts them back, or forgets them.
set -eu
root=$1 what=$2
shift 2
for path; do
  file=$root$path
  [ -e "$file.before" ] || continue
  if [ "$what" = back ]; then mv -f "$file.before" "$file"; else rm -f "$file.before"; fi
done
echo "$what"
