# lib.sh - what ./start and ./check share: packages, the portal's build, the C build. Sourced by bash, from the source folder.
#
# Everything is skipped when nothing changed since it was last done, by a stamp in build/stamps that holds a hash of what went in.

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "needs root for: $*  (become root or install sudo)"; fi
}

# stamp NAME HASH - true if NAME was last done with HASH; stamp_set writes it.
stamp() { [ "$(cat "build/stamps/$1" 2>/dev/null)" = "$2" ]; }
stamp_set() { mkdir -p build/stamps && printf '%s\n' "$2" >"build/stamps/$1"; }

# hash_files - one hash of the names and contents of files named on standard input.
hash_files() { sort | xargs -d '\n' sha256sum 2>/dev/null | sha256sum | cut -d' ' -f1; }

# unpack_peers - programs that tests speak to and that Debian does not install beside others (two log daemons): unpacked, not installed. Without
# them their tests say so.
unpack_peers() {
    local all
    all=$(grep -E "^peer " scripts/packages | cut -d' ' -f2)
    stamp packages-peer "$all" && return 0
    mkdir -p build/peers/packages
    # shellcheck disable=SC2086 # names of packages are words
    if ! (cd build/peers/packages && apt-get download -q $all >&2); then
        say "could not download $all: tests with them are left out"
        return 0
    fi
    for p in build/peers/packages/*.deb; do dpkg-deb -x "$p" build/peers || return 0; done
    stamp_set packages-peer "$all"
}

# install_packages KIND... - the Debian packages of these kinds that are not there yet.
install_packages() {
    local kinds hash missing=() p
    kinds=$(IFS='|'; echo "$*")
    local all
    all=$(grep -E "^($kinds) " scripts/packages | cut -d' ' -f2)
    hash=$(printf '%s' "$all" | sha256sum | cut -d' ' -f1)
    stamp "packages-$1" "$hash" && return 0
    for p in $all; do
        # Node.js may come from elsewhere than Debian: a node and npm that run are enough.
        case $p in
            nodejs) command -v node >/dev/null && continue ;;
            npm) command -v npm >/dev/null && continue ;;
        esac
        dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -q '^installed' || missing+=("$p")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        say "installing ${#missing[@]} Debian packages: ${missing[*]}"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 || die "apt-get update failed: is the network up?"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2 ||
            die "apt-get could not install the packages above"
    fi
    stamp_set "packages-$1" "$hash"
}

# build_web - the portal's static files into web/dist.
build_web() {
    local lock all
    lock=$(printf '%s\n' web/package.json web/package-lock.json | hash_files)
    if ! stamp web-modules "$lock" || [ ! -d web/node_modules ]; then
        say "installing the portal's npm packages"
        (cd web && npm ci --no-audit --no-fund >&2) || die "npm ci failed in web/"
        stamp_set web-modules "$lock"
    fi
    all=$( { find web/src web/scripts web/public content/i18n -type f 2>/dev/null; ls web/*.json web/*.ts web/*.js web/*.html 2>/dev/null; } | hash_files)
    if ! stamp web-build "$all" || [ ! -f web/dist/index.html ]; then
        say "building the portal"
        (cd web && npm run build >&2) || die "the portal does not build"
        stamp_set web-build "$all"
    fi
}

# build_c DIR OPTION... - configure once, then build what changed; TARGET names a part of it.
build_c() {
    local dir=$1
    shift
    [ -f "$dir/build.ninja" ] || { say "configuring $dir"; meson setup "$dir" "$@" >&2 || die "meson setup failed"; }
    say "building $dir"
    ninja -C "$dir" ${TARGET:-} >"$dir/build.log" 2>&1 || { grep -E 'error|warning:|FAILED' "$dir/build.log" | grep -v ccache >&2; tail -5 "$dir/build.log" >&2; die "the build failed; $dir/build.log has it all"; }
}

# train - what a short training run sees of the modules that every line passes through, as gcc's profiles beside where build/release has their objects: with
# them the compiler lays these modules out by what is usual. Only where they have changed. False without gcc, or if the run failed: then it is done without.
train() {
    local hash all=(src/{base,event,parse,journal,ingest})
    hash=$( { find "${all[@]}" -name '*.[ch]' -o -name '*.def' -o -name meson.build; ls meson.build bench/bench_{receive,parse}.c bench/corpus.mjs; } | hash_files)
    [ -f build/release/trained ] && stamp training "$hash" && return 0
    case $(${CC:-cc} --version 2>/dev/null) in *"Free Software Foundation"*) ;; *) say "no gcc: building without a training run"; return 1 ;; esac
    if ! (TARGET='bench/bench_receive bench/bench_parse' build_c build/train --buildtype=release -Dtraining=watch && training_run) >build/training.log 2>&1; then
        say "the training run failed, building without it; build/training.log says why"
        return 1
    fi
    mkdir -p build/release
    (cd build/train && find src -name '*.gcda' -exec cp --parents -t ../release {} +)
    find "${all[@]/#/build/release/}" -name '*.o' -delete   # Ninja does not know that they depend on it
    touch build/release/trained
    stamp_set training "$hash"
}

# training_run - lines by TCP into a journal and out of it, as servers send them; then each form that we read: what is never seen would be laid out as unlikely.
training_run() {
    find build/train -name '*.gcda' -delete
    node bench/corpus.mjs 20000 7 >build/train/lines.log && build/train/bench/bench_receive content 20000 build/train/lines.log &&
        build/train/bench/bench_parse --seconds 1 --parsers content/parsers
}

# build_release - the programs as they are used, by a training run where there can be one.
build_release() {
    local by=none
    mkdir -p build
    ! train || by=use
    [ ! -f build/release/build.ninja ] || stamp release "$by" || meson setup --reconfigure build/release -Dtraining=$by >&2 || die "meson setup failed"
    build_c build/release --buildtype=release -Dtraining=$by
    stamp_set release "$by"
}
