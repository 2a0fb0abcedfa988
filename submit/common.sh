# What the scripts of this folder share; sourced by them, never run.
# shellcheck shell=bash

home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
main_class=dev.reweave.cli.Main
# A source tree builds the jar, and knows where Maven keeps Spark; a release holds all of it.
if [[ -f $home/pom.xml ]]; then
  jar=$home/target/reweave.jar
  classpath=$home/target/classpath
else
  jar=$home/reweave.jar
  classpath=''
fi

die() {
  echo "reweave: $1" >&2
  exit "${2:-1}"
}

# The value of a variable that a script cannot do without.
need() {
  [[ -n ${!1:-} ]] || die "$1 is not set: $2" 2
}

# Builds the jar of a source tree, if it is missing or older than its sources.
need_jar() {
  if [[ -z $classpath ]]; then
    [[ -f $jar ]] || die "$jar is missing: unpack the release again"
    return
  fi
  if [[ -f $jar && -f $classpath ]] &&
    [[ -z $(find "$home/pom.xml" "$home/src/main" -newer "$jar" -print -quit) ]]; then
    return
  fi
  command -v mvn >/dev/null || die "the jar must be built, and Maven (mvn) is not on the PATH"
  echo "building $jar (once; the first time fetches Spark, about 300 MB)" >&2
  local log
  log=$(mktemp)
  if ! (cd "$home" && mvn -B -ntp -q -DskipTests package) >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "the build failed: see above"
  fi
  rm -f "$log"
}

# The class path of an embedded run.
embedded_jars() {
  if [[ -n $classpath ]]; then
    printf '%s' "$jar:$(<"$classpath")"
  else
    printf '%s' "$jar:$home/jars/*"
  fi
}

# Lines of KEY VALUE or KEY=VALUE, as spark-defaults.conf has them.
read_settings() {
  [[ -r $1 ]] || die "cannot read the properties file $1"
  local line
  while IFS= read -r line || [[ -n $line ]]; do
    if [[ $line =~ ^[[:space:]]*([^#[:space:]=][^[:space:]=]*)[[:space:]]*[[:space:]=][[:space:]]*(.*[^[:space:]])[[:space:]]*$ ]]; then
      settings+=("${BASH_REMATCH[1]}=${BASH_REMATCH[2]}")
    fi
  done <"$1"
}

# Takes the launcher's own options out of a command line, wherever they stand: into master,
# settings (KEY=VALUE), arguments (the rest) and verbosity.
read_arguments() {
  master=${REWEAVE_MASTER:-}
  settings=("${settings[@]+"${settings[@]}"}")
  arguments=()
  verbosity=quiet
  while (($#)); do
    case $1 in
      --master) (($# > 1)) || die "--master needs a value" 2; master=$2; shift ;;
      --master=*) master=${1#*=} ;;
      --conf) (($# > 1)) || die "--conf needs KEY=VALUE" 2; settings+=("$2"); shift ;;
      --conf=*) settings+=("${1#*=}") ;;
      --properties-file) (($# > 1)) || die "--properties-file needs a file" 2; read_settings "$2"; shift ;;
      --properties-file=*) read_settings "${1#*=}" ;;
      -v | --verbose) verbosity=verbose; arguments+=("$1") ;;
      *) arguments+=("$1") ;;
    esac
    shift
  done
  local setting
  for setting in "${settings[@]+"${settings[@]}"}"; do
    [[ $setting == *=* ]] || die "--conf $setting is not KEY=VALUE" 2
  done
}

# The same for a cluster: --dry-run as the first argument is the script's own, and the settings of
# conf/cluster.conf come first, so that all others win.
read_cluster_arguments() {
  mode=run
  if [[ ${1:-} == --dry-run ]]; then
    mode=print
    shift
  fi
  settings=()
  read_settings "$home/conf/cluster.conf"
  read_arguments "$@"
  ((${#arguments[@]})) || die "a command is needed, such as: convert --input … --output …" 2
}

# Runs a command, or prints it as a line for a shell.
run_or_print() {
  if [[ $mode == print ]]; then
    printf '%q' "$1"
    shift
    (($#)) && printf ' %q' "$@"
    printf '\n'
  else
    exec "$@"
  fi
}

# spark-submit with all that was read; the arguments of this function come before the settings.
#   $1  client or cluster: where the driver runs
#   $2  the jar
spark_submit() {
  local deploy=$1 application=$2 setting
  shift 2
  local command=("${SPARK_HOME:+$SPARK_HOME/bin/}spark-submit")
  command+=(--master "$master" --deploy-mode "$deploy" --name reweave --class "$main_class" "$@")
  if [[ $deploy == client ]]; then
    local logging=-Dlog4j2.configurationFile=file:$home/conf/log4j2-$verbosity.properties
    command+=(--driver-java-options "$logging${REWEAVE_JAVA_OPTS:+ $REWEAVE_JAVA_OPTS}")
  elif [[ -n ${REWEAVE_JAVA_OPTS:-} ]]; then
    command+=(--driver-java-options "$REWEAVE_JAVA_OPTS")
  fi
  [[ -n ${REWEAVE_MEMORY:-} ]] && command+=(--driver-memory "$REWEAVE_MEMORY")
  [[ -n ${REWEAVE_JARS:-} ]] && command+=(--jars "$REWEAVE_JARS")
  for setting in "${settings[@]+"${settings[@]}"}"; do
    command+=(--conf "$setting")
  done
  if [[ $mode == run ]]; then
    command -v "${command[0]}" >/dev/null ||
      die "${command[0]} is not there: set SPARK_HOME to a Spark installation"
    [[ $application == "$jar" ]] && need_jar
  fi
  run_or_print "${command[@]}" "$application" "${arguments[@]}"
}

# Texts as a JSON array of strings.
json_array() {
  local text separator=''
  printf '['
  for text in "$@"; do
    [[ $text =~ [[:cntrl:]] ]] && die "an argument holds a control character: $(printf %q "$text")" 2
    text=${text//\\/\\\\}
    printf '%s"%s"' "$separator" "${text//\"/\\\"}"
    separator=,
  done
  printf ']'
}
