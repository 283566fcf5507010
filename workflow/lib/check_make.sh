# Say what is wrong with the words that make was given, a line each, and end with status 2:
# sh workflow/lib/check_make.sh FOLDER NAME=VALUE... (POSIX alone: dash, and the bash of a Mac)
status=0
wrong() {
    printf 'error: %s\n' "$1" >&2
    status=2
}

presets() {
    for path in config/*.yaml; do
        case $path in */config.yaml) echo standard ;; */datasets.yaml | */references.yaml) ;; *) basename "$path" .yaml ;; esac
    done
}

rooms() {
    for path in workflow/rules/*_plan.smk; do basename "$path" _plan.smk; done
}

case $1 in *:*) wrong "the path of this folder holds a colon, with which PATH cannot work: $1; move it" ;; esac
shift
known=$1 only='' config=''
shift
for word; do
    name=${word%%=*} value=${word#*=} good=true
    case $name in
    PRESET) expected="a preset (config/PRESET.yaml), one of: $(echo $(presets))" ;;
    ROOMS) expected="rooms, any of: $(echo $(rooms))" ;;
    PROFILE) expected="a profile, one of: $(echo $(ls workflow/profiles))" ;;
    CORES) expected='a whole number above 0, or all' ;;
    INPUTS) expected='a whole number above 0' ;;
    SEED) expected='a whole number' ;;
    CONDA) expected='1, or nothing' ;;
    TORCH) expected='cpu or cuda' ;;
    PYTHON) expected='a program' ;;
    DATA) expected='a file or a folder that is there' ;;
    esac
    case $word in
    CORES= | CORES=all | PROFILE= | CONDA= | CONDA=1 | TORCH= | TORCH=cpu | TORCH=cuda) ;;
    PRESET=*[!A-Za-z0-9_-]* | PROFILE=*[!A-Za-z0-9_-]* | CONDA=* | TORCH=*) good=false ;;
    PRESET=standard) ;;
    PRESET=datasets | PRESET=references) good=false ;;
    PRESET=*) test -e "config/$value.yaml" || good=false ;;
    PROFILE=*) test -e "workflow/profiles/$value/profile.yaml" || good=false ;;
    INPUTS= | SEED= | CORES=0* | INPUTS=0*) good=false ;;
    CORES=*[!0-9]* | INPUTS=*[!0-9]* | SEED=*[!0-9]*) good=false ;;
    CORES=??????????* | INPUTS=??????????* | SEED=??????????*) good=false ;;
    ROOMS=*[!a-z0-9_\ ]*) good=false ;;
    ROOMS=*) for room in $value; do test -e "workflow/rules/${room}_plan.smk" || good=false; done ;;
    DATA=*) test -e "$value" || good=false ;;
    PYTHON=*) command -v "$value" > /dev/null || good=false ;;
    esac
    case $word in
    ROOMS=*[a-z]*) only=yes ;;
    ARGS=*'--config '* | ARGS=*'--config='*) config=yes ;;
    esac
    case " $known " in
    *" $name "*) $good || wrong "$name: expected $expected; found '$value'" ;;
    *) wrong "$name: no word of this Makefile; known: $known" ;;
    esac
done
# Of several --config, Snakemake takes the last one.
[ "$only$config" != yesyes ] || wrong "ROOMS: not beside --config in ARGS, which then also names the rooms: --config 'rooms=[gpt]'"
exit $status
