--TEST--
a document cannot be changed, whatever a script does with its copies
--EXTENSIONS--
seqshare
--DESCRIPTION--
Shows: no promise: documents are read-only.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

$document = ['b' => ['x' => 1, 'list' => [3, 1, 2]], 'a' => 'text', '5' => 'five', 'empty' => [], 'deep' => [[[['end']]]]];
Share::create($path, 1 << 20, 0644, $document);
echo php('$whole = ' . var_export($document, true) . ';' . <<<'SCRIPT'
class Holder { public static $kept; public array $mine; public function __toString() { return 'x'; } public function __destruct() { self::$kept = null; } }
function by_reference(array &$array) { $array['b']['list'][] = 9; array_pop($array); }
function generator() { yield from seqshare_get('shop'); }
$deeds = [
    'assign' => function ($d) { $d['b']['x'] = 2; $d[] = 1; unset($d['a']); },
    'nested reference' => function ($d) { $r = &$d['b']['list'][0]; $r = 99; unset($r); },
    'foreach by reference' => function ($d) { foreach ($d as $k => &$v) { $v = $k; } },
    'by reference' => function ($d) { by_reference($d); },
    'sort' => function ($d) { ksort($d); sort($d['b']['list']); usort($d['b']['list'], fn($a, $b) => $b <=> $a); shuffle($d['b']['list']); },
    'array functions' => function ($d) { array_walk_recursive($d, function (&$v) { $v = 0; }); array_multisort($d['b']['list']); array_splice($d, 0, 1); next($d); end($d); each_of($d); array_merge($d); array_replace_recursive($d, ['b' => 1]); },
    'strings' => function ($d) { $d['a'] .= 'more'; $d['a'][0] = 'T'; $s = $d['a']; $s .= $s; settype($d['a'], 'integer'); },
    'objects' => function ($d) { $o = (object)$d; $o->a = 'other'; $o->b['x'] = 3; $h = new Holder; $h->mine = $d; $h->mine['b'] = null; Holder::$kept = $d; },
    'cycles' => function ($d) { $o = new stdClass; $o->self = $o; $o->d = $d; $o->part = $d['b']; $d['me'] = &$d; unset($o, $d); gc_collect_cycles(); },
    'serialize' => function ($d) { if (unserialize(serialize($d)) !== $GLOBALS['whole'] || json_decode(json_encode($d), true) !== $GLOBALS['whole']) echo "copy\n"; var_export($d, true); print_r($d, true); },
    'generators' => function ($d) { foreach (generator() as $k => $v) { $v = [$k]; } $g = generator(); $g->current(); },
    'iterators' => function ($d) { $i = new ArrayObject($d); $i['a'] = 1; foreach (new RecursiveIteratorIterator(new RecursiveArrayIterator($d)) as $k => $v) { } },
    'extract and compact' => function ($d) { extract($d); $b['x'] = 5; $a .= '!'; compact('a', 'b'); },
    'static and closures' => function ($d) { static $s; $s = $d; $s['a'] = 1; $f = function () use ($d) { $d['a'] = 2; return $d; }; $f(); (fn() => [...$d, ...$d['b']])(); },
    'globals' => function ($d) { $GLOBALS['left_behind'] = $d; $GLOBALS['part'] = $d['b']['list']; define('CONSTANT' . count(get_defined_constants(true)['user'] ?? []), $d); },
    'destructuring' => function ($d) { ['b' => ['list' => [$one, , $two]]] = $d; [$d['a'], $d['b']] = [$d['b'], $d['a']]; },
    'match and string keys' => function ($d) { foreach ($d as $k => $v) { $k .= 'x'; $m[$k] = &$v; } putenv('X=' . $d['a']); ini_set('user_agent', $d['a']); },
    'exceptions' => function ($d) { try { throw new Exception($d['a']); } catch (Exception $e) { $e->getTraceAsString(); } },
    'weak' => function ($d) { $m = new WeakMap; $m[$o = new stdClass] = $d; },
];
function each_of(array $array) { foreach ($array as $k => $v) { current($array); key($array); reset($array); } }
for ($round = 0; $round < 20; $round++)
    foreach ($deeds as $name => $deed) {
        $deed(seqshare_get('shop'));
        if (seqshare_get('shop') !== $whole || seqshare_get('shop', '/b/list') !== [3, 1, 2])
            echo "$name has changed it: ", json_encode(seqshare_get('shop')), "\n";
    }
Seqshare\Share::open($path)->set(['new' => 1]);
if (seqshare_get('shop') !== ['new' => 1] || $left_behind !== $whole || CONSTANT0 !== $whole)
    echo "the old one is gone\n";
SCRIPT);
?>
--EXPECT--
