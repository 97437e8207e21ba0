# What the scripts share: find a JDK, build when the sources changed, run a tool. Sourced by POSIX sh.
#
# The caller sets `here` to the directory of this file. Functions and variables are prefixed h2_.

h2_root=${here%/*}
# scripts/install puts the scripts beside the jars: there is nothing to build then.
h2_installed=
[ ! -f "$h2_root/hammer2-tools.jar" ] || h2_installed=yes
h2_dist=$h2_root${h2_installed:-/tools/target/dist}
h2_dist=${h2_dist%yes}
h2_stamp=$h2_dist/built
h2_jdk_wanted="JDK 25 (25.0.3 or later; earlier ones corrupt compressed data, JDK-8377811)"

# What every JVM of this project needs: native calls, and the stackful threads of lwkt-runtime.
h2_jvm_flags="--enable-native-access=ALL-UNNAMED --add-exports=java.base/jdk.internal.vm=ALL-UNNAMED"
h2_jvm_flags="$h2_jvm_flags --sun-misc-unsafe-memory-access=allow"
# A switch of threads comes back through this method, which is too large for the compiler's taste: a return less to mispredict.
h2_jvm_flags="$h2_jvm_flags -XX:CompileCommand=quiet -XX:CompileCommand=inline,jdk.internal.vm.Continuation::run"

# h2_say TEXT...: one line for the user. stderr, because stdout belongs to the tool that is to run.
h2_say() {
    echo "$*" >&2
}

# h2_die STATUS LINE...: the reason, one line per argument, and the end.
h2_die() {
    h2_status=$1
    shift
    for h2_line in "$@"; do
        h2_say "$h2_line"
    done
    exit "$h2_status"
}

# h2_jdk_fits HOME: whether HOME holds a JDK that will do. Reads its release file: starting java takes 50 ms.
h2_jdk_fits() {
    [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
    while IFS='=' read -r h2_key h2_value; do
        if [ "$h2_key" = JAVA_VERSION ]; then
            h2_value=${h2_value#\"}
            h2_value=${h2_value%\"}
            case $h2_value in
                25.0.[3-9] | 25.0.[3-9].* | 25.0.[1-9][0-9]* | 25.[1-9]*) return 0 ;;
            esac
            return 1
        fi
    done <"$1/release"
    return 1
}

# h2_find_jdk: sets and exports JAVA_HOME, or says what to install and ends with the status given.
h2_find_jdk() {
    if [ -n "${JAVA_HOME:-}" ] && h2_jdk_fits "$JAVA_HOME"; then
        export JAVA_HOME
        return
    fi
    for h2_home in /usr/lib/jvm/* /usr/local/lib/jvm/* /opt/java/* /opt/jdk* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home "${HOME:-/nonexistent}"/.jdks/* \
        "${HOME:-/nonexistent}"/.sdkman/candidates/java/*; do
        if h2_jdk_fits "$h2_home"; then
            JAVA_HOME=$h2_home
            export JAVA_HOME
            return
        fi
    done
    if [ -x /usr/libexec/java_home ]; then
        h2_home=$(/usr/libexec/java_home -v 25 2>/dev/null || true)
        if [ -n "$h2_home" ] && h2_jdk_fits "$h2_home"; then
            JAVA_HOME=$h2_home
            export JAVA_HOME
            return
        fi
    fi
    if h2_java=$(command -v java) && h2_java=$(readlink -f "$h2_java"); then
        h2_home=${h2_java%/bin/java}
        if h2_jdk_fits "$h2_home"; then
            JAVA_HOME=$h2_home
            export JAVA_HOME
            return
        fi
    fi
    case $(uname -s) in
        Darwin) h2_how="    brew install --cask temurin@25" ;;
        *) h2_how="    Debian, Ubuntu: add the repository of https://adoptium.net/installation/linux, then
        apt-get install temurin-25-jdk
    any Linux: unpack the archive of https://adoptium.net/temurin/releases/?version=25 below /usr/lib/jvm" ;;
    esac
    h2_die "$1" "No $h2_jdk_wanted found: not in JAVA_HOME, the usual folders or the PATH." "Install one:" "$h2_how" \
        "or set JAVA_HOME to where it is."
}

# h2_find_maven STATUS: sets h2_mvn, or says what to install.
h2_find_maven() {
    h2_mvn=$(command -v mvn) && return
    case $(uname -s) in
        Darwin) h2_how="brew install maven" ;;
        *) h2_how="apt-get install maven (Debian, Ubuntu), dnf install maven (Fedora)" ;;
    esac
    h2_die "$1" "The tools have to be built and Maven is missing." "Install it: $h2_how."
}

# h2_maven_errors LOG: its errors and warnings, without Maven's advice on itself.
h2_maven_errors() {
    grep -E '^\[(ERROR|WARNING)\] .' "$1" |
        grep -vE 'JAR will be empty|Help 1|full stack trace|Re-run Maven|For more info|After correcting|mvn <args>' || true
}

# h2_is_built: whether what was built last is newer than every source. Folders count: a deleted file changes its folder.
h2_is_built() {
    [ -f "$h2_stamp" ] || return 1
    h2_newer=$(find "$h2_root/pom.xml" "$h2_root/.mvn" \
        "$h2_root"/lwkt-runtime/pom.xml "$h2_root"/lwkt-runtime/src/main \
        "$h2_root"/blockdev/pom.xml "$h2_root"/blockdev/src/main \
        "$h2_root"/hammer2/pom.xml "$h2_root"/hammer2/src/main \
        "$h2_root"/fuse-bridge/pom.xml "$h2_root"/fuse-bridge/src/main \
        "$h2_root"/tools/pom.xml "$h2_root"/tools/src/main \
        -newer "$h2_stamp" -print -quit 2>/dev/null)
    [ -z "$h2_newer" ]
}

# h2_build STATUS: builds into tools/target/dist unless that is up to date. Two at a time wait for each other.
#
# The result goes to a folder of its own that is exchanged whole: a daemon which still runs from the old one keeps
# its open jars, and Maven never writes into them.
h2_build() {
    [ -z "$h2_installed" ] || return 0
    h2_is_built && return
    h2_find_maven "$1"
    mkdir -p "$h2_root/tools/target" 2>/dev/null && [ -w "$h2_root/tools/target" ] ||
        h2_die "$1" "$h2_root/tools/target: cannot write there to build the tools." \
            "Let the owner of $h2_root run scripts/hammer2 --version once."
    (
        if command -v flock >/dev/null; then
            flock 9
            ! h2_is_built || exit 0
        fi
        h2_say "Building the tools (once; about a minute the first time) ..."
        h2_new=$h2_root/tools/target/dist.new.$$
        h2_log=$h2_root/tools/target/build.log
        rm -rf "$h2_new"
        mkdir "$h2_new"
        # Made before the compiler reads anything: what changes meanwhile is newer.
        : >"$h2_new/built"
        # From inside the project, so that Maven finds .mvn.
        if ! (cd "$h2_root" && "$h2_mvn" -B -ntp -Dstyle.color=never -pl tools -am -Dmaven.test.skip=true package) \
            >"$h2_log" 2>&1 </dev/null; then
            h2_maven_errors "$h2_log" | head -n 20 >&2
            rm -rf "$h2_new"
            h2_say "The build failed. All of its output: $h2_log"
            exit 1
        fi
        cp -p "$h2_root"/tools/target/hammer2-tools.jar "$h2_new"
        cp -Rp "$h2_root"/tools/target/lib "$h2_new"
        h2_old=$h2_root/tools/target/dist.old.$$
        [ ! -d "$h2_dist" ] || mv "$h2_dist" "$h2_old"
        mv "$h2_new" "$h2_dist"
        rm -rf "$h2_old"
    ) 9>"$h2_root/tools/target/build.lock" || exit "$1"
}

# h2_cache_flags NAME: what uses a cache that scripts/install prepared for one JDK and these jars, if it is there. Of another JDK it is passed
# over, and that is no news for a user.
h2_cache_flags() {
    [ ! -f "$h2_dist/$1" ] || echo "-XX:AOTCache=$h2_dist/$1 -Xlog:disable -Xlog:all=error,aot*=off,cds*=off:stderr"
}

# h2_run STATUS CLASS JVM-FLAGS -- ARGS...: becomes the tool. STATUS is what it exits with when it cannot even start.
h2_run() {
    h2_status=$1
    h2_class=$2
    h2_flags=$3
    shift 4
    h2_find_jdk "$h2_status"
    h2_build "$h2_status"
    # Without a UTF-8 locale the JVM would not get arguments and paths as they are.
    case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
        *[Uu][Tt][Ff]-8 | *[Uu][Tt][Ff]8) ;;
        *) [ "$(uname -s)" = Darwin ] || export LC_ALL=C.UTF-8 ;;
    esac
    h2_terminal=
    [ ! -t 0 ] || h2_terminal=in
    [ ! -t 1 ] || h2_terminal=$h2_terminal,out
    [ ! -t 2 ] || h2_terminal=$h2_terminal,err
    h2_cache=
    case $h2_flags in
        *-XX:AOTCache=*) ;;
        *) h2_cache=$(h2_cache_flags hammer2.aot) ;;
    esac
    # The flags are words of ours without blanks, and so is where something is installed; the stars in them are the JVM's.
    set -f
    # shellcheck disable=SC2086
    exec "$JAVA_HOME/bin/java" $h2_cache $h2_jvm_flags $h2_flags -Dhammer2.terminal="$h2_terminal" \
        -Dhammer2.daemonFlags="${h2_daemon_flags:-}" \
        -cp "$h2_dist/hammer2-tools.jar" "io.hammer2.tools.$h2_class" "$@"
}

# h2_numbers USAGE WORD...: ends here with the usage unless each is a number.
h2_numbers() {
    h2_usage=$1
    shift
    for h2_word in "$@"; do
        case $h2_word in
            "" | *[!0-9]* | ???????????????????*) h2_die 2 "$h2_usage" "a number is wanted, not '$h2_word'" ;;
        esac
    done
}

# h2_run_stress CLASS ARGS...: becomes a program of io.hammer2.tools.stress, which starts the tools itself, or SnapshotModel, which has them
# in its own process.
#
# H2CHECK may name another checker for images, a program for python3; otherwise the one that may lie beside the project.
h2_run_stress() {
    h2_class=$1
    shift
    h2_find_jdk 1
    h2_need_fuse
    h2_need_all
    h2_build 1
    h2_stress=$h2_root/tools/src/test/java/io/hammer2/tools/stress
    h2_classes=$h2_root/target/stress
    rm -rf "$h2_classes.$$"
    "$JAVA_HOME/bin/javac" -nowarn -d "$h2_classes.$$" -cp "$h2_dist/hammer2-tools.jar" "$h2_stress"/*.java \
        "$h2_stress/../SnapshotModel.java"
    rm -rf "$h2_classes"
    mv "$h2_classes.$$" "$h2_classes"
    if [ -z "${H2CHECK:-}" ] && [ -r "$h2_root/../shared/tools/h2check.py" ]; then
        H2CHECK=$h2_root/../shared/tools/h2check.py
    fi
    export H2CHECK="${H2CHECK:-}"
    [ "$h2_class" = SnapshotModel ] || h2_class=stress.$h2_class
    # shellcheck disable=SC2086
    exec "$JAVA_HOME/bin/java" $h2_jvm_flags -cp "$h2_classes:$h2_dist/hammer2-tools.jar" "io.hammer2.tools.$h2_class" "$@"
}

# Flags of commands. Most are over in a moment: what the JIT would gain by compiling what they do a thousand times, they never get back. Some
# take minutes, and need the whole of it; ten times later is soon enough for these.
h2_short_flags="-XX:+UseSerialGC -XX:CompileThresholdScaling=10 -Xmx256m"

# Flags of the process that serves a mount. Blocks are cached off-heap, so the heap needs little; but what is dirty survives collections, so
# that they should be few. Its cpus are not pinned: the kernel runs the one that listens where the client is, and a request
# costs two switches on one processor instead of two wake-ups of another. Until it is compiled, the daemon shares its processors with the compiler,
# which takes half as long where methods of middling size are called and not copied into each caller (docs/perf/write.md).
h2_server_flags="-XX:+UseSerialGC -Xms64m -Xmn32m -Xmx256m -Dio.hammer2.lwkt.pin=false"
h2_server_flags="$h2_server_flags -XX:FreqInlineSize=100 -XX:InlineSmallCode=1000"
# With what scripts/install has learned of it the daemon compiles its code at once, and not when it has been interpreted for a while: the
# first requests, and snapshots, are those of somebody who waits (docs/perf/pfs.md). The flag for that is an experimental one, of JDK 25.
if [ -f "$h2_dist/server.aot" ]; then
    h2_server_flags="$(h2_cache_flags server.aot) $h2_server_flags -XX:+IgnoreUnrecognizedVMOptions"
    h2_server_flags="$h2_server_flags -XX:+UnlockExperimentalVMOptions -XX:+AOTCompileEagerly -XX:Tier0InvokeNotifyFreqLog=1"
fi
h2_daemon_flags="$h2_jvm_flags $h2_server_flags"

# h2_need COMMAND-OR-FILE PACKAGE WHY: makes sure that it is there. Installs the Debian package when we are root.
h2_need() {
    if command -v "$1" >/dev/null 2>&1 || [ -e "$1" ]; then
        return
    fi
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        h2_say "Installing $2 ($3) ..."
        if [ -z "${h2_apt_updated:-}" ]; then
            apt-get -qq update >/dev/null 2>&1 || true
            h2_apt_updated=yes
        fi
        if ! h2_out=$(DEBIAN_FRONTEND=noninteractive apt-get -qq install -y "$2" 2>&1 >/dev/null); then
            h2_die 1 "$h2_out" "$2 could not be installed; it is needed for: $3."
        fi
        return
    fi
    h2_missing="${h2_missing:-}
    $2: $3"
}

# h2_want FILE PACKAGE WHY: installs the Debian package when we are root; goes on without it, and says so.
h2_want() {
    [ ! -e "$1" ] || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        h2_say "Installing $2 ($3) ..."
        if DEBIAN_FRONTEND=noninteractive apt-get -qq install -y "$2" >/dev/null 2>&1; then
            return 0
        fi
    fi
    h2_say "Without $2: $3 is skipped."
}

# h2_need_all: ends here when h2_need missed something.
h2_need_all() {
    [ -n "${h2_missing:-}" ] || return 0
    case $(uname -s) in
        Darwin) h2_how="Install with brew install NAME." ;;
        *) h2_how="Install with: sudo apt-get install NAME (or what your distribution calls it), or run this as root." ;;
    esac
    h2_die 1 "Missing:$h2_missing" "$h2_how"
}

# h2_need_fuse: /dev/fuse and fusermount3, or macFUSE.
h2_need_fuse() {
    case $(uname -s) in
        Darwin)
            [ -e /usr/local/lib/libfuse.2.dylib ] || [ -e /usr/local/lib/libfuse.dylib ] ||
                h2_die 1 "macFUSE is missing. Install it: brew install --cask macfuse (and allow it in System Settings)."
            ;;
        *)
            h2_need fusermount3 fuse3 "mounting"
            if [ ! -e /dev/fuse ]; then
                [ "$(id -u)" != 0 ] || modprobe fuse 2>/dev/null || true
                [ -e /dev/fuse ] || h2_die 1 "/dev/fuse is missing: the kernel's FUSE module is not loaded." \
                    "Load it: modprobe fuse (in a container: start it with --device /dev/fuse --cap-add SYS_ADMIN)."
            fi
            ;;
    esac
}

# h2_by_name KIND TITLE NAME [ARGUMENTS]: runs scripts/KIND.d/NAME; without a known name lists them.
# The second line of each file there says what it does and how long it takes.
h2_by_name() {
    h2_dir=$here/$1.d
    h2_name=${3:-}
    if [ -z "$h2_name" ] || [ ! -x "$h2_dir/$h2_name" ] || [ ! -f "$h2_dir/$h2_name" ]; then
        [ -z "$h2_name" ] || h2_say "There is no $2 called $h2_name."
        h2_say "usage: scripts/$1 NAME [ARGUMENTS]"
        for h2_file in "$h2_dir"/*; do
            [ -x "$h2_file" ] && h2_say "$(printf '    %-10s %s' "${h2_file##*/}" "$(sed -n '2s/^# *//p' "$h2_file")")"
        done
        exit 2
    fi
    shift 3
    h2_find_jdk 1
    h2_say "$(sed -n '2s/^# *//p' "$h2_dir/$h2_name")"
    exec "$h2_dir/$h2_name" "$@"
}
