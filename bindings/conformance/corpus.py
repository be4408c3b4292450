# SPDX-License-Identifier: MIT
"""The documents: (name, text, words): words say what a language needs to hold them. And texts that are none."""

import json

_DEEP = 512

GOOD = [
    ("empty object", b"{}", ()), ("empty array", b"[]", ()), ("empty string", b'""', ()), ("zero", b"0", ()),
    ("true", b"true", ()), ("false", b"false", ()), ("null", b"null", ()),
    ("blanks", b' \t\r\n{ "a" :\n[ 1 , 2 ] } ', ()),
    ("nested", b'{"a":{"b":[{"c":[[],{}]}]}}', ()),
    ("empty name", b'{"":{"":1}}', ()),
    ("two equal names", b'{"a":1,"b":2,"a":3}', ()),
    ("least of 64 bits", b"[-9223372036854775808]", ("least",)),
    ("most of 64 bits", b"[9223372036854775807]", ("int53",)),
    ("most of 64 bits, unsigned", b"[18446744073709551615]", ("uint64",)),
    ("beyond 64 bits", b"[123456789012345678901234567890]", ("bigint",)),
    ("floats", b"[0.1,-2.5,1e3,1E-3,1e300,1e-300]", ()),
    ("floats of 17 digits", b"[1.7976931348623157e308,5e-324,0.30000000000000004]", ("digits",)),
    ("a float that is whole", b"[1.0]", ("float-integer",)),
    ("negative zero", b"[-0.0]", ("float-integer",)),
    ("escapes", rb'["\"\\\/\b\f\n\r\t\u00e9\u20ac"]', ()),
    ("a surrogate pair", rb'["\ud83d\ude00"]', ()),
    ("UTF-8", '{"ключ":"значение","鍵":"値","é":"😀"}'.encode(), ()),
    ("a zero character in a string", rb'["a\u0000b"]', ()),
    ("line separators", "[\"\u2028\u2029\"]".encode(), ()),
    ("names like prototypes", b'{"__proto__":1,"constructor":2,"toString":3,"length":4}', ()),
    ("names like numbers", b'{"0":"a","1":"b","-1":"c","01":"d"}', ()),
    ("strings like numbers", b'["1","1.0","true","null",""]', ()),
    ("deepest", b"[" * _DEEP + b"]" * _DEEP, ()),
    ("a thousand names", json.dumps({f"name{i}": i for i in range(1000)}).encode(), ()),
    ("a megabyte", json.dumps({"rows": [{"id": i, "text": "x" * 80} for i in range(10000)]}).encode(), ()),
]  # fmt: skip

BAD = [
    ("nothing", b""), ("blank", b"  "), ("two documents", b"{} {}"), ("a comma too many", b"[1,]"), ("NaN", b"[NaN]"),
    ("infinity", b"[Infinity]"), ("beyond a double", b"[1e999]"), ("a comment", b"[1] // one"), ("apostrophes", b"['a']"),
    ("a name without quotes", b"{a:1}"), ("half of a pair", rb'["\ud83d"]'), ("the other half", rb'["\ude00"]'),
    ("a zero character in a name", rb'{"a\u0000b":1}'), ("not UTF-8", b'["\xff"]'), ("too long a form", b'["\xc0\xaf"]'),
    ("a control character", b'["\x01"]'), ("a byte order mark", b"\xef\xbb\xbf[]"), ("leading zero", b"[01]"),
    ("plus", b"[+1]"), ("unfinished", b'{"a":[1,2'), ("one too deep", b"[" * (_DEEP + 1) + b"]" * (_DEEP + 1)),
]  # fmt: skip
