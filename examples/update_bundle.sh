#!/bin/sh
# Replaces a bundle by that of a server, if it is signed and passes its self-test on this device.
#
#     KEY=/etc/edgeemo/keys/public.pem PYTHON=/opt/edgeemo/bin/python SERVICE=edgeemo@door \
#         sh update_bundle.sh https://releases.example/mine.pyz /opt/edgeemo/mine.pyz
#
# Beside mine.pyz the server has mine.pyz.sig, of 'edgeemo bundle --sign'. Where that has not changed,
# nothing else is fetched. If the service does not run a minute after its restart, the old bundle is
# put back. A release that was refused once is not tried again.
# Exit status: 0 up to date, 1 not reached, 3 refused.
set -eu

url=$1 bundle=$2
key=${KEY:-/etc/edgeemo/keys/public.pem}
python=${PYTHON:-/opt/edgeemo/bin/python}
service=${SERVICE:-}
wait_s=${WAIT_S:-60}
new=$bundle.new

refuse() {
    echo "refused: $1" >&2
    mv "$new.sig" "$bundle.refused"
    exit 3
}

trap 'rm -f "$new" "$new.sig"' EXIT
curl --fail --silent --show-error --max-time 60 --output "$new.sig" "$url.sig" || exit 1
! cmp -s "$new.sig" "$bundle.sig" || exit 0
! cmp -s "$new.sig" "$bundle.refused" || exit 3

curl --fail --silent --show-error --max-time 3600 --output "$new" "$url" || exit 1
openssl pkeyutl -verify -rawin -pubin -inkey "$key" -in "$new" -sigfile "$new.sig" >/dev/null ||
    refuse "the signature is not by $key"
"$python" "$new" selftest || refuse "the self-test does not pass"

if [ -e "$bundle" ]; then
    cp -p "$bundle" "$bundle.old"
    cp -p "$bundle.sig" "$bundle.old.sig" 2>/dev/null || rm -f "$bundle.old.sig"
fi
mv "$new" "$bundle"
cp "$new.sig" "$bundle.sig" # last: after a power cut between the two the next run fetches both again
[ -n "$service" ] || exit 0

systemctl restart "$service" || :
sleep "$wait_s"
if ! systemctl is-active --quiet "$service"; then
    if [ -e "$bundle.old" ]; then
        mv "$bundle.old" "$bundle"
        mv "$bundle.old.sig" "$bundle.sig" 2>/dev/null || rm -f "$bundle.sig"
        systemctl restart "$service" || :
    fi
    refuse "$service does not run with it"
fi
