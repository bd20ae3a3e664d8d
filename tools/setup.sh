#!/usr/bin/env bash
# Installs the Debian packages a list names, those that are missing. usage: tools/setup.sh LIST
set -euo pipefail
missing=()
while read -r package; do
  [ -n "$package" ] && [ "${package:0:1}" != "#" ] || continue
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done < "$1"
# nodejs, npm and python may come from elsewhere than Debian: what counts is that they are there.
keep=()
for package in "${missing[@]}"; do
  case "$package" in
    nodejs) command -v node > /dev/null && continue ;;
    npm | python3) command -v "$package" > /dev/null && continue ;;
    python3-pip) python3 -m pip --version > /dev/null 2>&1 && continue ;;
  esac
  keep+=("$package")
done
[ ${#keep[@]} -gt 0 ] || exit 0
echo "installing: ${keep[*]}"
sudo=""
[ "$(id -u)" -eq 0 ] || sudo=sudo
if [ -n "$sudo" ] && ! command -v sudo > /dev/null; then
  echo "cannot install packages: run as root: apt-get install ${keep[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q > /dev/null
$sudo apt-get install -y -q --no-install-recommends "${keep[@]}" > /dev/null
