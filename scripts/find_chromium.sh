#!/bin/sh
# Print the Chromium for the browser tests, installing one if there is none.
# The argument is a Python that has Playwright. Whatever is found must start, for some
# distributions put a mere pointer to another package in the browser's place.
set -eu
python=$1

works() { "$1" --no-sandbox --version >/dev/null 2>&1; }

installed() {
  for name in "${ATOR_CHROMIUM:-}" chromium chromium-browser google-chrome; do
    if [ -n "$name" ] && found=$(command -v "$name") && works "$found"; then
      echo "$found"
      return
    fi
  done
  found=$("$python" -c 'from playwright.sync_api import sync_playwright as p
with p() as playwright: print(playwright.chromium.executable_path)')
  works "$found" && echo "$found"
}

from_distribution() {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium
}

from_playwright() { "$python" -m playwright install "$@" chromium; }

installed && exit
echo "Installing Chromium for the browser tests: once" >&2
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  from_distribution >/dev/null && installed && exit
  from_playwright --with-deps >/dev/null && installed && exit
else
  from_playwright >/dev/null && installed && exit
fi
echo "There is no Chromium for the browser tests, and it could not be installed." >&2
echo "Install one (apt-get install chromium, or $python -m playwright install --with-deps chromium)," >&2
echo "or name one: ATOR_CHROMIUM=/path/to/chromium make test" >&2
exit 1
