#!/bin/sh
# install.sh: what the tests and the demo need beside Rust. Idempotent; nothing it installs is started, now or at boot.
#
# Debian and Ubuntu: installs the distribution's packages, and only those whose program is missing, as root or by sudo.
# Anywhere else: names the missing programs and exits with 1.
set -eu
# Where name servers are; the path of a plain user may lack it.
PATH=$PATH:/usr/sbin

# One line a need: package, programs (alternatives joined by a bar), what for.
needs() {
  cat <<'END'
build-essential cc the C compiler that two dependencies need
redis-server redis-server a real Redis to watch, break and fail over
redis-tools redis-cli to look at that Redis by hand
prometheus prometheus evaluates the alert rules
prometheus promtool checks and tests the alert rules
prometheus-alertmanager alertmanager|prometheus-alertmanager posts the alerts to the webhook
prometheus-alertmanager amtool checks the Alertmanager configuration
bind9 named a name server that takes dynamic updates, to hold a record
bind9-dnsutils nsupdate changes a record behind redrover's back
bind9-dnsutils dig to ask for the DNS record by hand
knot-dnsutils kdig a second opinion about the embedded name server
curl curl asks over TLS in a test
openssl openssl checks the signature of a webhook in a test
END
}

has_any() { # has_any a|b : is one of these programs here?
  for program in $(echo "$1" | tr '|' ' '); do
    if command -v "$program" >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

missing=$(needs | while read -r package programs reason; do
  has_any "$programs" || echo "$package $programs $reason"
done)
if [ -z "$missing" ]; then
  echo "install: nothing is missing"
  exit 0
fi
echo "install: missing programs"
echo "$missing" | while read -r package programs reason; do
  echo "  $(echo "$programs" | sed 's/|/ or /g'): $reason"
done

give_up() {
  echo "install: $1" >&2
  exit 1
}

if ! command -v apt-get >/dev/null 2>&1; then
  give_up "this is not Debian or Ubuntu: please install the programs above by your system's means, then run this again"
fi
packages=$(echo "$missing" | cut -d' ' -f1 | sort -u | tr '\n' ' ')
if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null 2>&1; then
  as_root=sudo
else
  give_up "neither root nor sudo: please run as root: apt-get install $packages"
fi

# No package may start a service: an existing policy stays as it is, else one is added for this run only.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '$as_root rm -f "$policy"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod 755 "$policy"
fi

echo "install: apt-get installs $packages(no service is started)"
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@"; }
apt update -qq
# shellcheck disable=SC2086  # a list of names
apt install -y -qq --no-install-recommends $packages

# apt enables the units for the next boot although they were kept from starting.
# Only the packages of this run: a service that was here before belongs to somebody else.
if command -v systemctl >/dev/null 2>&1; then
  for package in $packages; do
    case $package in
      redis-server | prometheus | prometheus-alertmanager)
        $as_root systemctl disable "$package" >/dev/null 2>&1 || true ;;
      bind9)
        $as_root systemctl disable named >/dev/null 2>&1 || true ;;
    esac
  done
fi

needs | while read -r package programs reason; do
  has_any "$programs" || give_up "$programs is still missing after the installation of $package"
done
echo "install: done"
