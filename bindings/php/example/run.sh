#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# php-fpm under nginx on 127.0.0.1, with a share that the workers inherit: run.sh EXTENSION [PORT]
# It ends with Ctrl-C. Meanwhile, in another shell: seqshare set PATH /flags/dark true --json
set -euo pipefail
extension=$(realpath "${1:-/usr/lib/php/$(php-config --phpapi)/seqshare.so}") port=${2:-8000}
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
export PATH=$PATH:/usr/sbin
folder=$(mktemp -d)
chmod 755 "$folder"
mkdir "$folder/run"
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
trap 'exit 0' INT TERM

seqshare create "$folder/run/config" --size 1M --mode 644 --json --from "$here/shop.json"
for file in php.ini php-fpm.conf nginx.conf; do
    sed "s|/run/shop|$folder/run|g; s|/etc/shop|$folder|g; s|/srv/shop|$folder|g; s|127.0.0.1:8000|127.0.0.1:$port|" "$here/$file" >"$folder/$file"
done
sed -i "s|^extension = .*|extension = $extension|" "$folder/php.ini"
cp "$here/index.php" "$folder" # a clone may lie where the workers cannot go
if [ "$(id -u)" -eq 0 ]; then # the workers are another user's, who can only read the share
    printf 'user = www-data\ngroup = www-data\n' >>"$folder/php-fpm.conf"
    sed -i '1i user www-data;' "$folder/nginx.conf"
fi
"$(compgen -c php-fpm | head -n 1)" --nodaemonize --php-ini "$folder/php.ini" --fpm-config "$folder/php-fpm.conf" &
nginx -e "$folder/nginx.log" -c "$folder/nginx.conf" -g "daemon off;" &
echo "http://127.0.0.1:$port shows $folder/run/config"
wait -n
