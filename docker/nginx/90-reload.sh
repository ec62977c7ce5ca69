#!/bin/sh
# certbot does not tell nginx about a renewed certificate, so nginx reloads its files every six hours.
set -eu
while sleep 21600; do
    nginx -t -q && nginx -s reload
done &
