--TEST--
what is published, and what form it has in JSON
--EXTENSIONS--
seqshare
--INI--
serialize_precision=5
precision=5
error_log=/dev/null
--DESCRIPTION--
Shows: WRITE-3, JSON-1.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

$share = Share::create($path, 1 << 20, 0644, ['first' => 1]);
echo $share->get(), ' ', $share->version(), ' ', $share->stat()['tag'] === 0xd86fc7a3 ? 'json' : 'another tag', "\n";
printf("%o\n", fileperms($path) & 07777);
$values = [
    null, true, 0, -1, PHP_INT_MAX, PHP_INT_MIN, 0.1, 1.0, -0.0, 1.7976931348623157e308, 5e-324, 0.30000000000000004,
    '', 'é€😀', "a\0b", "\u{2029}/", [], new stdClass, [1, 2], [1 => 'one'], ['0' => 'a', '1' => 'b'], ['a' => ['b' => (object)['c' => []]]],
    (object)['0' => 'a'], ['01' => 1, '-1' => 2, '' => 3],
];
foreach ($values as $value) {
    $share->set($value);
    echo $share->get(), "\n";
    must($share->snapshot() === json_decode(json_encode($value, JSON_PRESERVE_ZERO_FRACTION | JSON_PARTIAL_OUTPUT_ON_ERROR), true) || is_float($value), $share->get());
    must(!is_float($value) || $share->snapshot() === $value, $share->get());
}
echo json_last_error_msg(), "\n";

echo "-- setIf, setJson, setBytes\n";
$version = $share->version();
var_dump($share->setIf($version, 'yes'), $share->setIf($version, 'no'), $share->snapshot(), $share->version() === $version + 1);
$share->setJson(' {"a" : {} } ');
echo $share->get(), "\n";
echo thrown(fn() => $share->setJson('{"a":1,}')), "\n";
$share->setBytes("\0\xff", 7);
must($share->get() === "\0\xff" && $share->stat()['tag'] === 7, 'bytes are as they were');
echo thrown(fn() => $share->setBytes('', 1 << 32)), "\n";
echo json_encode($share->snapshot()), "\n";
echo preg_replace('~/dev/shm[^:]*~', 'SHARE', thrown(fn() => $share->update(fn($document) => $document))), "\n";

echo "-- update: what was an object stays one\n";
$share->setJson('{"flags":{"dark":true},"list":["a"],"ports":{"0":"x"},"none":{},"deep":[{"o":{}}],"null":null}');
$result = $share->update(function (array $document) {
    unset($document['flags']['dark']);
    foreach ($document['list'] as &$item)
        $item = "$item!";
    $document['ports'][] = 'y';
    $document['new'] = [];
    return $document;
});
echo $share->get(), "\n";
must($result['ports'] === ['x', 'y'] && $share->snapshot() == $result, 'update returns what it published');
$share->update(fn($document) => ['none' => ['a'], 'ports' => ['x' => 1]]);
echo $share->get(), "\n";
echo thrown(fn() => $share->update(fn($document) => throw new DomainException('no', 3))), "\n";
echo thrown(fn() => $share->update(fn($document) => NAN)), "\n";
echo $share->get(), "\n";
$empty = Share::anonymous(100);
var_dump($empty->update(fn($document) => ['was' => $document]));
echo thrown(fn() => $empty->set(str_repeat('x', 99))), "\n";
echo thrown(fn() => (new ReflectionClass($share))->newInstance()), "\n";
echo thrown(fn() => clone $share), "\n";
echo thrown(fn() => serialize($share)), "\n";
foreach (['Share', 'Lock'] as $class) {
    must(thrown(fn() => (new ReflectionClass("Seqshare\\$class"))->newInstanceWithoutConstructor()) !== 'nothing', "no empty $class");
    must(thrown(fn() => unserialize(sprintf('O:%d:"Seqshare\%s":0:{}', strlen($class) + 9, $class))) !== 'nothing', "no $class of text");
}
?>
--EXPECT--
{"first":1} 1 json
644
null
true
0
-1
9223372036854775807
-9223372036854775808
0.1
1.0
-0.0
1.7976931348623157e+308
5.0e-324
0.30000000000000004
""
"é€😀"
"a\u0000b"
" /"
[]
{}
[1,2]
{"1":"one"}
["a","b"]
{"a":{"b":{"c":[]}}}
{"0":"a"}
{"01":1,"-1":2,"":3}
No error
-- setIf, setJson, setBytes
bool(true)
bool(false)
string(3) "yes"
bool(true)
 {"a" : {} } 
Seqshare\Exception 74: not JSON: a name in quotes is missing in line 1, at byte 8
ValueError 0: Seqshare\Share::setBytes(): Argument #2 ($tag) must be from 0 to 4294967295
"yes"
Seqshare\Exception 74: SHARE: its type tag is 00000007, and not that of JSON
-- update: what was an object stays one
{"flags":{},"list":["a!"],"ports":{"0":"x","1":"y"},"none":{},"deep":[{"o":{}}],"null":null,"new":[]}
{"none":["a"],"ports":{"x":1}}
DomainException 3: no
Seqshare\Exception 22: the value is not a finite number
{"none":["a"],"ports":{"x":1}}
array(1) {
  ["was"]=>
  NULL
}
Seqshare\Exception 90: a share without a name: the value is longer than the capacity, or than the room that fill gave
ReflectionException 0: Access to non-public constructor of class Seqshare\Share
Error 0: Trying to clone an uncloneable object of class Seqshare\Share
Exception 0: Serialization of 'Seqshare\Share' is not allowed
