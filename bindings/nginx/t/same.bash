# SPDX-License-Identifier: MIT
# The same requests for nginx and for Apache httpd: both give the same answers, which are the expected ones.
# Shows: NAME-3, and that the pages of both modules are the same.
# shellcheck shell=bash

json=d86fc7a3

# What must be equal, without what differs from one region to the next: $shared/head and $shared/page are the answer.
normal_answer() { # CURL OPTION...
    local status
    status=$(sed -n 's|^HTTP/[0-9.]* \([0-9]*\).*|\1|p' "$shared/head" | tail -n 1)
    echo "$status"
    [[ $status != 412 || " $* " = *" -T "* ]] || return 0 # a page of the server's own
    tr -d '\r' <"$shared/head" | grep -iE '^(ETag|Cache-Control|Content-Range):' | tr '[:upper:]' '[:lower:]' |
        sed -E 's/-[0-9a-f]{8}"/-region"/' | sort
    tr -d '\r' <"$shared/head" | sed -n 's/^Allow: //Ip' | tr -d ' ' | tr , '\n' | sort | paste -sd ,
    case $status in
    200 | 206 | 201 | 400 | 404 | 409 | 413 | 5*) # others have pages of the server's own
        tr -d '\r' <"$shared/head" | grep -i '^Content-Type:' | tr '[:upper:]' '[:lower:]'
        [[ " $* " = *" -I "* ]] || sed 's/, or than LimitRequestBody allows//' "$shared/page"
        ;;
    esac
}

# STATUS PATH [CURL OPTION...]: asked now; the answer is kept for the comparison
asks() {
    : >"$shared/page" >"$shared/head"
    curl -s --max-time $PATIENCE -D "$shared/head" -o "$shared/page" "${@:3}" "$url$2" || true
    {
        echo "== $step"
        normal_answer "${@:3}"
    } >>"$answers"
    is "$1" "$(sed -n 's|^HTTP/[0-9.]* \([0-9]*\).*|\1|p' "$shared/head" | tail -n 1)"
}

step() { # NAME STATUS PATH [CURL OPTION...]
    step=$1
    check "$which: $step" asks "${@:2}"
}

fact() { # NAME WANTED GOT: besides answers
    printf '== %s\n%s\n' "$1" "$3" | sed -E 's/-[0-9a-f]{8}"/-region"/' >>"$answers"
    check "$which: $1" is "$2" "$3"
}

tag() {
    header /document ETag
}

put_half() { # NUMBER COMMAND
    python3 "$clients" half "$PORT" "$1" "$2"
}

put_text() { # NAME STATUS TEXT [CURL OPTION...]
    printf '%s' "$3" >"$shared/text"
    step "$1" "$2" /document -T "$shared/text" "${@:4}"
}

fresh() { # [OPTION...]
    rm -f "$share"
    seqshare create "$share" --size 64K --mode 666 "$@"
    [ "$(id -u)" -ne 0 ] || chown www-data:www-data "$share"
}

documents() {
    local old
    step "a share without a document" 404 /document
    step "no first document, if there must be one" 412 /document -T "$shared/2.json" -H 'If-Match: *'
    step "a first document, if there is none" 201 /document -T "$shared/1.json" -H 'If-None-Match: *'
    old=$(tag)
    fact "its tag" '"1-region"' "$(sed -E 's/-[0-9a-f]{8}"/-region"/' <<<"$old")"
    step "the document" 200 /document
    step "its head" 200 /document -I
    step "a part of it" 206 /document -r 3-9
    step "a client that has it" 304 /document -H "If-None-Match: $old"
    step "a client that has it, among others" 304 /document -H "If-None-Match: \"x\", W/$old"
    step "a client that has anything" 304 /document -H 'If-None-Match: *'
    step "a client that has another" 200 /document -H 'If-None-Match: "1-00000000"'
    step "a date is unknown, and not a condition" 200 /document -H 'If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT'
    step "a date, and a tag" 304 /document -H 'If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT' -H "If-None-Match: $old"
    step "a client that wants another version" 412 /document -H 'If-Match: "0-00000000"'
    step "compressed it would have another tag" 200 /document -H 'Accept-Encoding: gzip'
    step "put over its version" 204 /document -T "$shared/2.json" -H "If-Match: $old"
    step "not put over an old version" 412 /document -T "$shared/3.json" -H "If-Match: $old"
    fact "the answer says which one is current" '"2-' "$(tr -d '\r' <"$shared/head" | sed -n 's/^ETag: \("2-\).*/\1/Ip')"
    step "nor over that of another region" 412 /document -T "$shared/3.json" -H 'If-Match: "2-00000000"'
    step "nor over a weak tag" 412 /document -T "$shared/3.json" -H "If-Match: W/$(tag)"
    step "nor over nonsense" 412 /document -T "$shared/3.json" -H 'If-Match: 2'
    step "nor if there must be none" 412 /document -T "$shared/3.json" -H 'If-None-Match: *'
    step "put over one of several" 204 /document -T "$shared/3.json" -H "If-Match: \"1-00000000\" , $(tag)"
    step "put over any" 204 /document -T "$shared/4.json" -H 'If-Match: *'
    step "put, if it is not that one" 204 /document -T "$shared/4.json" -H "If-None-Match: $old"
    step "it is all there" 200 /document
}

refusals() {
    local before
    before=$(tag)
    put_text "malformed" 400 '{"number": 5,}'
    put_text "empty" 400 ''
    put_text "two documents" 400 '1 2'
    put_text "not UTF-8" 400 $'"\xff"'
    put_text "a zero character in a name" 400 '{"a\u0000b": 1}'
    bytes 65537 >"$shared/long"
    step "more than the capacity" 413 /document -T "$shared/long"
    step "more than the capacity, sent at once" 413 /document -T "$shared/long" -H 'Expect:'
    step "more than the capacity, in chunks" 413 /document -T - -H 'Expect:' <"$shared/long"
    fact "100 MB in chunks" 413 "$(python3 "$clients" chunks "$PORT" 100000000)"
    step "a part" 400 /document -T "$shared/2.json" -H 'Content-Range: bytes 0-9/1000'
    step "another method" 405 /document -X DELETE
    step "a POST" 405 /document -d 1
    step "the methods" 200 /document -X OPTIONS
    step "where documents are not taken" 405 /look -T "$shared/2.json"
    step "the methods there" 200 /look -X OPTIONS
    step "but given" 200 /look
    step "a client that is not let in" 403 /private -T "$shared/2.json"
    step "the status takes nothing" 405 /status -T "$shared/2.json"
    fact "all that changed nothing" "$before" "$(tag)"
    bytes 65536 >"$shared/long"
    step "the longest that fits" 204 /document -T "$shared/long" -H 'Expect:'
    step "is all there" 200 /document
    step "the longest, in chunks" 204 /document -T - <"$shared/long"
}

types() {
    fresh
    seqshare set "$share" --force --tag 0badcafe "it is a program's"
    step "a value of another type is not overwritten" 409 /document -T "$shared/6.json"
    step "nor if its version is named" 409 /document -T "$shared/6.json" -H "If-Match: $(tag)"
    fact "it is still there" "it is a program's" "$(seqshare get "$share")"
    seqshare set "$share" --force --tag 0 anything
    step "but what has no type" 204 /document -T "$shared/6.json"
    seqshare set "$share" --tag ac10f95c "$(document 7)" # perl.JSON
    step "or Perl's type for JSON" 204 /document -T "$shared/8.json"
    fact "which then is JSON" "8 $json" "$(seqshare get "$share" | jq .number) $(seqshare stat "$share" --json | jq -r .tag)"
}

# While half of a document has come in.
moves() {
    fresh
    fact "the share is replaced meanwhile" 201 "$(put_half 2 "seqshare replace '$share' --size 128K --mode 666")"
    fact "the document is where the name leads" 2 "$(seqshare get "$share" | jq .number)"
    fact "it is made again by hand" 201 "$(put_half 3 "rm '$share'; seqshare create '$share' --size 64K --mode 666")"
    fact "another one is moved there" 204 \
        "$(put_half 4 "seqshare create '$share.new' --size 64K --mode 666 --from '$shared/1.json'; mv '$share.new' '$share'")"
    fact "the document is there" 4 "$(seqshare get "$share" | jq .number)"
    fact "it is removed" 404 "$(put_half 5 "seqshare rm '$share'")"
    step "there is none then" 404 /document
    fresh
    fact "it is removed by hand" 404 "$(put_half 5 "rm '$share'")"
    fresh
    fact "something else takes the name" 500 "$(put_half 5 "rm '$share'; echo no share >'$share'")"
    step "which is not a document" 500 /document
    fresh
    fact "it becomes too small" 413 "$(put_half 5 "rm '$share'; seqshare create '$share' --size 64 --mode 666")"
    fresh --from "$shared/1.json"
}

# While somebody else has the lock, and does not give it back.
locked() {
    local owner
    exec 7< <(exec seqshare lock "$share" -- sh -c 'echo $$; exec sleep 100')
    read -r -u 7 owner
    step "somebody has the lock for long" 503 /document -T "$shared/2.json"
    step "and reading goes on" 200 /document
    kill -KILL "$owner"
    exec 7<&-
    step "that process is killed" 204 /document -T "$shared/9.json"
}

# Without what belongs to the process or the moment.
the_status() {
    step="the status"
    spoil_share
    for _ in {1..20}; do status /index.html >/dev/null; done
    curl -s "$url/status" >"$shared/status"
    {
        echo "== $step"
        jq -S '.made_by = "" | .share = "" | .memory = 0 | .published |= sub("[0-9]"; "0"; "g") | .age = 0 | .refusals = (.refusals > 0)
            | .etag |= sub("-.*"; "") | .this_process |= map_values(0) | .processes = (.processes[0] | map_values(0))' "$shared/status"
    } >>"$answers"
    check "$which: its version, tag and age" jq -e '(.etag | startswith("\"3-")) and .age >= 0 and .age < 1000 and .version == 3
        and .this_process.version >= 1 and .refused_version == 3 and .this_process.decoded >= 1' "$shared/status"
}

spoil_share() {
    printf '{"number": ' | seqshare set "$share" --force -
}

# With the kit of one server: "apache" or "nginx".
all_answers() {
    local n
    which=$1 answers=$work/answers.$1
    : >"$answers"
    for n in {1..9}; do document $n >"$shared/$n.json"; done
    begin "$which: a server starts with a share that others make"
    documents
    refusals
    types
    moves
    locked
    the_status
    stop
}

answers_of_apache() {
    # shellcheck disable=SC2034
    places=()
    cd ../../httpd/t
    # shellcheck source=bindings/httpd/t/server.bash
    source ./server.bash
    # shellcheck disable=SC2034
    clients=client.py MODULE=$work/module-plain/mod_seqshare.so MODULES=$(apxs -q LIBEXECDIR)
    export MODULE MODULES
    new_place prefork
    share=$shared/config
    share_is "SeqshareOpen $share"
    sed -i 's|"%{seqshare:/text} == .open.."|all denied|; s|Require expr "%{seqshare:/text} == .open.*|Require all denied|' "$PLACE/httpd.conf"
    fresh
    all_answers apache
}

answers_of_nginx() {
    clients=$client
    new_place
    fresh
    all_answers nginx
}

# In a shell of its own, because the kits have the same names. Its numbers are added to ours.
in_its_own_shell() { # FUNCTION
    local rc=0
    (
        passed=0 failed=0 skipped=0 places=()
        trap tidy EXIT
        "$1"
        echo "$passed $failed" >"$work/sums"
    ) || rc=$?
    [ $rc -eq 0 ] || echo "0 1" >"$work/sums"
    read -r p f <"$work/sums"
    passed=$((passed + p)) failed=$((failed + f))
}

in_its_own_shell answers_of_nginx
if [ -e "$work/module-plain/mod_seqshare.so" ] && command -v apache2 >/dev/null; then
    in_its_own_shell answers_of_apache
    check "both servers have answered the same, $(grep -c '^==' "$work/answers.nginx") times" \
        diff "$work/answers.apache" "$work/answers.nginx"
else
    skip "the answers of both servers" "needs apache2: apt-get install apache2-bin apache2-dev"
fi
