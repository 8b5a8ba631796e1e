#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy run: its cache. What it was made from is noticed when it changes; runs at
# once, full disks and read-only caches do no harm; it learns. TAP.
set -u
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/run.bash"
many

# entry: the place of the one entry there is; generation: what is current in it
entry()
{
	echo "$t"/cache/run/many-*
}
generation()
{
	grep -ao 'g-[[:alnum:]]\{6\}' "$(entry)/current" | tail -n 1
}
run_many()
{
	run "$dlazy" run --wait --stats --json -- "$many" "$@"
}

run_many call=1
stats '.lazy == 16' "an entry is made"
first=$(generation)
check "which a generation belongs to" test -f "$(entry)/$first/stub.so"
check_same "others cannot write to it" \
	"$(stat -c %a "$(entry)" "$(entry)/$first" "$t/cache/run")" \
	$'700\n700\n700'
check_same "a link per library leads to one file" \
	"$(find "$(entry)/$first" -type l -name 'libmany-*' | wc -l)" 16
run_many call=1
check_same "it is used again" "$(generation)" "$first"

# What was changed.
many_library 1 "another 1"
run_many call=1
check_same "a changed library is the one that is called" "$out" "another 1"
second=$(generation)
check "a changed library makes another generation" test "$second" != "$first"
touch "$t/lib/libmany-2.so.1"
run_many call=2
check_same "a touched one too" "$out" "library 2"
check "and its generation is not the last" test "$(generation)" != "$second"
many_library 1
rm "$t/lib/libmany-3.so.1"
run "$many"
plain=$status:$err
run "$dlazy" run --wait -- "$many"
check_same "a library that is gone is missed as without dlazy" \
	"$status:$err" "$plain"
many_library 3
run_many call=3
check_same "one that is back is found" "$out" "library 3"
mkdir "$t/before"
cp "$t/lib/libmany-4.so.1" "$t/before/"
many_library 4 "from elsewhere"
mv "$t/lib/libmany-4.so.1" "$t/elsewhere.so"
cp "$t/before/libmany-4.so.1" "$t/lib/"
rm "$t/before/libmany-4.so.1"
export LD_LIBRARY_PATH=$t/before
run_many call=4
check_same "LD_LIBRARY_PATH is searched" "$out" "library 4"
touch "$t/before/nothing"
run_many call=4
check_same "a file that comes there is no matter" "$out" "library 4"
cp "$t/elsewhere.so" "$t/before/libmany-4.so.1"
run_many call=4
check_same "a library that comes there is found first" "$out" "from elsewhere"
cd "$t/before" || exit 99
LD_LIBRARY_PATH=. run_many call=4
check_same "also through a relative path" "$out" "from elsewhere"
cd "$t" || exit 99
LD_LIBRARY_PATH=. run_many call=4
check_same "which depends on where one is" "$out" "library 4"
level=$(/lib64/ld-linux-x86-64.so.2 --help 2>/dev/null |
	sed -n 's/^ *\(x86-64-v[0-9]\) (supported, searched)$/\1/p' |
	tail -n 1)
if [ "$level" ]; then
	mkdir -p "$t/caps/glibc-hwcaps/$level"
	LD_LIBRARY_PATH=$t/caps run_many call=4
	cp "$t/elsewhere.so" "$t/caps/glibc-hwcaps/$level/libmany-4.so.1"
	LD_LIBRARY_PATH=$t/caps run_many call=4
	check_same "and in a directory for this CPU that was there" "$out" \
		"from elsewhere"
else
	skip "and in a directory for this CPU" "glibc-hwcaps is not searched"
fi
unset LD_LIBRARY_PATH
rm -rf "$t/cache"

# Damage.
run_many call=1
for damage in "truncate -s 100" "truncate -s 0" "rm" \
	"printf x | dd conv=notrunc bs=1 seek=2000 status=none of="; do
	eval "${damage/%=/=\"$(entry)/current\"}" \
		"$(case $damage in *=) ;; *) echo "'$(entry)/current'" ;; esac)"
	run_many call=1
	check_same "an entry after \"${damage%% [^-]*}\" is made anew" \
		"$out$(jq .lazy "$t/err")" "library 116"
done
rm "$(entry)/$(generation)/stub.so"
run_many call=1
check_same "a stub file that is gone is made anew" \
	"$out$(jq .lazy "$t/err")" "library 116"
chmod g+w "$(entry)/current"
before=$(generation)
run_many call=1
check "an entry that others can write is not trusted" \
	test "$(generation)" != "$before"
chmod 777 "$t/cache/run"
run "$dlazy" run --wait -- "$many" call=1
check_same "in a place that others can write it runs plainly" \
	"$status:$out" "0:library 1"
has "$err" "not trusted" "and that is said"
chmod 700 "$t/cache/run"
chmod 777 "$t/cache"
run "$dlazy" run --wait -- "$many" call=1
check_same "so it does where others could exchange the place" \
	"$status:$out" "0:library 1"
has "$err" "not trusted" "and that is said too"
chmod 1777 "$t/cache"
run_many call=1
stats '.lazy == 16' "where they cannot, as in /tmp, it is trusted"
chmod 700 "$t/cache"

# What passes is not kept.
for n in 4 5 6 7 8 10; do
	rm -rf "$t/cache"
	(ulimit -n "$n" && exec "$dlazy" run --wait -- "$many" call=1) \
		>/dev/null 2>&1
	run_many call=1
	stats '.lazy == 16' "after a run with $n descriptors it is lazy"
done

# At once.
rm -rf "$t/cache"
for i in {1..20}; do
	"$dlazy" run --wait -- "$many" call=$((i % 16 + 1)) >"$t/at-once.$i" 2>&1 &
done
wait
good=0
for i in {1..20}; do
	[ "$(<"$t/at-once.$i")" != "library $((i % 16 + 1))" ] ||
		good=$((good + 1))
done
check_same "twenty at once on an empty cache are right" "$good" 20
check_same "and make one generation" \
	"$(find "$t/cache/run" -name 'g-*' | wc -l)" 1

# What is left behind goes.
old=$(entry)/g-leftov
mkdir "$old"
touch "$old/stub.so"
touch -d "2 minutes ago" "$old"
mkdir "$(entry)/g-recent"
touch "$t/lib/libmany-5.so.1"
run_many
check "an old generation is removed" test ! -e "$old"
check "a recent one is not" test -e "$(entry)/g-recent"
old=$(entry)/$(generation)
touch -d "2 minutes ago" "$old"
touch "$t/lib/libmany-5.so.1"
run_many
check "nor one that a run may be about to start on" test -e "$old/stub.so"
touch "$t/lib/libmany-5.so.1"
run_many
check "until the next is made" test ! -e "$old"

# A cache that cannot be written.
unwritable()
{
	has "$err" "runs without laziness" "$1 is said"
	check_same "once" "$(grep -c dlazy: "$t/err")" 1
	check_same "and the program runs" "$status:$out" "0:library 6"
}
rm -rf "$t/cache"
touch "$t/cache"
run "$dlazy" run --wait -- "$many" call=6
unwritable "a cache that is no directory"
rm "$t/cache"
no_home()
{
	run "$@" env -u HOME -u DLAZY_CACHE_DIR -u XDG_CACHE_HOME \
		"$dlazy" run --wait -- "$many" call=6
}
limited()
{
	(
		ulimit -f 1
		exec "$dlazy" run --wait -- "$many" call=6
	)
}
run limited
unwritable "a full disk"
check_same "nothing half made is left" "$(find "$t/cache" -name 'g-*')" ""
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	rm -rf "$t/cache"
	mkdir -m 555 "$t/cache"
	chmod 755 "$t"
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$dlazy" run --wait -- "$many" call=6
	unwritable "a read-only cache"
	rm -rf "$t/cache"
	no_home setpriv --reuid=54321 --regid=54321 --clear-groups
	unwritable "no cache at all"
else
	skip "a read-only cache is said" "needs root, and setpriv(1)"
fi
# Without HOME, and with another's.
if unshare --mount sh -c "mount --bind /etc/passwd /etc/passwd" 2>/dev/null
then
	mkdir "$t/home"
	echo "somebody:x:$(id -u):0::$t/home:/bin/sh" >"$t/passwd"
	no_home unshare --mount sh -c "mount --bind '$t/passwd' /etc/passwd &&
		exec \"\$@\"" sh
	check_same "without HOME it runs" "$status $out $err" "0 library 6 "
	check "with a cache below the home of the password file" \
		test -d "$t/home/.cache/dlazy/run"
	mkdir "$t/system"
	# The user has a home; both see one /var/cache.
	cat >"$t/system.sh" <<-END
		mount --bind "$t/system" /var/cache || exit 77
		umask 077
		"$dlazy" run --prepare --system "$many" || exit
		chmod g\${1}w /var/cache/dlazy/run
		export DLAZY_CACHE_DIR=$t/theirs HOME=$t
		exec setpriv --reuid=54321 --regid=54321 --clear-groups \
			"$dlazy" run --stats --json -- "$many" call=8 environ
	END
	chmod 755 "$t" "$t/lib" "$t/home"
	mkdir "$t/theirs"
	chown 54321 "$t/theirs"
	run unshare --mount sh "$t/system.sh" -
	has "$out" "library 8" "what is prepared for all, another user runs"
	stats '.lazy == 16 and .touched == 1' "lazily"
	hasnt "$out" "/var/cache" "with an environment of one's own"
	check_same "and leaves nothing" "$(ls "$t/theirs")" ""
	run unshare --mount sh "$t/system.sh" +
	flock -w 60 "$t/theirs/run/making" true
	stats '.lazy == 0' "if others could have written it, it does not count"
	mkdir "$t/another"
	chown 54321 "$t/another"
	for where in HOME XDG_CACHE_HOME DLAZY_CACHE_DIR; do
		run env -u HOME -u DLAZY_CACHE_DIR -u XDG_CACHE_HOME \
			$where="$t/another" "$dlazy" run --wait -- "$many" call=6
		check_same "root runs it with another's $where" \
			"$status $out" "0 library 6"
		check_same "and leaves nothing there" "$(ls -A "$t/another")" ""
	done
else
	skip "without HOME it runs" "needs root, and a mount namespace"
fi
rm -rf "$t/cache"
run_many call=6
if mount -t tmpfs -o size=64k none "$t/lib" 2>/dev/null; then
	umount "$t/lib"
	rm -rf "$t/cache"
	mkdir "$t/cache"
	mount -t tmpfs -o size=16k none "$t/cache"
	run "$dlazy" run --wait -- "$many" call=6
	umount "$t/cache"
	unwritable "a tiny file system"
	mount -t tmpfs -o noexec,mode=700 none "$t/cache"
	run "$dlazy" run --wait -- "$many" call=6
	umount "$t/cache"
	unwritable "a file system mounted noexec"
else
	skip "tiny and noexec file systems are said" "nothing can be mounted here"
fi

# The longest string that an environment can hold has no room for more.
long=$(printf "%$((32 * $(getconf PAGESIZE) - 20))s" | tr ' ' /)
LD_LIBRARY_PATH=$long run "$dlazy" run --wait -- "$many" call=6
unwritable "a full environment"

# Learning.
rm -rf "$t/cache"
why()
{
	jq -r ".eager[] | select(.path | endswith(\"libmany-$1.so.1\")) | .why" \
		"$t/err"
}
for i in 1 2 3; do
	run_many call=7 call=$i
	stats '.lazy == 16' "run $i: all are lazy"
done
run_many call=7 call=8
stats '.lazy == 15' "what three runs needed is real in the fourth"
check_same "and that is why" "$(why 7)" learned
run_many call=7
stats '.lazy == 15' "it stays so"
touch "$t/lib/libmany-9.so.1"
run_many
stats '.lazy == 16' "until something changes"
run_many call=10 call=11
run "$dlazy" run --wait --learn --stats --json -- "$many"
stats '.lazy == 14' "--learn: what the last run needed is real at once"
check_same "it was learned" "$(why 10) $(why 11)" "learned learned"
rm -rf "$t/cache"
for i in 1 2 3; do
	"$dlazy" run --wait -- "$many" call={1..7} >/dev/null
done
run_many
stats '.lazy == 0 and (.plain | test("nothing to gain"))' \
	"if too little is left, it is run plainly"
run_many
stats '.plain | test("nothing to gain")' "and stays so"

# By order.
rm -rf "$t/cache"
run "$dlazy" run --wait --eager "libmany-1?.so.1" --stats --json -- "$many"
stats '.plain | test("only 9 of")' "--eager leaves real"
run "$dlazy" run --wait --eager "libmany-12.*" --eager "libmany-13.*" --stats --json \
	-- "$many"
stats '.lazy == 14 and ([.eager[] | select(.why == "asked")] | length == 2)' \
	"more than one, and says who asked"

# What nobody uses.
rm -rf "$t/cache"
run "$dlazy" run --wait -- "$many"
run "$dlazy" run --wait --eager "libmany-1.*" -- "$many"
mapfile -t entries < <(ls -d "$t"/cache/run/*)
age() { find "$@" -exec touch -h -d '100 days ago' {} +; }
mkdir "$t/cache/run/made" # another process is just beginning to
age "${entries[@]}"
touch "${entries[1]}"/g-*/record
run "$dlazy" run --wait --eager "libmany-2.*" -- "$many"
check_same "an entry that no run has used for long goes" \
	"${#entries[@]} $(ls -d "${entries[0]}" 2>/dev/null)" "2 "
check_same "one that runs use stays, however old" \
	"$(ls "$t/cache/run" | wc -l) $(ls -d "${entries[1]}")" \
	"3 ${entries[1]}"
check_same "so does one that is being made" "$(ls -d "$t/cache/run/made")" \
	"$t/cache/run/made"
finish
