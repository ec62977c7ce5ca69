#!/bin/sh
# Without a certificate nginx does not start: a self-signed one lets the first start succeed. Replace it.
set -eu
[ ! -e "$QFIELDCLOUD_TLS_CERT" ] || exit 0
echo "No certificate at $QFIELDCLOUD_TLS_CERT: creating a self-signed one for $QFIELDCLOUD_HOST."
umask 077
mkdir -p "$(dirname "$QFIELDCLOUD_TLS_CERT")" "$(dirname "$QFIELDCLOUD_TLS_KEY")"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 \
    -subj "/CN=$QFIELDCLOUD_HOST" -addext "subjectAltName=DNS:$QFIELDCLOUD_HOST,DNS:localhost,DNS:nginx" \
    -keyout "$QFIELDCLOUD_TLS_KEY" -out "$QFIELDCLOUD_TLS_CERT" 2>/dev/null
chmod 644 "$QFIELDCLOUD_TLS_CERT"
