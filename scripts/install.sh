# What install and uninstall share. Sourced by POSIX sh, after lib.sh.

# h2_install_options ARGS...: sets prefix, destdir, helpers, and library, the folder of the jars, all absolute; and train, which may be empty.
h2_install_options() {
    prefix=/usr/local
    destdir=
    helpers=
    train=yes
    while [ $# -gt 0 ]; do
        case $1 in
            --prefix=* | --destdir=* | --helpers=*)
                h2_option=${1%%=*}
                h2_value=${1#*=}
                ;;
            --prefix | --destdir | --helpers)
                [ $# -gt 1 ] || h2_die 2 "$1 needs a folder."
                h2_option=$1
                h2_value=$2
                shift
                ;;
            --no-training)
                train=
                shift
                continue
                ;;
            -h | --help)
                sed -n '2,/^set /s/^# \{0,1\}//p' "$self"
                exit 0
                ;;
            *) h2_die 2 "unknown argument: $1" "usage: scripts/${self##*/} [--prefix DIR] [--destdir DIR] [--helpers DIR] [--no-training]" ;;
        esac
        case $h2_value in
            /*) ;;
            *) h2_value=$PWD/$h2_value ;;
        esac
        h2_value=${h2_value%/}
        case $h2_value in
            *[[:space:]]*) h2_die 2 "$h2_option: a folder without blanks is wanted, not '$h2_value'." ;;
        esac
        case $h2_option in
            --prefix) prefix=$h2_value ;;
            --destdir) destdir=$h2_value ;;
            --helpers) helpers=$h2_value ;;
        esac
        shift
    done
    if [ -z "$helpers" ]; then
        case $prefix in
            "" | /usr | /usr/local) helpers=/sbin ;;
            *) helpers=$prefix/sbin ;;
        esac
    fi
    library=$prefix/lib/hammer2
}

# h2_uninstall: takes away what is listed as installed, the folders that were made for it if they are empty, and the list.
h2_uninstall() {
    h2_list=$destdir$library/installed
    h2_reversed=$(sed -n '1!G;h;$p' "$h2_list")
    h2_ifs=$IFS
    IFS='
'
    for h2_path in $h2_reversed; do
        case $h2_path in
            */) rmdir "$destdir${h2_path%/}" 2>/dev/null || true ;;
            *) rm -f "$destdir$h2_path" || h2_die 1 "$destdir$h2_path cannot be removed; try as root." ;;
        esac
    done
    IFS=$h2_ifs
}
