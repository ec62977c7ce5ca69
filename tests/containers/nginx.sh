#!/bin/sh
# Like the official image: runs what lies in /docker-entrypoint.d and fills in the templates.
set -eu
for script in /docker-entrypoint.d/*.sh; do
    [ ! -x "$script" ] || "$script"
done
defined=$(env | cut -d= -f1 | sed 's/^/$/' | tr '\n' ' ')
for template in /etc/nginx/templates/*.template; do
    [ ! -e "$template" ] || envsubst "$defined" <"$template" >"/etc/nginx/conf.d/$(basename "$template" .template)"
done
exec "$@"
