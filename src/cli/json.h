/* SPDX-License-Identifier: MIT */
/* JSON: checks and prints documents, and prints facts in it. */
#ifndef SEQSHARE_CLI_JSON_H
#define SEQSHARE_CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "list.h"
#include "json/grammar.h"

/* Is it one JSON document in UTF-8, and nothing else? If not, `why` says what is wrong and where. */
bool json_check(const char *text, size_t length, char why[JSON_WHY_SIZE]);

/* Print a document that json_check accepts, indented: its words as they are, numbers to the last digit. */
void json_print_pretty(const char *text, size_t length);

/* Print one share as an object, or all of them as an array. */
void json_print_facts(const struct facts *facts);
void json_print_list(const struct list *list);

#endif
