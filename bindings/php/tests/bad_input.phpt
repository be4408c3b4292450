--TEST--
bad input is an exception that says what is wrong and where, and changes nothing
--EXTENSIONS--
seqshare
--DESCRIPTION--
Shows: JSON-1, WRITE-2, NAME-4.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

$share = Share::create($path, 1 << 20, 0644, ['good' => 1]);
enum Suit: string { case Hearts = 'h'; }
class Config { public $a = 1; }
class Json implements JsonSerializable { public function jsonSerialize(): mixed { return 1; } }
$recursive = [1];
$recursive['self'] = &$recursive;
$loop = new stdClass;
$loop->self = $loop;
$deepest = [];
for ($i = 1; $i < 512; $i++)
    $deepest = [$deepest];
$values = [
    INF, -INF, NAN, ['a' => ['b' => [0, NAN]]], fopen('php://memory', 'r'), fn() => 1, new DateTime, new Config, new Json, Suit::Hearts, new ArrayObject([1]),
    ['list' => [(object)['x' => new Config]]], $recursive, $loop, [$deepest], "\xff", ['a' => "b\xc0\xaf"], ["\xed\xa0\x80" => 1], ["a\0b" => 1], $share, $share->snapshot(...),
];
foreach ($values as $value)
    echo thrown(fn() => $share->set($value)), "\n";
unset($recursive, $loop, $values, $value);
gc_collect_cycles(); // or valgrind finds them
$share->set($deepest);
must($share->snapshot() === $deepest, 'the deepest document');
$share->setJson('{"good":1}');
foreach (['', ' ', '{} {}', '[1,]', '[NaN]', '[1e999]', '["\ud83d"]', "[\"\xff\"]", '{"a\u0000":1}', '[01]', "\xef\xbb\xbf[]", str_repeat('[', 513) . str_repeat(']', 513)] as $text)
    must(str_starts_with(thrown(fn() => $share->setJson($text)), 'Seqshare\Exception 74: not JSON'), "refused: $text");
must($share->get() === '{"good":1}', 'nothing has changed');
echo "-- names\n";
file_put_contents("$folder/other", str_repeat('x', 10000));
symlink($path, "$folder/link");
foreach (["$folder/none", "$folder/other", "$folder/link", $folder, '', "$folder/\xff\xfe", str_repeat('n', 300)] as $name)
    echo thrown(fn() => Share::open($name)), "\n";
echo thrown(fn() => Share::open("a\0b")), "\n";
echo thrown(fn() => Share::create($path, 100)), "\n";
echo thrown(fn() => Share::create("$folder/new", 0)), "\n";
echo thrown(fn() => Share::create("$folder/new", -1)), "\n";
echo thrown(fn() => Share::create("$folder/new", 10, -1)), "\n";
echo thrown(fn() => Share::create("$folder/new", 10, 0600, 'longer than that')), "\n";
echo thrown(fn() => Share::create("$folder/new", 10, 0600, NAN)), "\n";
must(!file_exists("$folder/new"), 'a share that could not be made');
echo thrown(fn() => Share::unlink("$folder/new")), "\n";
echo thrown(fn() => Share::attach(-1)), "\n", thrown(fn() => Share::attach(99)), "\n", thrown(fn() => Share::attach(PHP_INT_MAX)), "\n";
$reader = Share::open($path, write: false);
foreach (['set' => [1], 'setIf' => [1, 1], 'setJson' => ['1'], 'setBytes' => ['x'], 'lock' => [], 'update' => [fn($d) => $d]] as $method => $arguments)
    must(str_starts_with(thrown(fn() => $reader->$method(...$arguments)), 'Seqshare\Exception 30: '), "$method of a reader");
must(thrown(fn() => $reader->dropWrite()) === 'nothing', 'dropWrite of a reader');
$share->dropWrite();
echo thrown(fn() => $share->set(1)), "\n";
echo json_encode($share->snapshot()), "\n";
foreach ([-1, NAN, -INF] as $timeout)
    echo thrown(fn() => Share::open($path)->lock($timeout)), ' ', thrown(fn() => $share->wait(null, $timeout)), "\n";
?>
--EXPECTF--
Seqshare\Exception 22: the value is not a finite number
Seqshare\Exception 22: the value is not a finite number
Seqshare\Exception 22: the value is not a finite number
Seqshare\Exception 22: the value at /a/b/1 is not a finite number
Seqshare\Exception 22: the value is a resource, which has no form in JSON
Seqshare\Exception 22: the value is an object of the class Closure: only arrays and stdClass have a form in JSON
Seqshare\Exception 22: the value is an object of the class DateTime: only arrays and stdClass have a form in JSON
Seqshare\Exception 22: the value is an object of the class Config: only arrays and stdClass have a form in JSON
Seqshare\Exception 22: the value is an object of the class Json: only arrays and stdClass have a form in JSON
Seqshare\Exception 22: the value is an object of the class Suit: only arrays and stdClass have a form in JSON
Seqshare\Exception 22: the value is an object of the class ArrayObject: only arrays and stdClass have a form in JSON
Seqshare\Exception 22: the value at /list/0/x is an object of the class Config: only arrays and stdClass have a form in JSON
Seqshare\Exception 22: the value at /self/self/self/self/self/self/self/self/... is deeper than 512 arrays, or contains itself
Seqshare\Exception 22: the value at /self/self/self/self/self/self/self/self/... is deeper than 512 arrays, or contains itself
Seqshare\Exception 22: the value at /0/0/0/0/0/0/0/0/... is deeper than 512 arrays, or contains itself
Seqshare\Exception 22: the value is a string that is not UTF-8
Seqshare\Exception 22: the value at /a is a string that is not UTF-8
Seqshare\Exception 22: the value has a name that is not UTF-8
Seqshare\Exception 74: not JSON: a zero character in a name in line 1, at byte 4
Seqshare\Exception 22: the value is an object of the class Seqshare\Share: only arrays and stdClass have a form in JSON
Seqshare\Exception 22: the value is an object of the class Closure: only arrays and stdClass have a form in JSON
-- names
Seqshare\Exception 2: SHARE: there is no share of that name, or no such folder
Seqshare\Exception 74: SHARE: not a share, a damaged share, or a value of another type
Seqshare\Exception 40: SHARE: the name is a symbolic link, and seqshare follows none
Seqshare\Exception 74: SHARE: not a share, a damaged share, or a value of another type
Seqshare\Exception 22: : invalid argument
Seqshare\Exception 2: SHARE: there is no share of that name, or no such folder
Seqshare\Exception 36: nnn%s: the name is too long
ValueError 0: Seqshare\Share::open(): Argument #1 ($name) must not contain any null bytes
Seqshare\Exception 17: SHARE: the name exists already
Seqshare\Exception 22: SHARE: invalid argument
Seqshare\Exception 22: SHARE: invalid argument
Seqshare\Exception 22: SHARE: invalid argument
Seqshare\Exception 90: SHARE: the value is longer than the capacity, or than the room that fill gave
Seqshare\Exception 22: the value is not a finite number
Seqshare\Exception 2: SHARE: there is no share of that name, or no such folder
Seqshare\Exception 9: a share without a name: the descriptor is not open, or the program closed the library's own
Seqshare\Exception 9: a share without a name: the descriptor is not open, or the program closed the library's own
Seqshare\Exception 9: a share without a name: the descriptor is not open, or the program closed the library's own
Seqshare\Exception 30: SHARE: the share is read-only in this process, or its file system is mounted read-only
{"good":1}
ValueError 0: A timeout must be a number of seconds from 0, or null ValueError 0: A timeout must be a number of seconds from 0, or null
ValueError 0: A timeout must be a number of seconds from 0, or null ValueError 0: A timeout must be a number of seconds from 0, or null
ValueError 0: A timeout must be a number of seconds from 0, or null ValueError 0: A timeout must be a number of seconds from 0, or null
