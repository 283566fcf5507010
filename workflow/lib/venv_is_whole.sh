# Whether .venv can be built upon: sh workflow/lib/venv_is_whole.sh [cpu|cuda] (POSIX alone)
# Its Python is there, its last installation ended, it was made in this folder (its programs name their
# Python by its whole path), and its PyTorch is the one that is asked for. One that does not exist can be made.
test -d .venv || exit 0
test -x .venv/bin/python && test ! -e .venv/unfinished || exit 1
test -e .venv/ready || exit 0
{ IFS= read -r place; read -r torch; } < .venv/ready
test "$place" -ef .venv && { test -z "$1" || test "$1" = "${torch:-cuda}"; }
