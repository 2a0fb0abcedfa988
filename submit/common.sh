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

# Builds the jar of a source tree, if it is missing or older than its sources: sets built then.
need_jar() {
  built=''
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
  built=1
}

# Refuses a Java that could not even read the jar; one that Spark or Hadoop cannot use tells itself.
#   $1  the java program
need_java() {
  local program line
  program=$(command -v "$1") || die "Java 17 is needed: set JAVA_HOME or put java on the PATH"
  program=$(readlink -f "$program")
  [[ -r ${program%/bin/java}/release ]] || return 0
  while IFS= read -r line; do
    if [[ $line =~ ^JAVA_VERSION=\"([0-9]+) ]] && ((BASH_REMATCH[1] < 17)); then
      die "Java 17 or newer is needed, and $program is Java ${line#*=}: set JAVA_HOME to another"
    fi
  done <"${program%/bin/java}/release"
}

# The class path of an embedded run.
embedded_jars() {
  if [[ -n $classpath ]]; then
    printf '%s' "$jar:$(<"$classpath")"
  else
    printf '%s' "$jar:$home/jars/*"
  fi
}

# The classes of a run as the JVM has them in memory, in a file that later runs map: to load them
# one by one takes half of a short run. Such an archive holds for one Java and one jar; the JVM
# passes over one that does not fit. It is made behind the build, or by the second run, so that
# machines that live for one run never pay for it. Nothing of this makes a run fail.
#   $1  the java program
#   $2  its class path
# Sets class_archive to the file, or to nothing.
find_class_archive() {
  class_archive=''
  [[ " ${REWEAVE_JAVA_OPTS:-}" == *' -X'@(share:|X:SharedArchiveFile=|X:ArchiveClassesAtExit=)* ]] &&
    return
  local program folder line java=''
  program=$(readlink -f "$(command -v "$1")") || return 0
  [[ -r ${program%/bin/java}/release ]] || return 0
  while IFS= read -r line; do
    if [[ $line == @(IMPLEMENTOR|JAVA_RUNTIME_VERSION|OS_ARCH)=* ]]; then line=${line#*=} && java+=-${line//\"}; fi
  done <"${program%/bin/java}/release"
  if [[ -n $classpath ]]; then
    folder=$home/target
  elif [[ -w $home ]]; then
    folder=$home
  else
    folder=${XDG_CACHE_HOME:-${HOME:-}/.cache}/reweave
    java=-$home$java
    mkdir -p "$folder" 2>/dev/null || return 0
  fi
  class_archive=$folder/classes${java//[^A-Za-z0-9.+-]/_}.jsa
  [[ $class_archive -nt $jar ]] && return
  if [[ -z $built && ! $class_archive.wanted -nt $jar ]]; then
    { : >"$class_archive.wanted"; } 2>/dev/null || true
  elif [[ ! $class_archive.begun -nt $jar ]] && { : >"$class_archive.begun"; } 2>/dev/null; then
    make_class_archive "$@" || true
  fi
  [[ $class_archive -nt $jar ]] || class_archive=''
}

# What stays of an attempt that failed tells other runs not to try again. The file is whole before
# it has its name, and on the disk: a JVM that maps a part of one dies.
make_class_archive() {
  local folder made=$class_archive.$$
  folder=$(mktemp -d) || return
  if "$1" "${jvm_options[@]}" -Dspark.master=local -XX:ArchiveClassesAtExit="$folder/classes.jsa" \
    -cp "$2" "$main_class" demo --output "$folder" &&
    cp "$folder/classes.jsa" "$made" && sync "$made" && mv -f "$made" "$class_archive"; then
    rm -f "$class_archive.wanted" "$class_archive.begun"
  fi
  rm -rf "$folder" "$made"
} >/dev/null 2>&1

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
