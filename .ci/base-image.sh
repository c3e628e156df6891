#!/usr/bin/env bash
# Makes a stand-in for the base image where no image registry answers, so that the Dockerfile
# builds unchanged: Debian trixie with its own Python 3.13, under the official image's name.
#
#   .ci/base-image.sh [IMAGE]
#
# An image that is already there is left alone, and one that can be pulled is pulled. Needs debootstrap, root, and apt's own sources.
set -euo pipefail

image=${1:-python:3.13-slim-trixie}
if docker image inspect "$image" >/dev/null 2>&1; then
    echo "base image: $image is here"
    exit 0
fi
if timeout 300 docker pull --quiet "$image" 2>/dev/null; then
    echo "base image: $image pulled"
    exit 0
fi
if ! command -v debootstrap >/dev/null; then
    apt-get update -qq || true
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends debootstrap </dev/null
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

echo "base image: building a stand-in for $image"
debootstrap --variant=minbase \
    --include=ca-certificates,python3,python3-venv,python3-pip,python-is-python3 \
    trixie "$root" >"$work/debootstrap.log" 2>&1 || { tail -n 40 "$work/debootstrap.log" >&2; exit 1; }

# It trusts what this machine trusts: without that, pip in a build fails behind a proxy's certificate.
cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
chroot "$root" update-ca-certificates >/dev/null 2>&1
printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\nbreak-system-packages = true\n' >"$root/etc/pip.conf"

sources=/etc/apt/sources.list.d/debian.sources
if [ -f "$sources" ]; then
    sed 's/bookworm/trixie/g' "$sources" >"$root/etc/apt/sources.list.d/debian.sources"
    rm -f "$root/etc/apt/sources.list"
fi
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/*

tar -C "$root" --numeric-owner -c . |
    docker import -c 'ENV LANG=C.UTF-8' -c 'CMD ["python3"]' - "$image" >/dev/null
echo "base image: $image made"
