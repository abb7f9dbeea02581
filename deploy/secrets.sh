#!/usr/bin/env bash
# Makes the random secrets of docker-compose.yml, once: what exists is kept. The seal
# certificate and its key are not made up here, they come from the office's CA.
set -euo pipefail

dir=${1:-$(dirname "$0")/secrets}
mkdir -p "$dir"
# The folder keeps others on this host out. The files are readable because Compose shows
# them as they are to containers, whose users have other numbers than ours.
chmod 0700 "$dir"

for name in root_key s3_secret_key meili_key; do
	[[ -e $dir/$name ]] && continue
	od -An -vtx1 -N32 /dev/urandom | tr -d ' \n' >"$dir/.new"
	chmod 0444 "$dir/.new"
	mv -n "$dir/.new" "$dir/$name"
	echo "made $dir/$name"
done
for name in signer_cert signer_key; do
	[[ -e $dir/$name ]] || echo "missing: $dir/$name, a PEM file from the office's CA"
done
