#!/usr/bin/env bash
# Installs S3 servers that others wrote, starts one after the other, and runs the tests of stores
# against each. mvn -P s3servers verify runs it when all is built.
#
# usage: s3servers.sh FOLDER [install]
#   FOLDER                    what is installed goes there, with the servers' files and logs
#   install                   that alone: nothing is started
#   S3SERVERS_ONLY            some of moto, versitygw and minio, with spaces between; all by default
#   S3SERVERS_TESTS           the tests, as for -Dtest
#   S3SERVERS_PYTHON          the Python that makes an environment for moto; python3 by default
#   S3SERVERS_MAVEN           the Maven that runs the tests; mvn by default
# moto needs Python, versitygw and minio need Go: those without are told and left out.
# Exit codes: 0 all right; 1 tests that failed; 2 nothing could be installed.
set -euo pipefail

[[ $# -eq 1 || ($# -eq 2 && $2 == install) ]] || { echo "usage: $0 FOLDER [install]" >&2; exit 2; }
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
mkdir -p "$1"
work=$(cd "$1" && pwd)
python=${S3SERVERS_PYTHON:-python3}
maven=${S3SERVERS_MAVEN:-mvn}
tests=${S3SERVERS_TESTS:-S3StorageTest,OpenUploadsTest,S3RightsTest,FaultTest}
read -r -a servers <<<"${S3SERVERS_ONLY:-moto versitygw minio}"
export AWS_ACCESS_KEY_ID=reweave AWS_SECRET_ACCESS_KEY=reweave-tests

server=
end_server() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  [[ -z $server ]] || wait "$server" 2>/dev/null || true
  server=
}
trap end_server EXIT

# Installs one; says how to, if it cannot.
install() {
  case $1 in
    moto)
      command -v "$python" >/dev/null || { echo "moto: there is no $python"; return 1; }
      [[ -x $work/venv/bin/moto_server ]] || {
        "$python" -m venv "$work/venv" && "$work/venv/bin/pip" install -q 'moto[server,s3]'
      } >>"$work/moto.install.log" 2>&1
      ;;
    versitygw | minio)
      command -v go >/dev/null || { echo "$1: there is no Go"; return 1; }
      local module=github.com/minio/minio
      [[ $1 == minio ]] || module=github.com/versity/versitygw/cmd/versitygw
      [[ -x $work/bin/$1 ]] ||
        GOBIN=$work/bin go install "$module@latest" >>"$work/$1.install.log" 2>&1
      ;;
    *)
      echo "$1: no such server is known"
      return 1
      ;;
  esac
}

free_port() {
  local port
  for port in $(seq 20000 7 30000); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

start() {
  local data=$work/data/$1
  rm -rf "$data"
  mkdir -p "$data"
  case $1 in
    moto) exec "$work/venv/bin/moto_server" -H 127.0.0.1 -p "$2" ;;
    versitygw)
      ROOT_ACCESS_KEY=$AWS_ACCESS_KEY_ID ROOT_SECRET_KEY=$AWS_SECRET_ACCESS_KEY \
        exec "$work/bin/versitygw" --port "127.0.0.1:$2" posix "$data"
      ;;
    minio)
      MINIO_ROOT_USER=$AWS_ACCESS_KEY_ID MINIO_ROOT_PASSWORD=$AWS_SECRET_ACCESS_KEY \
        exec "$work/bin/minio" server --address "127.0.0.1:$2" "$data"
      ;;
  esac >"$work/$1.log" 2>&1
}

await() {
  local try
  for try in $(seq 300); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  echo "it does not start"
  return 1
}

if [[ $# -eq 2 ]]; then
  for name in "${servers[@]}"; do
    install "$name" || { echo "not installed: $name; see $work/$name.install.log" >&2; exit 2; }
  done
  exit
fi

ran=0
failed=()
for name in "${servers[@]}"; do
  if ! install "$name"; then
    echo "left out: $name; see $work/$name.install.log"
    continue
  fi
  port=$(free_port)
  start "$name" "$port" &
  server=$!
  ran=$((ran + 1))
  echo "== $name at port $port: $tests"
  if await "$port" && REWEAVE_TEST_S3_ENDPOINT=http://127.0.0.1:$port \
    "$maven" -B -ntp -f "$project/pom.xml" surefire:test -Dtest="$tests" \
    >"$work/$name.tests.log" 2>&1; then
    grep -E "Tests run: [0-9]+.*[0-9]$" "$work/$name.tests.log" | tail -n 1
  else
    grep -E "^\[ERROR\]   |Tests run: .*[0-9]$" "$work/$name.tests.log" || tail -n 5 "$work/$name.log"
    failed+=("$name")
  fi
  end_server
done
[[ $ran -gt 0 ]] || { echo "no server could be installed" >&2; exit 2; }
[[ ${#failed[@]} -eq 0 ]] || { echo "failed with: ${failed[*]}" >&2; exit 1; }
