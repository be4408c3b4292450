# SPDX-License-Identifier: MIT
# Planted faults: each changes one place of the module, and a part of the tests must find it.
# shellcheck shell=bash

mpms=(prefork)

# FILE PATTERN REPLACEMENT: in a copy of the sources
plant() {
    rm -rf "$work/mutant"
    cp -R "$SEQSHARE_SOURCE/bindings/httpd" "$work/mutant"
    grep -qE "$2" "$work/mutant/$1" || {
        echo "bindings/httpd/$1 has no '$2' any more: tests/httpd/mutants.bash must follow"
        return 1
    }
    sed -i -E "s/$2/$3/" "$work/mutant/$1"
    sources=$work/mutant build_module plain CC=gcc CFLAGS="-O2 -g -w"
}

run_part() { # PART
    passed=0 failed=0 skipped=0
    places=()
    trap tidy EXIT
    sources=$work/mutant
    # shellcheck source=/dev/null
    source "./$1.bash"
    finish
}

mutant() { # NAME PART FILE PATTERN REPLACEMENT
    check "planted: $1" plant "${@:3}"
    check_fails "caught by $2: $1" run_part "$2"
}

mutant "each use in a request takes the newest document" load request.c \
    'ap_set_module_config\(first->request_config, &seqshare_module, snapshot\);' ''
mutant "a subrequest takes its own" load request.c 'while \(r->main \|\| r->prev\)' \
    'while (!r->main \&\& r->prev)'
mutant "a request does not count as a user" sanitized document.c \
    '__atomic_add_fetch\(&document->users, 1, __ATOMIC_RELAXED\)' '(void)0'
mutant "a request never ceases to be one" sanitized request.c \
    'apr_pool_cleanup_register\(first->pool, snapshot->document' '(void)(snapshot->document), (void)(document_release'
mutant "each refusal is said" agree log.c 'token_in\(last\) == token \|\| !minute_is_over\(last\)' 'token_in(last) == token'
mutant "what is kept is never replaced by another region's" agree good.c \
    'return origin_read\(share->source, &now\) == 0 && origin_is_same\(origin, &now\);' '(void)now; return false;'
mutant "what was refused is kept" agree follow.c 'int error = wrong \? 0 : good_keep' 'int error = good_keep'
mutant "a file that can be cut is read where it is mapped" cut origin.c 'error = seqshare_pstat\(source, &stat\)' \
    'error = seqshare_stat(source, \&stat)'
mutant "line ends stay" hostile pointer.c "copy\\[i\\] = ' ';" ';'
mutant "an environment gets what has a zero character" hostile variable.c '!text->had_zero && ' ''
mutant "and what is too long" hostile variable.c 'needed - sizeof\(char \*\) <= VARIABLE_MOST' '1'
mutant "and too much" hostile variable.c 'used \+ needed <= variables_most' '1'
mutant "a region without a name takes documents" puts put.c 'return named == 1 \? 0 : -EIDRM;' 'return 0;'
mutant "a document replaces whatever stands" puts put.c 'if \(!may_be_json\(&stat\)\)' 'if (0)'
mutant "conditions are not asked" pages put.c 'if \(answer_conditions\(r, stat.version\) != OK\)' 'if (0)'
mutant "a document is not checked" pages put.c 'error = seqshare_json_check\(.*' 'error = 0, *why = 0;'
mutant "a body has no end" pages body.c 'if \(length > body->most - body->length\)' 'if (0)'
mutant "children keep what they do not need" pages share.c 'if \(!share->writes\)' 'if (0)'
mutant "a share does not outlive a configuration" restarts share.c 'declaration->share->wanted = true;' ''
mutant "the parent does not look where a name is" names share.c 'int error = follow_name\(share\);' 'int error = 0;'
mutant "variables of places are set too late" values config.c \
    'ap_hook_header_parser\(place_found' 'ap_hook_log_transaction(place_found'
mutant "numbers of pointers are mixed up" values pointer.c 'pointer->number = numbered->nelts;' \
    'pointer->number = 0;'
