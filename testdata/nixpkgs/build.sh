# The builder of every derivation: a command, or the phases of a Python package.
# Work on files is done by steps.py; here is the order, and the hooks that recipes give as text.
export PATH=$hostPath HOME=$NIX_BUILD_TOP LANG=C.UTF-8 SOURCE_DATE_EPOCH=315532800
export PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 PYTHONNOUSERSITE=1
unset PYTHONPATH
umask 022

add() {
    local variable=$1 value=$2 before=${!1}
    if [ -e "$value" ]; then export "$variable=$value${before:+:$before}"; fi
}
for input in $inputs; do
    add PATH "$input/bin"
    add PKG_CONFIG_PATH "$input/lib/pkgconfig"
    if [ -n "$sitePackages" ]; then add PYTHONPATH "$input/$sitePackages"; fi
done

postUnpackHooks=() postPatchHooks=()
for input in $inputs; do
    if [ -f "$input/nix-support/setup-hook" ]; then . "$input/nix-support/setup-hook"; fi
done

substituteInPlace() {
    "$hostPython" "$steps" substitute "$@"
}
hook() {
    if [ -n "${!1}" ]; then echo "$1"; eval "${!1}"; fi
}
# a phase that the recipe gives as text, or else the step of that name
phase() {
    echo "phase: $1"
    local own=${1}Phase
    if [ -n "${!own}" ]; then eval "${!own}"; else shift; "$@"; fi
}
runHook() {
    hook "$1"
}
step() {
    "$python" "$steps" "$@"
}

if [ -n "$buildCommand" ]; then
    eval "$buildCommand"
    exit 0
fi

if [ -z "$dontUnpack" ]; then
    mkdir "$NIX_BUILD_TOP/source"
    cd "$NIX_BUILD_TOP/source"
    cd "$("$hostPython" "$steps" unpack "$src" "$format" "$sourceRoot")"
    for function in "${postUnpackHooks[@]}"; do $function; done
    hook prePatch
    for patch in $patches; do
        echo "patch: $patch"
        patch -p1 < "$patch"
    done
    hook postPatch
    for function in "${postPatchHooks[@]}"; do $function; done
fi
hook preConfigure
phase configure true
hook preBuild
phase build step build "$format"
hook postBuild
hook preInstall
phase install step install "$out" "$sitePackages"
hook postInstall
hook preFixup
hook postFixup
step check "$out/$sitePackages" $runtime
if [ -n "$doInstallCheck" ]; then
    hook preCheck
    case " $inputs " in
        *-unittest-check-hook*) phase check step unittest "$out/$sitePackages" $runtime ;;
        *-pytest-check-hook*) echo "pytest is not part of this package set"; exit 1 ;;
    esac
    hook postCheck
fi
mkdir -p "$out"
